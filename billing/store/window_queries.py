"""SQL of the carrier's caps: how much has left in a window, counted by whoever sends, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from billing.store.tables import ContactPoint, SendWindow


def used(session: Session, key: str, window_at: datetime) -> int:
    found = session.scalar(select(SendWindow.used).where(SendWindow.key == key, SendWindow.window_at == window_at))
    return found or 0


def take(session: Session, practice_id: str, key: str, window_at: datetime, amount: int, limit: int | None) -> bool:
    """Count ``amount`` more if that stays within ``limit`` (None: count whatever it comes to); False when it does not.

    One statement, so that no two workers get the last place; the loser waits for the winner's commit and then sees it.
    """
    if limit is not None and amount > limit:
        return False
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    made = insert(SendWindow).values(key=key, window_at=window_at, practice_id=practice_id, used=amount)
    counted = made.on_conflict_do_update(
        index_elements=[SendWindow.key, SendWindow.window_at], set_={"used": SendWindow.used + amount},
        where=(SendWindow.used + amount <= limit) if limit is not None else None).returning(SendWindow.used)
    return session.execute(counted).first() is not None


def give_back(session: Session, key: str, window_at: datetime, amount: int) -> None:
    session.execute(update(SendWindow).where(SendWindow.key == key, SendWindow.window_at == window_at)
                    .values(used=SendWindow.used - amount))


def carriers(session: Session, practice_id: str, address_hash: str) -> Sequence[str]:
    """What is on record of a number's carrier, on every account that has it."""
    return session.scalars(select(ContactPoint.carrier).where(
        ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash).distinct()).all()
