"""SQL of contact points that end: who else has one, and whether anything ever went there."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from billing.contact_status import GONE
from billing.message_life import MAY_HAVE_LEFT
from billing.store.tables import ContactPoint, Outbox


def ever_told(session: Session, practice_id: str, address_hash: str) -> bool:
    """Whether a message may have arrived at the address."""
    return bool(session.scalar(select(exists().where(
        Outbox.practice_id == practice_id, Outbox.address_hash == address_hash,
        Outbox.status.in_(MAY_HAVE_LEFT)))))


def others_with(session: Session, practice_id: str, channel: str, address_hash: str, guarantor_id: str) -> bool:
    """Whether another account is reached at the address."""
    return bool(session.scalar(select(exists().where(
        ContactPoint.practice_id == practice_id, ContactPoint.channel == channel,
        ContactPoint.address_hash == address_hash, ContactPoint.guarantor_id != guarantor_id,
        ContactPoint.status.not_in(GONE)))))
