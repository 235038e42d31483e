"""A naive model of the books: plain sums, one dictionary per visit, no accounts and no database.

What is open does not depend on settlement, so the model knows nothing of credit: a payment is just money received.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Slot = tuple[str, int]  # (visit, rank of the payer; 0 the patient)


@dataclass
class Payer:
    status: str = "pending"


@dataclass
class Answer:
    rank: int
    paid: int
    reduced: int
    shared: int
    denied: int
    charge: int
    deltas: dict[Slot, int]
    reversed_by: str = ""
    undone: bool = False

    @property
    def stands(self) -> bool:
        return not (self.reversed_by or self.undone)


@dataclass
class Claim:
    charge: int
    payers: dict[int, Payer]
    charges: list[int]
    void: bool = False
    answers: list[Answer] = field(default_factory=list)

    def standing(self, rank: int) -> list[Answer]:
        return [a for a in self.answers if a.rank == rank and a.stands]


@dataclass
class Run:
    deltas: dict[Slot, int] = field(default_factory=dict)
    forget: list[Callable[[], None]] = field(default_factory=list)  # what else an undo has to do

    def add(self, slot: Slot, amount: int) -> None:
        self.deltas[slot] = self.deltas.get(slot, 0) + amount


@dataclass
class Naive:
    claims: dict[str, Claim] = field(default_factory=dict)  # by visit id
    balances: dict[Slot, int] = field(default_factory=dict)
    cash: dict[str, int] = field(default_factory=dict)  # by guarantor
    runs: dict[str, Run] = field(default_factory=dict)

    def open_of(self, visit_id: str) -> int:
        return sum(amount for (visit, _), amount in self.balances.items() if visit == visit_id)

    def nothing(self, import_id: str) -> None:
        """A file that moved nothing of anybody's."""
        self.runs.setdefault(import_id, Run())

    def _add(self, run: Run, slot: Slot, amount: int) -> None:
        self.balances[slot] = self.balances.get(slot, 0) + amount
        run.add(slot, amount)

    def bill(self, import_id: str, visit_id: str, charge: int, payers: int, desk: int) -> None:
        run = self.runs.setdefault(import_id, Run())
        claim = self.claims[visit_id] = Claim(charge, {r: Payer() for r in range(1, payers + 1)}, [charge])
        self._add(run, (visit_id, min(1, payers)), charge)
        self._add(run, (visit_id, 0), -desk)
        run.forget.append(lambda: _close(claim))

    def answer(self, import_id: str, visit_id: str, rank: int, paid: int, reduced: int, shared: int,
               denied: int = 0) -> None:
        """A payer without a standing answer answers: a later one only up to what is left with it."""
        run, claim = self.runs.setdefault(import_id, Run()), self.claims[visit_id]
        if any(r < rank and payer.status == "pending" for r, payer in claim.payers.items()):
            return  # out of turn: its payment waits in suspense
        before = dict(run.deltas)
        left = self.balances.get((visit_id, rank), 0) if rank > 1 else None
        parts = []
        for amount in (paid, shared, reduced):
            part = amount if left is None else min(amount, max(left, 0))
            left = None if left is None else left - part
            parts.append(part)
        self._add(run, (visit_id, rank), -sum(parts))
        self._share(run, visit_id, rank, parts[1])
        claim.payers[rank].status = "answered"
        answer = Answer(rank, paid, reduced, shared, denied, claim.charge, _difference(run.deltas, before))
        claim.answers.append(answer)
        run.forget.append(lambda: _forget(claim, answer))

    def _share(self, run: Run, visit_id: str, rank: int, rest: int) -> None:
        for later in sorted(r for r in self.claims[visit_id].payers if r > rank):
            balance = self.balances.get((visit_id, later), 0)
            pending = self.claims[visit_id].payers[later].status == "pending"
            part = rest if pending else min(rest, max(-balance, 0))
            if part:
                self._add(run, (visit_id, later), part)
                rest -= part
        self._add(run, (visit_id, 0), rest)

    def reverse(self, import_id: str, visit_id: str, answer: Answer) -> None:
        run, claim = self.runs.setdefault(import_id, Run()), self.claims[visit_id]
        for slot, amount in answer.deltas.items():
            self._add(run, slot, -amount)
        answer.reversed_by = import_id
        claim.payers[answer.rank].status = "pending"
        run.forget.append(lambda: _stand_again(claim, answer))

    def replace(self, import_id: str, visit_id: str, charge: int) -> None:
        run, claim = self.runs.setdefault(import_id, Run()), self.claims[visit_id]
        first = (visit_id, min(1, len(claim.payers)))
        self._add(run, first, charge - claim.charge)
        claim.charges.append(charge)
        claim.charge = charge
        for rank, payer in claim.payers.items():
            if rank == 1 or self.balances.get((visit_id, rank), 0):
                payer.status = "pending"
        run.forget.append(lambda: _uncharge(claim))

    def void(self, import_id: str, visit_id: str) -> None:
        run, claim = self.runs.setdefault(import_id, Run()), self.claims[visit_id]
        self._add(run, (visit_id, min(1, len(claim.payers))), -claim.charge)
        claim.void = True
        run.forget.append(lambda: _unvoid(claim))

    def undo(self, import_id: str) -> None:
        run = self.runs.pop(import_id)
        for slot, amount in run.deltas.items():
            self.balances[slot] -= amount
        for act in reversed(run.forget):
            act()


def _difference(after: dict[Slot, int], before: dict[Slot, int]) -> dict[Slot, int]:
    return {slot: amount - before.get(slot, 0) for slot, amount in after.items() if amount != before.get(slot, 0)}


def _restate(claim: Claim, rank: int) -> None:
    claim.payers[rank].status = "answered" if claim.standing(rank) else "pending"


def _close(claim: Claim) -> None:
    claim.void = True


def _forget(claim: Claim, answer: Answer) -> None:
    answer.undone = True
    _restate(claim, answer.rank)


def _stand_again(claim: Claim, answer: Answer) -> None:
    answer.reversed_by = ""
    _restate(claim, answer.rank)


def _uncharge(claim: Claim) -> None:
    claim.charges.pop()
    claim.charge = claim.charges[-1]
    for rank in claim.payers:
        _restate(claim, rank)


def _unvoid(claim: Claim) -> None:
    claim.void = False
    for rank in claim.payers:
        _restate(claim, rank)
