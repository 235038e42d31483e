"""Calls to a payment processor as rows: written down before they are made, repeated under one key, believed once.

Life: queued -> calling -> done | refused | unknown | not_made | staff. An unknown outcome repeats the same key and the
same content for 23 hours from the first call (Stripe forgets keys after 24), then our id is looked for, and the call is
never made again (DESIGN.md, "Unknown outcomes").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from billing import cases
from billing.ids import new_id
from billing.store import money_queries as store
from billing.store.tables import ProcessorCall

LEASE = timedelta(minutes=2)
KEY_LIFE = timedelta(hours=23)
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=1)
#: A request that was lost on the way may still arrive: only two fruitless look-ups so far apart prove anything.
BETWEEN_LOOKS = timedelta(minutes=10)
#: Kinds that may be repeated for ever without harm are given to staff after this.
GIVE_UP = timedelta(days=3)

#: Kinds that move money: never repeated once their key may be forgotten.
MOVES_MONEY = frozenset({"charge", "refund"})

LOOKED = "looked_up"

Act = Literal["call", "look_up"]


@dataclass(frozen=True, slots=True)
class Order:
    """One call to be made now. ``since``: when it was made first; ``first``: nothing of it can have taken effect yet;
    ``withheld``: the rule that forbids repeating it; ``looked``: a look-up found nothing since it was made last.
    """

    call_id: str
    practice_id: str
    kind: str
    object_id: str
    idempotency_key: str
    request: Mapping[str, Any]
    act: Act
    since: datetime
    first: bool
    withheld: str = ""
    looked: bool = False


def enqueue(session: Session, *, practice_id: str, kind: str, object_id: str, key: str, request: Mapping[str, Any],
            now: datetime) -> ProcessorCall:
    """Write a call down in the caller's transaction; the same key again returns the first row."""
    known = store.call_by_key(session, key)
    if known is not None:
        return known
    return store.add(session, ProcessorCall(
        id=new_id("call"), practice_id=practice_id, kind=kind, object_id=object_id, idempotency_key=key,
        request=dict(request), status="queued", attempts=0, due_at=now, created_at=now))


def due(session: Session, now: datetime, limit: int) -> list[str]:
    """Ids of calls whose time has come, those of vanished workers included, oldest first."""
    return [row.id for row in store.claimable_calls(session, now, limit)]


def claim(session: Session, worker: str, now: datetime, limit: int) -> list[str]:
    """Take up to ``limit`` due calls for LEASE; commit before working them."""
    rows = store.claimable_calls(session, now, limit)
    for row in rows:
        row.status, row.claimed_by, row.claimed_until = "calling", worker, now + LEASE
        row.attempts += 1
    return [row.id for row in rows]


def take(session: Session, call_id: str, worker: str) -> ProcessorCall | None:
    """Lock a claimed call; None if the claim was lost meanwhile."""
    row = store.lock_call(session, call_id)
    return row if row is not None and row.status == "calling" and row.claimed_by == worker else None


def begin(row: ProcessorCall, now: datetime, *, withheld: str = "", extra: Mapping[str, Any] | None = None) -> Order:
    """Say what is to be done with a claimed call, and note that it is being done; commit before doing it.

    ``extra`` completes the request the first time; a repeat must send the same.
    """
    uncertain = row.first_called_at is not None
    if not uncertain and extra:
        row.request = {**row.request, **extra}
    row.first_called_at = since = row.first_called_at or now
    old = row.kind in MOVES_MONEY and now - since >= KEY_LIFE
    act: Act = "look_up" if old or (uncertain and withheld) else "call"
    looked = act == "look_up" and row.code == LOOKED
    if act == "call":
        row.code = None
    return Order(row.id, row.practice_id, row.kind, row.object_id, row.idempotency_key, dict(row.request), act, since,
                 not uncertain, withheld, looked)


def is_uncertain(row: ProcessorCall) -> bool:
    """Whether an earlier call of this row may have taken effect."""
    return row.first_called_at is not None


def finish(row: ProcessorCall, now: datetime, *, ref: str = "", status: str = "done", code: str = "") -> None:
    """The outcome is known: done, refused, not_made or staff."""
    row.status, row.settled_at = status, now
    row.result_ref, row.code = ref or row.result_ref, code[:200] or row.code
    row.claimed_by = row.claimed_until = None


def put_back(row: ProcessorCall, order: Order, kind: str, code: str, now: datetime) -> None:
    """It came to no outcome and is tried again. ``kind`` as ProcessorError's: retry and configuration say that nothing
    happened, so that a first call leaves no doubt behind.
    """
    if order.first and kind in {"retry", "configuration"}:
        row.first_called_at = None
    row.status = "unknown" if is_uncertain(row) else "queued"
    row.due_at, row.code = now + backoff(row.attempts), code[:200]
    row.claimed_by = row.claimed_until = None


def look_again(row: ProcessorCall, now: datetime) -> None:
    """Our id was looked for and not found; it is looked for once more before that is believed."""
    row.status, row.code, row.due_at = "unknown", LOOKED, now + BETWEEN_LOOKS
    row.claimed_by = row.claimed_until = None


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 ... minutes, at most an hour."""
    return min(FIRST_BACKOFF * (1 << min(max(attempts - 1, 0), 10)), LONGEST_BACKOFF)


def is_hopeless(row: ProcessorCall, now: datetime) -> bool:
    """Whether a call that moves no money has been tried long enough for a person to look."""
    return row.kind not in MOVES_MONEY and now - row.created_at >= GIVE_UP


def call_staff(session: Session, row: ProcessorCall, kind: str, title: str, now: datetime,
               guarantor_id: str | None = None) -> None:
    """Open a case about a call, once. Its detail holds codes and our ids alone."""
    once = "" if kind == "processor_configuration" else f":{row.id}"
    cases.open_case(
        session, row.practice_id, kind=kind, title=title, detail=f"{row.kind} of {row.object_id}: {row.code}", now=now,
        dedupe=f"{kind}{once}", guarantor_id=guarantor_id)
