"""SQL of passkeys and security keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Passkey


def of(session: Session, staff_id: str) -> Sequence[Passkey]:
    """Somebody's keys, oldest first."""
    return session.scalars(select(Passkey).where(Passkey.staff_id == staff_id)
                           .order_by(Passkey.created_at, Passkey.id)).all()


def named(session: Session, practice_id: str, passkey_id: str) -> Passkey | None:
    return session.scalar(select(Passkey).where(Passkey.practice_id == practice_id, Passkey.id == passkey_id))


def by_credential(session: Session, credential_id: str) -> Passkey | None:
    return session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def add(session: Session, row: Passkey) -> None:
    session.add(row)
    session.flush()


def remove(session: Session, row: Passkey) -> None:
    session.delete(row)
    session.flush()
