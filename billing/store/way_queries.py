"""SQL of the ways to reach an account: its numbers and addresses, in the order in which they were put on file."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import ContactPoint


def contacts(session: Session, guarantor_id: str) -> Sequence[ContactPoint]:
    return session.scalars(select(ContactPoint).where(ContactPoint.guarantor_id == guarantor_id)
                           .order_by(ContactPoint.created_at, ContactPoint.id)).all()


def contact_at(session: Session, guarantor_id: str, channel: str, address_hash: str) -> ContactPoint | None:
    return session.scalars(select(ContactPoint).where(
        ContactPoint.guarantor_id == guarantor_id, ContactPoint.channel == channel,
        ContactPoint.address_hash == address_hash)).one_or_none()
