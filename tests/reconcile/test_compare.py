"""Sums of both sides: which of them say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from billing.reconciling_compare import Sums, agrees, booked, missing_money, reported
from tests.reconcile.books import entry

AT = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Move:
    code: str
    amount_minor: int


def test_money_put_to_another_visit_neither_came_in_nor_went_out() -> None:
    """A reallocation takes a posting back and posts it anew: the sums stay."""
    moves = [Move("patient_payment", 5000), Move("patient_payment", -5000), Move("patient_payment", 5000)]
    assert booked(moves) == Sums(5000, 0)


def test_a_refund_that_failed_has_gone_nowhere() -> None:
    """A refund that comes back is a refund with the other sign, here and there."""
    rows = [entry("a", "charge", 5000, AT), entry("b", "refund", -2000, AT), entry("c", "refund", 2000, AT)]
    assert reported(rows) == Sums(5000, 0)
    assert booked([Move("patient_payment", 5000), Move("refund", -2000), Move("refund", 2000)]) == Sums(5000, 0)


def test_a_debit_that_was_turned_down_never_came() -> None:
    """Its bank takes it out again under the charge's own name; a refund has a name of its own and was money."""
    taken = entry("a", "charge", 5000, AT, source_ref="py_1")
    assert reported([taken, entry("b", "refund", -5000, AT, source_ref="py_1")]) == Sums(0, 0)
    assert reported([taken, entry("b", "refund", -5000, AT, source_ref="re_1")]) == Sums(5000, 5000)


@pytest.mark.parametrize("moves", [
    [Move("patient_payment", 5000), Move("refund", -5000), Move("patient_payment", 5000)],
    [Move("patient_payment", 5000), Move("refund", -5000), Move("refund", 5000)],
    [Move("patient_payment", 5000), Move("refund", -5000), Move("refund", 3000), Move("patient_payment", 2000)],
])
def test_a_won_dispute_may_stand_either_way(moves: list[Move]) -> None:
    """As money that came in again, as a giving back that was taken back, or as some of both: part of it went back
    twice, in another dispute of the same charge.
    """
    rows = [entry("a", "charge", 5000, AT), entry("b", "dispute", -5000, AT, fee_minor=1500),
            entry("c", "dispute_reversal", 5000, AT)]
    assert agrees(rows, booked(moves))


@pytest.mark.parametrize(("moves", "missing"), [
    ([], 5000), ([Move("patient_payment", 4000)], 1000), ([Move("patient_payment", 6000)], -1000),
    ([Move("patient_payment", 5000), Move("refund", -5000)], 5000),
])
def test_what_is_missing_is_told_to_the_cent(moves: list[Move], missing: int) -> None:
    rows = [entry("a", "charge", 5000, AT, fee_minor=175)]
    assert not agrees(rows, booked(moves))
    assert missing_money(rows, booked(moves)) == missing


def test_a_charge_and_its_refund_that_both_never_arrived_are_seen() -> None:
    """Their sum is nothing, and the ledger lacks both all the same."""
    assert not agrees([entry("a", "charge", 5000, AT), entry("b", "refund", -5000, AT)], booked([]))
