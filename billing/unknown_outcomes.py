"""Messages that may or may not have left: never sent again on a guess (DESIGN.md, "Unknown outcomes").

The provider's delivery report usually settles them, because it carries our id. Failing that the provider is asked:
one match settles it; none in two look-ups ten minutes apart means it was not sent, and it goes back to the gate;
anything else, and every channel that cannot be asked, is for staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import cases, outbox
from billing.message_life import check_move
from billing.outbox import Order
from billing.store import road_queries
from billing.store.tables import Outbox

MOST_LOOKUPS = 2
APART = timedelta(minutes=10)
FIRST_AFTER = timedelta(minutes=1)
"""A provider lists a message a moment after it took it."""

_WITH_STAFF = 100


def due(session: Session, now: datetime, limit: int = 50) -> list[Order]:
    """Return what is to be looked up now."""
    rows = road_queries.unknown_messages(session, now, MOST_LOOKUPS, APART, FIRST_AFTER, limit)
    return [outbox.order_of(session, row) for row in rows]


def record_lookup(session: Session, outbox_id: str, provider_ids: Sequence[str], now: datetime) -> str:
    """Write down what the provider answered; return the message's state after it."""
    row = road_queries.lock_message(session, outbox_id)
    if row is None or row.status != "unknown":
        return row.status if row is not None else "gone"
    strangers = set(provider_ids) - road_queries.known_provider_ids(session, row.channel, list(provider_ids))
    row.lookups, row.looked_up_at = row.lookups + 1, now
    if len(strangers) == 1:
        row.provider_id = strangers.pop()
        _settle(row, "sent", now)
    elif strangers:
        _give_to_staff(session, row, f"the provider lists {len(strangers)} messages like it", now)
    elif row.lookups >= MOST_LOOKUPS:
        _settle(row, "queued", now)
    return row.status


def give_to_staff(session: Session, outbox_id: str, why: str, now: datetime) -> None:
    """No machine can find out about this one."""
    row = road_queries.lock_message(session, outbox_id)
    if row is not None and row.status == "unknown":
        _give_to_staff(session, row, why, now)


def settle_by_staff(session: Session, outbox_id: str, left: bool, now: datetime) -> None:
    """A person found out: it left (``sent``) or it did not (``failed``; they may write anew). Raises IllegalMove."""
    row = road_queries.lock_message(session, outbox_id)
    if row is None:
        raise LookupError("there is no such message")
    check_move(row.status, "sent" if left else "failed")
    _settle(row, "sent" if left else "failed", now)


def _settle(row: Outbox, status: str, now: datetime) -> None:
    outbox.move(row, status, now)
    if status == "queued":
        row.due_at = now


def _give_to_staff(session: Session, row: Outbox, why: str, now: datetime) -> None:
    row.lookups = _WITH_STAFF
    cases.open_case(
        session, row.practice_id, kind="unknown_outcome", title="It is not known whether a message left", now=now,
        detail=f"message {row.id}: {why}. Look at the provider's log, then settle it; it is not sent again by itself.",
        dedupe=f"unknown_outcome:{row.id}", guarantor_id=row.guarantor_id, conversation_id=row.conversation_id)
