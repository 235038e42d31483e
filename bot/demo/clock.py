"""The demo's clock: starts at a chosen instant, runs on by itself, can be moved ahead and can be held."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class DemoClock:
    """A clock that runs on from ``start`` and never goes back. Held, it moves only when told: what is played then comes
    out the same on a slow machine.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._began_ns = time.monotonic_ns()
        self._skipped = timedelta()
        self._held: datetime | None = None

    def now(self) -> datetime:
        if self._held is not None:
            return self._held
        elapsed = timedelta(microseconds=(time.monotonic_ns() - self._began_ns) // 1000)
        return self._start + self._skipped + elapsed

    def timestamp(self) -> float:
        """The same instant as the stand-ins count it: seconds since 1970."""
        return self.now().timestamp()

    def hold(self) -> None:
        """Stand still at the next whole minute."""
        self._held = self.now().replace(second=0, microsecond=0) + timedelta(minutes=1)

    def move_to(self, instant: datetime) -> None:
        """Jump ahead to ``instant``; an earlier one changes nothing."""
        if self._held is not None:
            self._held = max(self._held, instant.astimezone(UTC))
            return
        ahead = instant - self.now()
        if ahead > timedelta():
            self._skipped += ahead
