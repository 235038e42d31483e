"""What processor and ledger do not agree on: looked for, repaired by asking, explained, or before staff as a case."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.orm import Session

from billing import reconciling
from billing import reconciling_differences as differences
from billing.store import console_money_queries, reconcile_queries
from billing.store.alone import alone
from billing.store.tables import Difference, Reconciliation
from bot.processors.base import ProcessorError
from bot.reconcile import reconcile
from bot.web.console.fields import Ticked
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Form, Nothing, View, of_practice, there

#: A run that did not end within so long has died, and another one may begin.
LASTS = timedelta(minutes=10)
GRACE_SECONDS = 2
SHOWN = 200

_running: set[asyncio.Task[None]] = set()
_log = structlog.get_logger(__name__)


class RunRefused(ValueError):
    """Another run is under way."""


class Query(Form):
    """``settled``: repaired and explained ones too."""

    settled: Ticked = False


@dataclass(frozen=True, slots=True)
class Line:
    difference_id: str
    kind: str
    status: str
    ref: str
    payment_id: str
    processor_minor: int | None
    ledger_minor: int | None
    done: str
    case_id: str
    found_at: datetime
    settled_by: str


@dataclass(frozen=True, slots=True)
class Run:
    """``finished_at`` empty: under way, or the processor did not answer. Balances in cents."""

    since: datetime
    until: datetime
    by: str
    started_at: datetime
    finished_at: datetime | None
    entries: int
    repaired: int
    left: int
    processor_minor: int | None
    ledger_minor: int | None


@dataclass(frozen=True, slots=True)
class Differences:
    run: Run | None
    under_way: bool
    lines: list[Line]


def read(session: Session, asked: Asked[Query]) -> Differences:
    """Open differences, and the last time that the books were compared."""
    wanted = ["open", "explained", "repaired"] if asked.query.settled else ["open"]
    rows = console_money_queries.newest_differences(session, asked.practice_id, wanted, SHOWN)
    run = console_money_queries.latest_run(session, asked.practice_id)
    return Differences(_run(run) if run else None, _is_under_way(run, asked.now), [_line(row) for row in rows])


def begin(session: Session, asked: Asked[Nothing]) -> Done:
    """Compare processor, payouts and ledger; what an event that never came left undone is repaired by asking."""
    if _is_under_way(console_money_queries.latest_run(session, asked.practice_id), asked.now):
        raise RunRefused("the books are being compared already; look again in a minute")
    return Done("practice", "reconciliation", "/money/differences", "reconciling")


async def compare(asked: Asked[Any], done: Done) -> None:
    """Goes on by itself; whoever pressed waits a moment for a short one."""
    task = asyncio.create_task(_compare(asked))
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.wait([task], timeout=GRACE_SECONDS)


async def _compare(asked: Asked[Any]) -> None:
    """One comparison of a practice at a time, whoever pressed in whichever process."""
    lock = alone(asked.wiring.road.store.engine, f"reconcile:{asked.practice_id}")
    mine = await asyncio.to_thread(lock.__enter__)
    try:
        if mine:
            await _compare_alone(asked)
    except Exception as error:  # noqa: BLE001 - nobody waits for it any more; its type is no PHI, its words may be
        _log.error("the comparison stopped", error=type(error).__name__)
    finally:
        await asyncio.to_thread(lock.__exit__, None, None, None)


async def _compare_alone(asked: Asked[Any]) -> None:
    road, processor, now = asked.wiring.road, asked.wiring.processor, asked.wiring.now()
    since = await road.store.aread(partial(reconciling.since_when, practice_id=asked.practice_id,
                                           processor=processor.name, now=now))
    try:
        await reconcile(road, processor, asked.practice_id, since=since, until=now, by=asked.person.login)
    except ProcessorError as error:
        _log.warning("the processor's books could not be read", kind=error.kind, code=error.code)


def explain(session: Session, asked: Asked[Why]) -> Done:
    """Say why a difference stands; its case is closed with those words."""
    row = differences.explain(session, asked.practice_id, _known(session, asked), by=asked.person.login,
                              note=asked.query.reason, now=asked.now)
    return _done(row)


def give(session: Session, asked: Asked[Nothing]) -> Done:
    """Open a case for a difference that has none."""
    row = differences.give_to_staff(session, asked.practice_id, _known(session, asked), now=asked.now)
    return Done("difference", row.id, f"/cases/{row.case_id}", result={"case_id": row.case_id})


def _known(session: Session, asked: Asked[Any]) -> str:
    row = there(reconcile_queries.find_difference(session, asked.practice_id, asked.path["difference_id"]))
    return row.id


def _done(row: Difference) -> Done:
    return Done("difference", row.id, "/money/differences", result={"difference_id": row.id, "status": row.status})


def _is_under_way(run: Reconciliation | None, now: datetime) -> bool:
    return run is not None and run.finished_at is None and run.started_at > now - LASTS


def _run(row: Reconciliation) -> Run:
    return Run(row.since_at, row.until_at, row.started_by, row.started_at, row.finished_at, row.entries, row.repaired,
               row.left, row.processor_minor, row.ledger_minor)


def _line(row: Difference) -> Line:
    return Line(row.id, row.kind, row.status, row.object_ref, row.payment_id or "", row.processor_minor,
                row.ledger_minor, row.what_was_done, row.case_id or "", row.found_at, row.settled_by or "")


VIEWS = (View("money_differences", "/money/differences", "read", read, Differences, Query,
              of_practice("differences")),)
ACTIONS = (
    Action("reconcile.run", "/money/differences", "cases", Nothing, begin, after=compare),
    Action("difference.explain", "/money/differences/{difference_id}/explain", "cases", Why, explain),
    Action("difference.case", "/money/differences/{difference_id}/case", "cases", Nothing, give),
)
