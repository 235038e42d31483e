"""Do the processor's books and the ledger say the same of a payment? Pure: sums of cents in, a verdict out.

Compared are all entries of the payment, of whatever day, against all that its transfers did to cash: an event that
came twice, late or not at all shows as different sums, whichever it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Entry(Protocol):
    """A line of the processor's books (bot/processors/base.py: EntryRow). Cents, signed as they move its balance."""

    @property
    def ref(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def source_ref(self) -> str: ...
    @property
    def payment_id(self) -> str | None: ...
    @property
    def payout_ref(self) -> str | None: ...
    @property
    def processor_ref(self) -> str: ...
    @property
    def refund_id(self) -> str | None: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def fee_minor(self) -> int: ...
    @property
    def net_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...


class CashMove(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def amount_minor(self) -> int: ...


#: Entries that belong to a payment; the others move money between the processor, the bank and nobody else.
OF_PAYMENTS = frozenset({"charge", "refund", "dispute", "dispute_reversal"})


@dataclass(frozen=True, slots=True)
class Sums:
    """Cents that came in for a payment, and cents that went back out; both positive."""

    in_minor: int
    out_minor: int

    @property
    def net_minor(self) -> int:
        return self.in_minor - self.out_minor


def booked(moves: Iterable[CashMove]) -> Sums:
    """What the ledger has. What a reversing row takes back counts against what it reverses: money that is only put
    to another visit has neither come in nor gone out.
    """
    came = gone = 0
    for move in moves:
        if move.code == "patient_payment":
            came += move.amount_minor
        else:
            gone -= move.amount_minor
    return Sums(came, gone)


def reported(entries: Sequence[Entry]) -> Sums:
    """What the processor has, before its fees. A refund that failed comes back as a refund with the other sign. A bank
    debit that was turned down is taken out again under the charge's own name: it never came.
    """
    came = gone = 0
    charges = {entry.source_ref for entry in entries if entry.kind == "charge"}
    for entry in entries:
        turned_down = entry.kind == "refund" and entry.source_ref in charges
        if entry.kind in ("charge", "dispute_reversal") or turned_down:
            came += entry.amount_minor
        elif entry.kind in ("refund", "dispute"):
            gone -= entry.amount_minor
    return Sums(came, gone)


def agrees(theirs: Sequence[Entry], ours: Sums) -> bool:
    """Whether both sides say the same. A won dispute may stand on our side as money that came in again, as a giving
    back that was taken back, or partly as the one and partly as the other.
    """
    told = reported(theirs)
    won = sum(entry.amount_minor for entry in theirs if entry.kind == "dispute_reversal")
    return ours.net_minor == told.net_minor and told.in_minor - won <= ours.in_minor <= told.in_minor


def missing_money(theirs: Sequence[Entry], ours: Sums) -> int:
    """Cents that the processor's books have more than ours for the payment; below zero: we have more."""
    return reported(theirs).net_minor - ours.net_minor
