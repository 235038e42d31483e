"""Gapless numbers per practice. The counter's row stays locked until the commit, which is what makes them gapless."""

from __future__ import annotations

from typing import cast

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from billing.store.tables import Counter


def lock_counter(session: Session, practice_id: str, name: str) -> int:
    """Take the counter for this transaction and return the last number given."""
    return _add(session, practice_id, name, 0)


def next_number(session: Session, practice_id: str, name: str) -> int:
    return _add(session, practice_id, name, 1)


def skip_to(session: Session, practice_id: str, name: str, number: int) -> None:
    """Give no number up to this one: outside they are known as somebody else's. Never goes back."""
    known = lock_counter(session, practice_id, name)
    if number > known:
        _add(session, practice_id, name, number - known)


def take_back(session: Session, practice_id: str, name: str) -> int:
    """Give the last number again: what it was given to is no more, and nobody outside has heard of it."""
    return _add(session, practice_id, name, -1)


def _add(session: Session, practice_id: str, name: str, step: int) -> int:
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    change = make(Counter).values(practice_id=practice_id, name=name, value=step)
    change = change.on_conflict_do_update(index_elements=[Counter.practice_id, Counter.name],
                                          set_={"value": Counter.value + step})
    return cast(int, session.scalar(change.returning(Counter.value), execution_options={"populate_existing": True}))
