"""``plainbill balance``: what an account owes, and whom it is waiting for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, found, print_json
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Guarantor

app = typer.Typer(add_completion=False)

Account = Annotated[str, typer.Argument(help="Account: our id, its number, or a claim number on it.")]
All = Annotated[bool, typer.Option("--all", help="Every account of the practice, one line each.")]


@app.command()
def run(account: Account = "", every: All = False, as_json: AsJson = False) -> None:
    """Show what an account owes: open = payer + patient - credit, and why the patient's part is or is not due."""
    if bool(account) == every:
        raise Stop("Name one account, or say --all.", USAGE)
    from billing.accounts import find_account
    from billing.store.account_queries import all_accounts

    with context() as edge:
        if not every:
            one = found(edge.read(lambda s: _facts(s, edge, find_account(s, edge.practice_id, account)), "guarantor",
                                  lambda facts: facts["account_id"] if facts else "", "balance"), "such account")
            _print(one, as_json)
            return
        ids = edge.read(lambda s: all_accounts(s, edge.practice_id), "practice", edge.practice_id, "all balances")
        for guarantor_id in ids:
            facts = edge.store.read(partial(_facts_of, edge=edge, guarantor_id=guarantor_id))
            if facts is not None:
                _print(facts, as_json, brief=True)


def _facts_of(session: Session, edge: Edge, guarantor_id: str) -> dict[str, Any] | None:
    from billing.store.tables import Guarantor

    return _facts(session, edge, session.get(Guarantor, guarantor_id))


def _facts(session: Session, edge: Edge, guarantor: Guarantor | None) -> dict[str, Any] | None:
    from billing.figures import account_figures

    if guarantor is None:
        return None
    account = account_figures(session, guarantor.id, edge.today())
    return {
        "account": guarantor.external, "account_id": guarantor.id, "currency": edge.policy.currency,
        "confirmed": guarantor.confirmed_at is not None, **_amounts(account.total),
        "holds": sorted({h.kind for h in account.account_holds}),
        "visits": [{
            "visit": v.external, "visit_id": v.visit_id, "service_on": v.service_on, "charge_minor": v.charge_minor,
            "void": v.void, **_amounts(v.figures),
            "coverages": [{"rank": c.rank, "payer": c.payer_name, "status": c.status, "open_minor": c.balance_minor}
                          for c in v.coverages],
            "holds": sorted({h.kind for h in v.holds})} for v in account.visits]}


def _amounts(figures: Any) -> dict[str, int]:
    return {name: getattr(figures, name) for name in figures.__slots__}


def _print(facts: dict[str, Any], as_json: bool, brief: bool = False) -> None:
    if as_json:
        print_json(facts)
        return
    unsure = "" if facts["confirmed"] else "  (guarantor not confirmed: neither messaged nor charged)"
    typer.echo(f"Account {facts['account']}: {_words(facts)}{unsure}")
    for v in [] if brief else facts["visits"]:
        waiting = f"  [{why}]" if (why := _why(v)) else ""
        typer.echo(f"  {v['visit']}, {v['service_on'] or 'day unknown'}, charged {dollars(v['charge_minor'])}: "
                   f"{_words(v)}{waiting}")


def _words(amounts: dict[str, Any]) -> str:
    """What is open and of that only what is not zero; due now always."""
    parts = {"with insurers": "payer", "pending": "pending", "held": "held", "on plan": "on_plan", "credit": "credit"}
    named = [f"{dollars(amounts[f'{key}_minor'])} {word}" for word, key in parts.items() if amounts[f"{key}_minor"]]
    return ", ".join([f"open {dollars(amounts['open_minor'])}", f"{dollars(amounts['due_now_minor'])} due now", *named])


def _why(visit: dict[str, Any]) -> str:
    waiting = [c["payer"] for c in visit["coverages"] if c["status"] == "pending"]
    return ", ".join([*(f"waiting for {payer}" for payer in waiting), *(f"hold: {kind}" for kind in visit["holds"]),
                      *(["void"] if visit["void"] else [])])
