"""The money of the reports worked out anew: every transfer read into a list, plain loops, no SQL beyond that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import LedgerAccount, OpeningVisit, Transfer, Visit
from tests.payments.world import PRACTICE


@dataclass(frozen=True)
class Move:
    """A transfer seen from one of its two accounts: above zero raises it."""

    account: str
    other: str
    on: date
    minor: int


@dataclass(frozen=True)
class Care:
    id: str
    service_on: date | None
    ended_on: date | None
    stated_on: date | None
    void: bool
    taken_over: bool
    moves: tuple[Move, ...]

    def balance(self, kind: str, to_on: date) -> int:
        return sum(m.minor for m in self.moves if kind_of(m.account) == kind and m.on <= to_on)

    def payer_accounts(self) -> set[str]:
        return {m.account for m in self.moves if kind_of(m.account) == "payer"}


def kind_of(account: str) -> str:
    return account.split(":", maxsplit=1)[0]


def read(session: Session) -> tuple[list[Care], list[Move]]:
    """(visits with their moves, every move of every account)."""
    keys = {row.id: row for row in session.scalars(select(LedgerAccount).where(LedgerAccount.practice_id == PRACTICE))}
    taken_over = set(session.scalars(select(OpeningVisit.visit_id)))
    of_visit: dict[str, list[Move]] = defaultdict(list)
    every: list[Move] = []
    for row in session.scalars(select(Transfer).where(Transfer.practice_id == PRACTICE)):
        for own, other, sign in ((row.debit_id, row.credit_id, 1), (row.credit_id, row.debit_id, -1)):
            move = Move(keys[own].key, keys[other].key, row.effective_on, sign * row.amount_minor)
            every.append(move)
            visit_id = keys[own].visit_id
            if visit_id is not None:
                of_visit[visit_id].append(move)
    visits = [Care(v.id, v.service_from_on, v.service_to_on, v.first_statement_on,
                   v.void, v.id in taken_over, tuple(of_visit[v.id]))
              for v in session.scalars(select(Visit).where(Visit.practice_id == PRACTICE))]
    return visits, every


def bucket(day: date | None, to_on: date) -> str:
    if day is None or day > to_on:
        return "none"
    age = (to_on - day).days
    for name, last in (("0-30", 30), ("31-60", 60), ("61-90", 90), ("91-120", 120)):
        if age <= last:
            return name
    return "121+"


def points(part: int, whole: int) -> int | None:
    """Basis points, half up, by exact fractions."""
    if whole <= 0:
        return None
    exact = Fraction(part * 10_000, whole)
    return int((exact + Fraction(1, 2)).__floor__())


def net(every: Sequence[Move], account: str, other: str, first: date | None, last: date) -> int:
    """What accounts of one kind gained from those of another."""
    return sum(m.minor for m in every if kind_of(m.account) == account and kind_of(m.other) == other
               and m.on <= last and (first is None or m.on >= first))
