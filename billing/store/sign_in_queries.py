"""SQL of signing in: credentials, sessions and keys, each found by the keyed hash of its token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from billing.store.tables import ApiKey, Credential, SignIn, Staff


def credential_of(session: Session, staff_id: str) -> Credential | None:
    return session.get(Credential, staff_id)


def lock_credential(session: Session, staff_id: str) -> Credential | None:
    """The row, held until the end of the transaction: two tries at once are counted as two."""
    return session.scalar(select(Credential).where(Credential.staff_id == staff_id).with_for_update()
                          .execution_options(populate_existing=True))


def by_invite(session: Session, hashed: str) -> tuple[Credential, Staff] | None:
    row = session.execute(select(Credential, Staff).join(Staff, Staff.id == Credential.staff_id)
                          .where(Credential.invite_hash == hashed)).first()
    return (row[0], row[1]) if row is not None else None


def find(session: Session, hashed: str) -> tuple[SignIn, Staff] | None:
    """As it is by now, whatever this transaction has read of it before."""
    row = session.execute(select(SignIn, Staff).join(Staff, Staff.id == SignIn.staff_id)
                          .where(SignIn.token_hash == hashed).execution_options(populate_existing=True)).first()
    return (row[0], row[1]) if row is not None else None


def open_of(session: Session, staff_id: str, now: datetime) -> Sequence[SignIn]:
    return session.scalars(select(SignIn).where(
        SignIn.staff_id == staff_id, SignIn.ended_at.is_(None), SignIn.ends_at > now, SignIn.stage == "full")
        .order_by(SignIn.started_at)).all()


def end_all(session: Session, staff_id: str, why: str, now: datetime, but: str = "") -> int:
    """End every sign-in of one person, but for one; return how many ended."""
    open_ones = list(session.scalars(select(SignIn.token_hash).where(
        SignIn.staff_id == staff_id, SignIn.ended_at.is_(None), SignIn.token_hash != but)))
    session.execute(update(SignIn).where(SignIn.token_hash.in_(open_ones)).values(ended_at=now, ended_by=why))
    return len(open_ones)


def managers(session: Session, practice_id: str) -> int:
    """How many active managers could sign in."""
    return session.scalar(select(func.count()).select_from(Staff).join(Credential, Credential.staff_id == Staff.id)
                          .where(Staff.practice_id == practice_id, Staff.role == "manager", Staff.active,
                                 Credential.password_hash.is_not(None))) or 0


def key_by_hash(session: Session, hashed: str) -> ApiKey | None:
    return session.scalar(select(ApiKey).where(ApiKey.key_hash == hashed))


def keys_of(session: Session, practice_id: str) -> Sequence[ApiKey]:
    return session.scalars(select(ApiKey).where(ApiKey.practice_id == practice_id).order_by(ApiKey.made_at)).all()


def key_named(session: Session, practice_id: str, key_id: str) -> ApiKey | None:
    return session.scalar(select(ApiKey).where(ApiKey.practice_id == practice_id, ApiKey.id == key_id))


def add(session: Session, row: ApiKey | Credential | SignIn) -> None:
    session.add(row)
    session.flush()
