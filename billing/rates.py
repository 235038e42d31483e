"""How often one visitor may try a door, counted in the database: every web process counts together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing.store import window_queries
from billing.store.seal import blind


@dataclass(frozen=True, slots=True)
class Door:
    """``most`` tries of one visitor in any window of ``within``; ``most_of_all`` of everybody together, if set."""

    name: str
    most: int
    within: timedelta
    most_of_all: int | None = None


SIGN_IN = Door("signin", 20, timedelta(minutes=15), 1000)
CODE = Door("code", 20, timedelta(minutes=15), 1000)
#: Of wrong answers alone. There is no sum of all, which would let one visitor shut everybody out: a link closes itself.
LINK = Door("link", 30, timedelta(minutes=15))
CHECK = Door("check", 10, timedelta(minutes=10), 300)
HOOK = Door("hook", 60, timedelta(minutes=1))
API = Door("api", 600, timedelta(minutes=1))


def allows(session: Session, door: Door, practice_id: str, visitor: str, now: datetime) -> bool:
    """Count a try and tell whether it may go on. ``visitor`` (an address, a login) is kept as a keyed hash."""
    window_at = _window(door, now)
    if not window_queries.take(session, practice_id, _mine(door, visitor), window_at, 1, door.most):
        return False
    return door.most_of_all is None or window_queries.take(
        session, practice_id, f"{door.name}:all", window_at, 1, door.most_of_all)


def stands(session: Session, door: Door, visitor: str, now: datetime) -> bool:
    """Tell whether a try may go on without counting it: for doors where only what fails is counted (``allows``)."""
    window_at = _window(door, now)
    return (window_queries.used(session, _mine(door, visitor), window_at) < door.most
            and (door.most_of_all is None
                 or window_queries.used(session, f"{door.name}:all", window_at) < door.most_of_all))


def wait(door: Door, now: datetime) -> int:
    """Seconds until tries are counted anew."""
    return math.ceil((_window(door, now) + door.within - now).total_seconds())


def _mine(door: Door, visitor: str) -> str:
    return f"{door.name}:{blind('visitor', '', visitor)[:24]}"


def _window(door: Door, now: datetime) -> datetime:
    """When the window that ``now`` is in began; windows follow each other from the same instant for everybody."""
    return (now - timedelta(seconds=int(now.timestamp()) % int(door.within.total_seconds()))).replace(microsecond=0)
