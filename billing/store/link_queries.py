"""SQL of token links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from billing.store.tables import Link


def add(session: Session, row: Link) -> None:
    session.add(row)
    session.flush()


def by_hash(session: Session, token_hash: str) -> Link | None:
    return session.scalars(select(Link).where(Link.token_hash == token_hash)
                           .execution_options(populate_existing=True)).one_or_none()


def revoke_where(session: Session, now: datetime, *, token_hash: str | None = None, guarantor_id: str | None = None,
                 object_id: str | None = None) -> int:
    where: list[ColumnElement[bool]] = [Link.revoked_at.is_(None)]
    for column, value in ((Link.token_hash, token_hash), (Link.guarantor_id, guarantor_id),
                          (Link.object_id, object_id)):
        if value is not None:
            where.append(column == value)
    found = list(session.scalars(select(Link.token_hash).where(*where)))
    session.execute(update(Link).where(*where).values(revoked_at=now))
    return len(found)


def add_try(session: Session, token_hash: str) -> int:
    """Count a wrong answer behind the link; return how many there were."""
    session.execute(update(Link).where(Link.token_hash == token_hash).values(tries=Link.tries + 1))
    return session.scalar(select(Link.tries).where(Link.token_hash == token_hash)) or 0
