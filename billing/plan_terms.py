"""The terms of an instalment plan as data: what is offered, agreed to, kept and shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Collects = Literal["autopay", "link"]

#: From this many instalments on, a written agreement is credit under Regulation Z; a down payment does not count
#: (12 CFR 1026.2(a)(17)(i), T-47).
DISCLOSED_FROM = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment: ``number`` 0 is the deposit, the others count from 1. ``amount_minor`` in cents."""

    number: int
    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What is owed of ``visits`` ((visit id, cents)), spread over ``parts`` of the same sum. ``days`` are the days of
    the month that were asked for ((31,), (1, 15)); empty for weeks.
    """

    interval: str  # week, two_weeks, twice_month, month
    days: tuple[int, ...]
    parts: tuple[Part, ...]
    visits: tuple[tuple[str, int], ...]

    @property
    def total_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts)

    @property
    def deposit_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts if part.number == 0)

    @property
    def instalments(self) -> tuple[Part, ...]:
        """Without the deposit."""
        return tuple(part for part in self.parts if part.number > 0)

    @property
    def most_minor(self) -> int:
        """The largest single amount: what an authorization never lets a charge go above (T-48)."""
        return max(part.amount_minor for part in self.parts)

    @property
    def needs_disclosures(self) -> bool:
        return len(self.instalments) >= DISCLOSED_FROM


@dataclass(frozen=True, slots=True)
class PlanTerms(Spread):
    """What is signed. ``replaces`` is the plan that ends when this one begins."""

    collects: Collects = "link"
    method_id: str | None = None
    replaces: str | None = None
