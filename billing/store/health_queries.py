"""What is waiting, as counts and ages: for the metrics and for whoever asks whether the road is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import Case, Inbox, Lease, Outbox, ProcessorCall

_OPEN_INBOX = ("accepted", "working")
_OPEN_OUTBOX = ("queued", "deferred", "claimed", "sending", "unknown")
_OPEN_CALLS = ("queued", "calling", "unknown", "staff")


@dataclass(frozen=True, slots=True)
class Waiting:
    """``counts``: (queue, state) to rows. ``oldest_seconds``: queue to the age of its oldest row that is due."""

    counts: dict[tuple[str, str], int]
    oldest_seconds: dict[str, int]
    ticking: bool


def waiting(session: Session, now: datetime, tick_lease: str) -> Waiting:
    """Read from the indexes of live rows alone: what has settled is never counted."""
    counts = {("inbox", state): 0 for state in _OPEN_INBOX} | {("outbox", state): 0 for state in _OPEN_OUTBOX}
    for queue, table, states in (("inbox", Inbox, _OPEN_INBOX), ("outbox", Outbox, _OPEN_OUTBOX),
                                 ("calls", ProcessorCall, _OPEN_CALLS), ("cases", Case, ("open",))):
        column = table.__table__.c.status
        for state, rows in session.execute(select(column, func.count()).where(column.in_(states)).group_by(column)):
            counts[queue, state] = rows
    overdue = select(func.count()).where(Case.status == "open", Case.due_at <= now)
    counts["cases", "overdue"] = session.scalar(overdue) or 0
    due = {"inbox": select(func.min(Inbox.due_at)).where(Inbox.status == "accepted"),
           "outbox": select(func.min(Outbox.due_at)).where(
               Outbox.status == "queued", Outbox.channel != "paper")}
    oldest = {queue: session.scalar(found) for queue, found in due.items()}
    held = session.scalar(select(Lease.name).where(Lease.name == tick_lease, Lease.until_at > now))
    return Waiting(counts, {queue: max((now - at) // timedelta(seconds=1), 0) if at else 0
                            for queue, at in oldest.items()}, held is not None)
