"""SQL of the carrier's caps: how much has left in a window, counted by whoever sends, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.prepared import Query, given, prepared
from billing.store.tables import ContactPoint, SendWindow


@prepared
def _used() -> Query:
    return select(SendWindow.used).where(SendWindow.key == given("name"), SendWindow.window_at == given("at"))


def used(session: Session, key: str, window_at: datetime) -> int:
    found = _used(session, name=key, at=window_at)
    return int(found[0][0]) if found else 0


_TAKE = """
INSERT INTO send_windows (key, window_at, practice_id, used) VALUES (?, ?, ?, ?)
ON CONFLICT (key, window_at) DO UPDATE SET used = send_windows.used + excluded.used{within} RETURNING used
"""
_TAKE_ALL = _TAKE.format(within="")
_TAKE_WITHIN = _TAKE.format(within=" WHERE send_windows.used + excluded.used <= ?")


def take(session: Session, practice_id: str, key: str, window_at: datetime, amount: int, limit: int | None) -> bool:
    """Count ``amount`` more if that stays within ``limit`` (None: count whatever it comes to); False when it does not.

    One statement, so that no two workers get the last place; the loser waits for the winner's commit and then sees it.
    """
    if limit is not None and amount > limit:
        return False
    row = driver.bound(session, cast(Table, SendWindow.__table__), {
        "key": key, "window_at": window_at, "practice_id": practice_id, "used": amount})
    found = driver.run(session, _TAKE_ALL, *row) if limit is None else driver.run(session, _TAKE_WITHIN, *row, limit)
    return bool(found)


def give_back(session: Session, key: str, window_at: datetime, amount: int) -> None:
    session.execute(update(SendWindow).where(SendWindow.key == key, SendWindow.window_at == window_at)
                    .values(used=SendWindow.used - amount))


def carriers(session: Session, practice_id: str, address_hash: str) -> Sequence[str]:
    """What is on record of a number's carrier, on every account that has it."""
    return session.scalars(select(ContactPoint.carrier).where(
        ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash).distinct()).all()
