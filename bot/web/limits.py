"""How often one visitor, and all together, may ask something that is answered without proof. In memory, per process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_VISITORS = 10_000
"""Kept in mind at a time; a flood of addresses must not fill the memory, the common limit stops it anyway."""


@dataclass
class Limiter:
    """``most`` questions of one visitor and ``most_of_all`` together in any ``within``."""

    most: int = 10
    most_of_all: int = 300
    within: timedelta = timedelta(minutes=10)
    _of: dict[str, deque[datetime]] = field(default_factory=dict)
    _all: deque[datetime] = field(default_factory=deque)

    def allows(self, visitor: str, now: datetime) -> bool:
        """Count a question and tell whether it may be answered."""
        if visitor not in self._of and len(self._of) >= MOST_VISITORS:
            self._of.clear()
        mine = self._of.setdefault(visitor, deque())
        for asked in (mine, self._all):
            while asked and now - asked[0] >= self.within:
                asked.popleft()
        if len(mine) >= self.most or len(self._all) >= self.most_of_all:
            return False
        mine.append(now)
        self._all.append(now)
        return True
