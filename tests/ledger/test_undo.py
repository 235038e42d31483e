"""`import --undo`: as if the file had never been given, except that patients' payments stay, as credit."""

from __future__ import annotations

import pytest

from billing.undoing import UndoRefused
from tests.ledger.books import Books
from tests.ledger.paper import HARBOR, LIGHT, Bill, Clp, claims, remittance

A1 = Bill("A1", [("99213", 15000), ("85025", 5000)])
BOTH = Bill("A1", A1.lines, payers=(HARBOR, LIGHT))
FIRST = Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)])
LOWER = Clp("A1", 12500, [("CO", "45", 6000), ("PR", "3", 1500)], pcn="P1C")


def test_undoing_a_remittance_gives_the_claim_back_to_its_payer(books: Books) -> None:
    books.bill(A1)
    done = books.pay("T1", FIRST, plb=[("L6", -50)])
    books.undo(done.import_id)
    assert books.stands("A1") == (20000, 0, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "pending")]
    assert (books.wide("payer_clearing"), books.wide("interest"), books.wide("contractual")) == (0, 0, 0)


def test_undo_then_import_again_ends_the_same(books: Books) -> None:
    books.bill(A1)
    done = books.pay("T1", FIRST)
    books.undo(done.import_id)
    books.give(remittance("T1", [FIRST]))
    assert books.stands("A1") == (0, 4000, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "answered")]


def test_undoing_charges_voids_the_visit_and_a_patients_payment_becomes_credit(books: Books) -> None:
    done = books.bill(Bill("A1", A1.lines, payers=()))
    books.desk("A1", 3000)
    books.undo(done.import_id)
    assert books.stands("A1") == (0, 0, 3000)
    assert books.visit("A1").void


def test_undoing_charges_and_importing_them_again_charges_once(lite: Books) -> None:
    done = lite.bill(A1)
    lite.undo(done.import_id)
    lite.bill(A1)
    assert lite.stands("A1") == (20000, 0, 0)


def test_an_import_that_others_built_on_is_undone_after_them(lite: Books) -> None:
    bills = lite.bill(A1)
    paid = lite.pay("T1", FIRST)
    with pytest.raises(UndoRefused, match="undo that first"):
        lite.undo(bills.import_id)
    lite.undo(paid.import_id)
    lite.undo(bills.import_id)
    assert lite.stands("A1") == (0, 0, 0)


def test_undoing_a_reversal_lets_the_first_answer_stand_again(books: Books) -> None:
    books.bill(A1)
    books.pay("T1", FIRST)
    back = books.pay("T2", FIRST.negated(), LOWER)
    assert books.stands("A1") == (0, 1500, 0)
    books.undo(back.import_id)
    assert books.stands("A1") == (0, 4000, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "answered")]


def test_undoing_a_reversal_and_giving_it_again_ends_as_at_first(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    for _ in range(3):
        back = lite.pay("T2", FIRST.negated(), LOWER)
        assert lite.stands("A1") == (0, 1500, 0)
        lite.undo(back.import_id)
        assert lite.stands("A1") == (0, 4000, 0)


def test_after_undoing_a_reversal_the_answer_itself_can_be_undone(lite: Books) -> None:
    lite.bill(A1)
    first = lite.pay("T1", FIRST)
    back = lite.pay("T2", FIRST.negated())
    lite.undo(back.import_id)
    lite.undo(first.import_id)
    assert lite.stands("A1") == (20000, 0, 0)


def test_undoing_a_file_that_reverses_its_own_answer_leaves_nothing(lite: Books) -> None:
    lite.bill(A1)
    done = lite.pay("T1", FIRST, FIRST.negated(), LOWER)
    lite.undo(done.import_id)
    assert lite.stands("A1") == (20000, 0, 0)


def test_undoing_a_reversal_opens_its_waiver_check_again(lite: Books) -> None:
    """The reversal ended the check; the money may not be asked for without it."""
    held = Clp("A1", 15000, [("PR", "96", 5000)])
    lite.bill(A1)
    lite.pay("T1", held)
    back = lite.pay("T2", held.negated())
    assert lite.holds("A1") == []
    lite.undo(back.import_id)
    assert lite.holds("A1") == [("waiver_check", 5000)]
    assert lite.figures("A1").due_now_minor == 0


def test_undoing_an_answer_ends_its_waiver_check(lite: Books) -> None:
    lite.bill(A1)
    done = lite.pay("T1", Clp("A1", 15000, [("PR", "96", 5000)]))
    lite.undo(done.import_id)
    assert (lite.holds("A1"), lite.stands("A1")) == ([], (20000, 0, 0))


def test_undoing_a_replacement_gives_the_earlier_charges_back(books: Books) -> None:
    books.bill(A1)
    for amount in (18000, 22000):
        done = books.bill(Bill("A1", [("99214", amount)], frequency="7"))
        assert books.stands("A1") == (amount, 0, 0)
        books.undo(done.import_id)
        assert books.stands("A1") == (20000, 0, 0)


def test_undoing_a_replacement_of_an_answered_claim_lets_its_answer_stand(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    done = lite.bill(Bill("A1", [("99214", 22000)], frequency="7"))
    lite.undo(done.import_id)
    assert lite.stands("A1") == (0, 4000, 0)
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "answered")]


