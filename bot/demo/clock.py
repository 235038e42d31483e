"""The demo's clock: starts at a chosen instant, runs on by itself, and can be moved to the next morning."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class DemoClock:
    """A clock that runs on from ``start`` and never goes back."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._began_ns = time.monotonic_ns()
        self._skipped = timedelta()

    def now(self) -> datetime:
        elapsed = timedelta(microseconds=(time.monotonic_ns() - self._began_ns) // 1000)
        return self._start + self._skipped + elapsed

    def timestamp(self) -> float:
        """The same instant as the stand-ins count it: seconds since 1970."""
        return self.now().timestamp()

    def move_to(self, instant: datetime) -> None:
        """Jump ahead to ``instant``; an earlier one changes nothing."""
        ahead = instant - self.now()
        if ahead > timedelta():
            self._skipped += ahead
