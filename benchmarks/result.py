"""What a measurement yields, and how a rate is taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. ``at_least`` or ``at_most``: the bound that was promised for it, in the same unit."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> float | None:
        return self.at_least if self.at_least is not None else self.at_most

    @property
    def ratio(self) -> float | None:
        """The value over its bound."""
        return self.value / self.bound if self.bound else None

    @property
    def met(self) -> bool | None:
        """None: nothing was promised."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None


def rate(act: Callable[[], int], runs: int = 5) -> float:
    """Return how many a second, the median of ``runs``; ``act`` returns how many it did."""
    rates = []
    for _ in range(runs):
        began = time.perf_counter()
        done = act()
        rates.append(done / (time.perf_counter() - began))
    return statistics.median(rates)


def seconds(act: Callable[[], object], runs: int = 5) -> float:
    """Return the median duration of ``act``."""
    return 1 / rate(lambda: (act(), 1)[1], runs)
