"""SQL of consents and contact points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, func, select, update
from sqlalchemy.orm import Session

from billing.contact_status import ENDED, WRONG_NUMBER
from billing.store import driver
from billing.store.prepared import given, prepared
from billing.store.tables import Consent, ContactPoint, Outbox

#: A first text in one of these states has surely not reached anybody, so the next one introduces again.
NOT_SENT = ("queued", "deferred", "withheld", "cancelled", "failed", "undelivered")


def add_event(session: Session, row: Consent) -> int:
    session.add(row)
    session.flush()
    return row.id


def add_events(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows of Consent, each by the names of its columns."""
    driver.insert(session, cast(Table, Consent.__table__), rows)


def events_of(session: Session, practice_id: str, channel: str, address_hash: str) -> Sequence[Consent]:
    """Every event of a number, oldest first."""
    return session.scalars(select(Consent).where(
        Consent.practice_id == practice_id, Consent.channel == channel,
        Consent.address_hash == address_hash).order_by(Consent.id)).all()


class Said(NamedTuple):
    """A consent event as what holds is derived from it."""

    id: int
    guarantor_id: str | None
    event: str
    purpose: str
    wording: str
    medium: str
    recorded_by: str
    message_id: str | None
    at: datetime


@prepared
def _said() -> Select[Any]:
    return select(*(getattr(Consent, name) for name in Said._fields)).where(
        Consent.practice_id == given("practice_id"), Consent.channel == given("channel"),
        Consent.address_hash == given("address_hash")).order_by(Consent.id)


def said(session: Session, practice_id: str, channel: str, address_hash: str) -> list[Said]:
    """As ``events_of``, without the rows themselves."""
    return [Said._make(row) for row in _said(session, practice_id=practice_id, channel=channel,
                                             address_hash=address_hash)]


def messages_not_sent(session: Session, message_ids: Sequence[str]) -> set[str]:
    """Those of the messages that never left."""
    if not message_ids:
        return set()
    return set(session.scalars(select(Outbox.id).where(Outbox.id.in_(message_ids), Outbox.status.in_(NOT_SENT))))


def set_contact_status(session: Session, practice_id: str, address_hash: str, status: str,
                       guarantor_id: str | None = None, where: str = "") -> list[str]:
    """Mark a number on every account that has it (or on one); return those accounts. One that an account has no more
    stays ended, unless it is somebody else's. ``where``: only what has this status.
    """
    which = [ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash]
    if guarantor_id is not None:
        which.append(ContactPoint.guarantor_id == guarantor_id)
    if where:
        which.append(ContactPoint.status == where)
    elif status != WRONG_NUMBER:
        which.append(ContactPoint.status != ENDED)
    found = list(session.scalars(select(ContactPoint.guarantor_id).where(*which).distinct()))
    session.execute(update(ContactPoint).where(*which).values(status=status))
    return found


def guarantors_on(session: Session, practice_id: str, address_hash: str) -> list[str]:
    """Every account that has the number, on whatever channel, in order of ids (the lock order)."""
    return list(session.scalars(select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash)
        .distinct().order_by(ContactPoint.guarantor_id)))


def contact_statuses(session: Session, practice_id: str, address_hash: str, guarantor_id: str | None) -> set[str]:
    where = [ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash]
    if guarantor_id is not None:
        where.append(ContactPoint.guarantor_id == guarantor_id)
    return set(session.scalars(select(ContactPoint.status).where(*where)))


def confirmations_since(session: Session, practice_id: str, address_hash: str, since: datetime, but_id: str) -> int:
    """STOP confirmations put on the road since ``since``, other than message ``but_id``."""
    (count,), = _confirmations_since(session, practice_id=practice_id, address_hash=address_hash, since=since,
                                     but_id=but_id)
    return int(count)


@prepared
def _confirmations_since() -> Select[Any]:
    return select(func.count()).where(
        Outbox.practice_id == given("practice_id"), Outbox.address_hash == given("address_hash"),
        Outbox.purpose == "stop_confirmation", Outbox.created_at >= given("since"), Outbox.id != given("but_id"),
        Outbox.status.notin_(("withheld", "cancelled")))
