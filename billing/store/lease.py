"""Leases: a name that one owner holds until an instant. Times come in; the database's clock is never asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from billing.store.tables import Lease


def acquire(session: Session, name: str, owner: str, until_at: datetime, now: datetime) -> bool:
    """Take or renew the lease; False while another owner's has not run out. One statement, so no two can win."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    made = insert(Lease).values(name=name, owner=owner, until_at=until_at)
    taken = made.on_conflict_do_update(
        index_elements=[Lease.name], set_={"owner": made.excluded.owner, "until_at": made.excluded.until_at},
        where=or_(Lease.owner == owner, Lease.until_at <= now)).returning(Lease.name)
    return session.execute(taken).first() is not None


def hold(session: Session, name: str, owner: str, until_at: datetime) -> None:
    """Set the lease whoever has it."""
    session.merge(Lease(name=name, owner=owner, until_at=until_at))
    session.flush()


def drop(session: Session, name: str, owner: str | None = None) -> bool:
    """Give the lease up (only ``owner``'s when given); False if there was none."""
    found = delete(Lease).where(Lease.name == name).returning(Lease.name)
    return session.execute(found if owner is None else found.where(Lease.owner == owner)).first() is not None
