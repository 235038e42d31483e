"""What happened in a simulated life, in order, as those who were there saw it: the judge reads nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Fact:
    """``kind`` and what belongs to it (plan_years_judge.py names them all); ``on`` is the practice-local day."""

    at: datetime
    on: date
    kind: str
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class Story:
    """One customer's. ``luck``: so many of a hundred charges go through; ``pays``: how likely they pay a link."""

    name: str
    account_id: str
    conversation_id: str
    phone: str
    method_kind: str
    luck: tuple[int, int]
    pays: float
    visits: dict[str, int]  # cents charged, by visit
    facts: list[Fact] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)
    acts: list[tuple[date, str]] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    draws: int = 0


@dataclass(frozen=True)
class Settled:
    """How the program says a plan stands at the end, and what its visits owe by the transfers alone."""

    plan: str
    status: str
    ended_on: date | None
    reason: str
    interval: str
    days: tuple[int, ...]
    collects: str
    total_minor: int
    parts: tuple[tuple[int, date, int, int, int, str], ...]  # number, due, asks, agreed, paid, status
    owed_minor: int  # of the customer's visits now
    credit_minor: int
    ended_at: datetime | None

@dataclass
class Card:
    """``luck``: of a hundred charges so many go through, and so many of the others are refused for good."""

    ref: str
    customer: str
    kind: str
    last4: str
    luck: tuple[int, int]
    dead: str = ""  # the code with which it is refused from now on


@dataclass
class Taken:
    """One charge as the bank knows it; amounts in cents."""

    ref: str
    payment_id: str
    customer: str
    amount_minor: int
    made_at: datetime
    tender: str
    status: str  # processing, paid, failed, cancelled
    reason: str = ""
    session_ref: str = ""
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # our id -> (ref, cents, made or failed)
    dispute: str = ""  # open, won, lost, returned

    @property
    def refunded_minor(self) -> int:
        return sum(minor for _, minor, state in self.refunds.values() if state == "made")


@dataclass(frozen=True)
class Moved:
    """A line of the bank's book: money that came in (above zero) or went back."""

    at: datetime
    customer: str
    payment_id: str
    amount_minor: int
    what: str
    charge: str
    source: str
    refund_id: str | None = None
