"""``plainbill campaign report``: what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars
from bot.cli.campaign_edge import Ref, find
from bot.cli.edge import AsJson, context, print_fields, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def report(
    ref: Ref,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="Replies, opt-outs and payments count for so many "
                                                                     "days after each message.")] = 30,
    file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a row for each account.")] = None,
    rows: Annotated[bool, typer.Option("--rows", help="With --json: every account as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what became of a campaign: sent, delivered, left out by which rule, replies, opt-outs, payments, cost."""
    def read(session: Session) -> dict[str, Any]:
        from dataclasses import asdict

        from billing import campaign_reports

        row = find(session, edge, ref)
        total, told = campaign_reports.Summary(), []
        with _writer(file) as write:
            for one in campaign_reports.rows(session, row, edge.policy.carrier, days):
                total.add(one)
                write(asdict(one))
                if rows:
                    told.append(asdict(one))
        return {"campaign": row.id, "number": row.number, "name": row.name, "status": row.status, "days": days,
                "sending": edge.policy.sending, **total.to_json(), **({"rows": told} if rows else {})}

    with context() as edge:
        facts = edge.read(read, "campaign", lambda made: str(made["campaign"]), "campaign report")
    if as_json:
        print_json(facts)
    else:
        _print(facts)


@contextmanager
def _writer(file: Path | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Write rows to a CSV file, or nowhere."""
    if file is None:
        yield lambda row: None
        return
    from billing import csv_cells
    from billing.campaign_reports import COLUMNS

    with file.open("w", encoding="utf-8", newline="") as opened:
        csv_cells.write(opened, [COLUMNS])
        yield lambda row: csv_cells.write(opened, [[_cell(row.get(name, "")) for name in COLUMNS]])


def _cell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _shadow(facts: dict[str, Any]) -> dict[str, str]:
    """Whom nothing but the practice's mode kept from hearing of it."""
    if facts["sending"] != "shadow":
        return {}
    return {"Would have gone out (sending is shadow)": f"{facts['rules'].get('sending-mode', 0):,}"}


def _print(facts: dict[str, Any]) -> None:
    print(f"Campaign {facts['number']} ({facts['name']}) is {facts['status']}.\n")
    print_fields({
        "Accounts": f"{facts['accounts']:,}", "Messages that left": f"{facts['left']:,}", **_shadow(facts),
        "Delivered": f"{facts['delivered']:,}", "Paid before their turn": f"{facts['paid_between']:,}",
        f"Wrote back within {facts['days']} days": f"{facts['replied']:,}",
        f"Opted out within {facts['days']} days": f"{facts['opted_out']:,}",
        f"Paid within {facts['days']} days": f"{facts['paid']:,}, {dollars(facts['paid_minor'])}",
        "Segments": f"{facts['segments']:,}", "Cost": f"about {dollars(-(-facts['cost_micros'] // 10_000))}"})
    print_table("\nAccounts by what became of them", ("What", "Accounts"), sorted(facts["fates"].items()))
    print_table("\nLeft out or late, by rule", ("Rule", "Accounts"), sorted(facts["rules"].items()))
