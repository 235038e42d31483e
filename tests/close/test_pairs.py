"""Which booking is which money: sure pairs only."""

from __future__ import annotations

from datetime import date

import pytest

from billing.closing_pairs import Expected, Line, Pair, business_days, names, pair

NOV = [date(2026, 11, day) if day else date(2026, 11, 1) for day in range(31)]


def line(line_id: str, day: int, amount: int, text: str = "DEPOSIT") -> Line:
    return Line(line_id, NOV[day], amount, text)


def test_weekends_and_holidays_are_no_days_of_a_bank() -> None:
    """From Tuesday the 10th to Thursday the 12th lies Veterans Day."""
    assert business_days(NOV[10], NOV[12]) == 1
    assert business_days(NOV[6], NOV[9]) == 1
    assert business_days(NOV[9], NOV[6]) == -1
    assert business_days(NOV[9], NOV[9]) == 0


@pytest.mark.parametrize(("text", "fits"), [
    ("HCCLAIMPMT AETNA TRN*1*882712345*1066033492~", True), ("ACH CREDIT 000882712345 AETNA", True),
    ("ACH CREDIT 1882712345", False), ("ACH", False)])
def test_a_trace_is_found_as_a_word_of_its_own(text: str, fits: bool) -> None:
    assert names(text, "882712345") is fits


def test_the_trace_beats_the_day_and_the_amount_has_to_fit() -> None:
    """An EFT weeks late is matched by its trace; the same trace with another amount is not."""
    wanted = Expected("remittance", "rem_1", 12_500, NOV[2], "882712345")
    assert pair([line("a", 27, 12_500, "HCCLAIMPMT 882712345")], [wanted]) == [Pair("a", "remittance", "rem_1", True)]
    assert pair([line("a", 27, 12_400, "HCCLAIMPMT 882712345")], [wanted]) == []


@pytest.mark.parametrize(("day", "matched"), [(5, True), (10, True), (12, False), (2, True), (1, False)])
def test_a_payout_is_matched_within_three_business_days(day: int, matched: bool) -> None:
    """Arrival on Thursday the 5th: Tuesday the 10th is the third business day after."""
    found = pair([line("a", day, 9_000)], [Expected("payout", "po_1", 9_000, NOV[5])])
    assert bool(found) is matched


def test_what_could_be_two_things_is_left_to_a_person() -> None:
    """A payout and an insurer's payment of the same amount and day: nothing is guessed."""
    both = [Expected("payout", "po_1", 9_000, NOV[5]), Expected("remittance", "rem_1", 9_000, NOV[5])]
    assert pair([line("a", 5, 9_000)], both) == []
    assert pair([line("a", 5, 9_000, "STRIPE TRANSFER")], both) == [Pair("a", "payout", "po_1", False)]
    assert pair([line("a", 5, 9_000, "CIGNA HCCLAIMPMT")], both) == [Pair("a", "remittance", "rem_1", False)]


def test_two_remittances_alike_are_left_to_a_person() -> None:
    two = [Expected("remittance", "rem_1", 9_000, NOV[5]), Expected("remittance", "rem_2", 9_000, NOV[5])]
    assert pair([line("a", 5, 9_000)], two) == []


def test_each_payout_is_taken_once() -> None:
    """Two payouts of the same amount take two lines, the nearest days first; a third line stays."""
    two = [Expected("payout", "po_1", 9_000, NOV[3]), Expected("payout", "po_2", 9_000, NOV[5])]
    found = pair([line("a", 5, 9_000), line("b", 3, 9_000), line("c", 6, 9_000)], two)
    assert {(p.line_id, p.ref) for p in found} == {("b", "po_1"), ("a", "po_2")}


def test_money_going_out_is_no_money_coming_in() -> None:
    assert pair([line("a", 5, -9_000)], [Expected("payout", "po_1", 9_000, NOV[5])]) == []
