"""``plainbill balance``: what an account owes, and whom it is waiting for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.cli.edge import AsJson, Edge, context, dollars, found, print_json, print_table
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
    today = edge.now().astimezone(ZoneInfo(edge.policy.zone)).date()
    account = account_figures(session, guarantor.id, today)
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
    typer.echo(f"Account {facts['account']}: open ${dollars(facts['open_minor'])}, due now "
               f"${dollars(facts['due_now_minor'])}{unsure}")
    if brief:
        return
    rows = [(v["visit"], v["service_on"] or "", *(dollars(v[f"{name}_minor"]) for name in (
        "charge", "payer", "patient", "due_now", "pending", "held", "credit")), _why(v)) for v in facts["visits"]]
    print_table("", ("Visit", "Service", "Charge $", "Payer $", "Patient $", "Due now $", "Pending $", "Held $",
                     "Credit $", "Waiting for"), rows)


def _why(visit: dict[str, Any]) -> str:
    waiting = [c["payer"] for c in visit["coverages"] if c["status"] == "pending"]
    return ", ".join([*waiting, *(f"hold: {kind}" for kind in visit["holds"]), *(["void"] if visit["void"] else [])])
