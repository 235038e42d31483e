"""What a measurement yields, and how a rate is taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report."""

    what: str
    value: float
    unit: str


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