def test_undoing_a_void_gives_the_visit_back_as_it_was(books: Books) -> None:
    books.bill(A1)
    done = books.bill(Bill("A1", A1.lines, frequency="8"))
    books.undo(done.import_id)
    assert books.stands("A1") == (20000, 0, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "pending")]
    assert not books.visit("A1").void


def test_undoing_a_copy_to_the_second_payer_gives_the_patients_part_back(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    done = lite.give(claims([Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2)]))
    assert lite.stands("A1") == (4000, 0, 0)
    lite.undo(done.import_id)
    assert lite.stands("A1") == (0, 4000, 0)
    assert lite.figures("A1").due_now_minor == 4000


def test_undoing_the_first_payers_remittance_brings_back_what_a_copy_reported(lite: Books) -> None:
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2,
                   reported={1: (9000, [("CO", "45", 7000), ("PR", "1", 4000)])}))
    for _ in range(2):
        done = lite.pay("T1", FIRST)
        assert lite.wide("contractual") == 6000
        lite.undo(done.import_id)
        assert lite.stands("A1") == (4000, 0, 0)
        assert lite.wide("contractual") == 7000
        assert lite.coverages("A1")[0][2] == "answered"


def test_undoing_the_claim_behind_a_remittance_gives_the_remittances_charge_back(lite: Books) -> None:
    lite.pay("T1", FIRST)
    done = lite.bill(A1)
    lite.undo(done.import_id)
    assert lite.stands("A1") == (0, 4000, 0)
    assert lite.visit("A1").origin == "remittance"
    lite.bill(A1)
    assert lite.stands("A1") == (0, 4000, 0)


def test_undoing_after_the_credit_was_paid_out_makes_the_visit_owe_again(books: Books) -> None:
    """The patient paid 40.00, got 25.00 back when the payer corrected itself; the correction undone, 25.00 is owed."""
    books.bill(A1)
    books.pay("T1", FIRST)
    payment = books.desk("A1", 4000)
    back = books.pay("T2", FIRST.negated(), LOWER)
    books.refund(payment, 2500)
    assert books.stands("A1") == (0, 0, 0)
    books.undo(back.import_id)
    assert books.stands("A1") == (0, 2500, 0)


@pytest.mark.parametrize("again", [False, True])
def test_what_posted_nothing_or_is_undone_cannot_be_undone(lite: Books, again: bool) -> None:
    done = lite.bill(A1)
    other = lite.give(claims([A1], end="~")) if not again else done
    if again:
        lite.undo(done.import_id)
    with pytest.raises(UndoRefused):
        lite.undo(other.import_id)


def test_undoing_a_correction_of_a_void_claim_asks_nobody_for_the_first_answers_part(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    back = lite.pay("T2", FIRST.negated(), LOWER)
    lite.bill(Bill("A1", A1.lines, frequency="8"))
    lite.undo(back.import_id)
    assert lite.problems() == []
    assert lite.figures("A1").due_now_minor == 0
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "pending")]
    lite.pay("T3", FIRST.negated())
    assert lite.stands("A1") == (0, 0, 0)
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "closed")]
