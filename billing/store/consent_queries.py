"""SQL of consents and contact points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from billing.store.tables import Consent, ContactPoint, Outbox

#: A first text in one of these states has surely not reached anybody, so the next one introduces again.
NOT_SENT = ("queued", "deferred", "withheld", "cancelled", "failed", "undelivered")


def add_event(session: Session, row: Consent) -> int:
    session.add(row)
    session.flush()
    return row.id


def add_events(session: Session, rows: Sequence[Consent]) -> None:
    session.add_all(rows)
    session.flush()


def events_of(session: Session, practice_id: str, channel: str, address_hash: str) -> Sequence[Consent]:
    """Every event of a number, oldest first."""
    return session.scalars(select(Consent).where(
        Consent.practice_id == practice_id, Consent.channel == channel,
        Consent.address_hash == address_hash).order_by(Consent.id)).all()


def messages_not_sent(session: Session, message_ids: Sequence[str]) -> set[str]:
    """Those of the messages that never left."""
    if not message_ids:
        return set()
    return set(session.scalars(select(Outbox.id).where(Outbox.id.in_(message_ids), Outbox.status.in_(NOT_SENT))))


def set_contact_status(session: Session, practice_id: str, address_hash: str, status: str,
                       guarantor_id: str | None = None) -> list[str]:
    """Mark a number on every account that has it (or on one); return those accounts."""
    where = [ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash]
    if guarantor_id is not None:
        where.append(ContactPoint.guarantor_id == guarantor_id)
    found = list(session.scalars(select(ContactPoint.guarantor_id).where(*where).distinct()))
    session.execute(update(ContactPoint).where(*where).values(status=status))
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
    rows = session.scalars(select(Outbox.id).where(
        Outbox.practice_id == practice_id, Outbox.address_hash == address_hash,
        Outbox.purpose == "stop_confirmation", Outbox.created_at >= since, Outbox.id != but_id,
        or_(Outbox.status.notin_(("withheld", "cancelled")), Outbox.status.is_(None))))
    return len(rows.all())
