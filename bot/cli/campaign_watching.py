"""``plainbill campaign watch``: how far it has come, live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.campaign_edge import Ref, find
from bot.cli.edge import AsJson, Edge, context, print_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from sqlalchemy.orm import Session

#: Outbox states by what a person watching wants to know.
LEFT = ("sent", "delivered", "undelivered", "unknown")
KEPT = ("withheld", "cancelled", "failed")
OVER = ("done", "stopped")


def watch(
    ref: Ref,
    every: Annotated[float, typer.Option("--every", min=0.2, max=60, help="Seconds between looks.")] = 0.5,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a campaign's progress until it is done or stopped. Leaving this with Ctrl-C stops nothing."""
    with context() as edge:
        campaign_id = edge.read(lambda session: find(session, edge, ref).id, "campaign", str, "campaign watch")
        if as_json:
            _lines(edge, campaign_id, every, once)
        else:
            _live(edge, campaign_id, every, once)


def look(session: Session, campaign_id: str) -> dict[str, Any]:
    """One look: counts alone."""
    from dataclasses import asdict

    from billing import campaign_progress
    from billing.store.tables import Campaign

    row = session.get_one(Campaign, campaign_id)
    return {"number": row.number, "name": row.name, "status": row.status,
            **asdict(campaign_progress.look(session, campaign_id))}


def _lines(edge: Edge, campaign_id: str, every: float, once: bool) -> None:
    """A line of JSON for each change."""
    before: dict[str, Any] | None = None
    while True:
        seen = edge.store.read(lambda session: look(session, campaign_id))
        if seen != before:
            print_json({"at": edge.now(), **seen})
        if once or seen["status"] in OVER:
            return
        before = seen
        time.sleep(every)


def _live(edge: Edge, campaign_id: str, every: float, once: bool) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bars = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with bars:
        tasks = {name: bars.add_task(label) for name, label in _BARS.items()}
        while True:
            seen = edge.store.read(lambda session: look(session, campaign_id))
            _draw(bars, tasks, seen)
            if once or seen["status"] in OVER:
                break
            time.sleep(every)
    print(f"Campaign {seen['number']} ({seen['name']}) is {seen['status']}: {seen['left']:,} left, "
          f"{seen['in_outbox']:,} in the outbox, {seen['waiting']:,} wait"
          + (f" (next turn {seen['next_turn_at']:%Y-%m-%d %H:%M} UTC)" if seen["next_turn_at"] else "")
          + f", {seen['left_out'] + seen['withheld']:,} left out, {seen['stopped']:,} stopped.")


_BARS = {"worked": "Accounts worked", "left": "Messages that left", "delivered": "Delivered"}


def _draw(bars: Progress, tasks: dict[str, TaskID], seen: dict[str, Any]) -> None:
    worked = seen["accounts"] - seen["waiting"]
    told = seen["left"] + seen["in_outbox"] + seen["waiting"]
    bars.update(tasks["worked"], completed=worked, total=seen["accounts"],
                description=f"{_BARS['worked']} ({seen['status']})")
    bars.update(tasks["left"], completed=seen["left"], total=told)
    bars.update(tasks["delivered"], completed=seen["delivered"], total=seen["left"])
