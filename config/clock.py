"""Where the time comes from. Everything below the edge gets it as an argument and never asks for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StartedClock:
    """A clock that stood at ``start`` when it was made and has run at ordinary speed since (PLAINBILL_CLOCK)."""

    start: datetime
    began_ns: int

    def now(self) -> datetime:
        return self.start + timedelta(microseconds=(time.monotonic_ns() - self.began_ns) // 1000)


def make_clock(start: datetime | None) -> Clock:
    """Return the system's clock, or one that runs on from ``start``. Raises ValueError for a naive ``start``."""
    if start is None:
        return SystemClock()
    if start.tzinfo is None:
        raise ValueError("a clock needs an instant with its zone, such as 2026-11-03T10:00:00-05:00")
    return StartedClock(start.astimezone(UTC), time.monotonic_ns())
