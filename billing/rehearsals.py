"""A change tried out and taken back: what a preview shows is what the change itself would do, refusals included."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")


def rehearse(session: Session, work: Callable[[], T]) -> T:
    """Do ``work`` in a savepoint, take it all back, and return what it returned: plain values, no rows of the store.

    Raises what ``work`` raises, and then too nothing of it stays.
    """
    session.flush()  # what came before is none of the trial's
    trial = session.begin_nested()
    try:
        return work()
    finally:
        trial.rollback()
        session.expire_all()
