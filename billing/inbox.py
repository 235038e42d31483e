"""What arrives is accepted once, kept, and worked one at a time per thread, oldest first.

The claim is a commit of its own, so that attempts are counted even when the work kills the process; a worker that
does not come back loses its claim, and a row that fails again and again goes to staff while its thread goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import cases, threads
from billing.cards import redact
from billing.store import inbox_queries, road_queries
from billing.store.inbox_queries import Outcome
from billing.store.tables import Conversation, Inbox, Outbox

LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 6
FIRST_BACKOFF = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Claimed:
    inbox_id: int
    kind: str
    thread: str
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """What a patient's message says; empty for anything else."""
        return str(self.payload.get("body", "")) if self.kind == "message" else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be accepted. ``kind``: message, receipt, processor, event."""

    practice_id: str
    source: str
    external_id: str
    kind: str
    thread: str
    payload: Mapping[str, Any] = field(repr=False)
    at: datetime


def accept(session: Session, practice_id: str, source: str, external_id: str, kind: str, thread: str,
           payload: Mapping[str, Any], now: datetime) -> bool:
    """Keep what arrived; False when the same was accepted before."""
    return accept_one(session, Entry(practice_id, source, external_id, kind, thread, payload, now))


def accept_one(session: Session, entry: Entry) -> bool:
    """As ``accept``: waits for its turn in its thread."""
    inbox_queries.lock_thread(session, entry.thread)
    return accept_all(session, (entry,)) == ["kept"]


def accept_all(session: Session, entries: Sequence[Entry]) -> list[Outcome]:
    """Keep each that was not accepted before; say what became of each, in their order. What is "busy" is to be given
    to ``accept_one``: another transaction is adding to its thread.

    A card number in a message's ``body`` is cut out before it is stored anywhere, and ``card_number`` says so (T-52).
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in entries:
        rows.setdefault((one.source, one.external_id), _row(one))
    outcomes = dict(zip(rows, inbox_queries.add(session, [*rows.values()]), strict=True))
    told = []
    for one in entries:
        key = one.source, one.external_id
        told.append(outcomes[key])
        if outcomes[key] == "kept":
            outcomes[key] = "known"
    return told


def _row(one: Entry) -> dict[str, Any]:
    return {"practice_id": one.practice_id, "source": one.source, "external_id": one.external_id, "kind": one.kind,
            "thread": one.thread, "payload": _without_cards(one.payload), "received_at": one.at}


def accept_news(session: Session, at: Conversation | Outbox, kind: str, external_id: str, now: datetime,
                data: Mapping[str, Any] | None = None, **more: Any) -> bool:
    """Put an event of our own into the lane of a conversation (or of a message's), to be answered in its turn.

    False when it was put there before. ``data``: what its words tell; ``more``: what says whether it still counts.
    """
    talk_id = at.id if isinstance(at, Conversation) else at.conversation_id
    return accept(session, at.practice_id, "event", external_id, "event",
                  threads.of_hash(at.practice_id, at.channel, at.address_hash),
                  {"kind": kind, "conversation_id": talk_id, "data": dict(data or {}), **more}, now)


def _without_cards(payload: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(payload)
    if isinstance(kept.get("body"), str):
        redacted = redact(kept["body"])
        kept["body"] = redacted.text
        kept["card_number"] = redacted.found or bool(kept.get("card_number"))
    return kept


def claim(session: Session, worker: str, now: datetime, limit: int = 10) -> list[Claimed]:
    """Take the oldest due row of up to ``limit`` threads for ``LEASE``; commit before working them."""
    taken = []
    for row in road_queries.claimable_inbox(session, now, limit):
        row.attempts += 1
        if row.attempts > MOST_ATTEMPTS:
            _give_up(session, row, "its worker died each time", now)
            continue
        row.status, row.claimed_by, row.claimed_until = "working", worker, now + LEASE
        taken.append(Claimed(row.id, row.kind, row.thread, row.payload))
    return taken


def take(session: Session, inbox_id: int, worker: str) -> Inbox | None:
    """Lock a claimed row for its work; None if the claim was lost meanwhile."""
    row = road_queries.lock_inbox(session, inbox_id)
    return row if row is not None and row.status == "working" and row.claimed_by == worker else None


def finish(row: Inbox, now: datetime, note: str = "") -> None:
    """Mark the row worked, in the same transaction as its work. ``note`` holds no PHI."""
    row.status, row.done_at, row.note = "done", now, note or None
    row.claimed_by = row.claimed_until = None


def fail(session: Session, inbox_id: int, worker: str, error: str, now: datetime) -> None:
    """Put a row back with growing patience; after MOST_ATTEMPTS a case for staff, and the thread goes on.

    ``error`` is the exception's type or a code, never its text: that may hold PHI.
    """
    row = take(session, inbox_id, worker)
    if row is None:
        return
    if row.attempts >= MOST_ATTEMPTS:
        _give_up(session, row, error, now)
        return
    row.status, row.note, row.due_at = "accepted", error, now + backoff(row.attempts)
    row.claimed_by = row.claimed_until = None


def backoff(attempts: int) -> timedelta:
    """5, 10, 20 ... seconds, at most an hour."""
    doublings = min(max(attempts - 1, 0), 12)
    return min(FIRST_BACKOFF * (1 << doublings), timedelta(hours=1))


def release_expired(session: Session, now: datetime) -> int:
    """Hand rows of vanished workers back; return how many."""
    rows = road_queries.expired_inbox(session, now)
    for row in rows:
        row.status, row.due_at = "accepted", now
        row.claimed_by = row.claimed_until = None
    return len(rows)


def _give_up(session: Session, row: Inbox, error: str, now: datetime) -> None:
    row.status, row.done_at, row.note = "failed", now, error
    row.claimed_by = row.claimed_until = None
    cases.open_case(
        session, row.practice_id, kind="inbox_failed", title="A message could not be processed",
        detail=f"inbox {row.id} ({row.kind} from {row.source}) failed {MOST_ATTEMPTS} times: {error}",
        now=now, dedupe=f"inbox_failed:{row.id}")
