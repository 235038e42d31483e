"""SQL of token links."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from billing.store.prepared import Query, given, prepared
from billing.store.tables import Link


def add(session: Session, row: Link) -> None:
    session.add(row)
    session.flush()


class LinkView(NamedTuple):
    """What a link was made for, and how it stands; the attributes of Link."""

    practice_id: str
    guarantor_id: str
    purpose: str
    object_id: str
    expires_at: datetime
    tries: int
    revoked_at: datetime | None = None


@prepared
def _by_hash() -> Query:
    return select(*(getattr(Link, name) for name in LinkView._fields)).where(Link.token_hash == given("token_hash"))


def by_hash(session: Session, token_hash: str) -> LinkView | None:
    row = _by_hash.first(session, token_hash=token_hash)
    return LinkView._make(row) if row else None


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
