"""Claims on the books: charged once, replaced, voided, copied to the next payer (DESIGN.md, "Charges")."""

from __future__ import annotations

from tests.ledger.books import Books
from tests.ledger.paper import CEDAR, HARBOR, LIGHT, Bill, Clp, claims

A1 = Bill("A1", [("99213", 15000), ("85025", 5000)])
FIRST = Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)])


def test_a_claim_charges_each_service_line_to_its_first_payer(books: Books) -> None:
    books.bill(Bill("A1", [("99213", 15000), ("85025", 5000)], payers=(HARBOR, LIGHT)))
    assert books.codes("A1") == [("charge", 15000, ""), ("charge", 5000, "")]
    assert books.stands("A1") == (20000, 0, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "pending"), (2, "LIGHTHOUSE PLAN", "pending")]


def test_self_pay_charges_the_patient_at_once(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 15000)], payers=()))
    assert lite.stands("A1") == (0, 15000, 0)
    assert lite.figures("A1").due_now_minor == 15000


def test_what_the_patient_paid_at_the_visit_is_taken_off(lite: Books) -> None:
    """AMT*F5: while the payer has to answer it may be more than the patient owes; afterwards the rest is credit."""
    lite.bill(Bill("A1", [("99213", 15000)], patient_paid=3000))
    assert lite.stands("A1") == (15000, -3000, 0)
    lite.pay("T1", Clp("A1", 13000, [("PR", "3", 2000)]))
    assert lite.stands("A1") == (0, 0, 1000)


def test_the_same_claim_is_charged_once_whatever_its_bytes(books: Books) -> None:
    books.bill(A1)
    again = books.give(claims([A1], end="~", number=4))
    assert (again.outcome, books.outcomes, books.stands("A1")) == ("duplicate", ["duplicate"], (20000, 0, 0))


def test_the_same_number_with_another_amount_is_refused(lite: Books) -> None:
    lite.bill(A1)
    done = lite.give(claims([Bill("A1", [("99213", 16000)])]))
    assert (done.outcome, lite.stands("A1")) == ("refused", (20000, 0, 0))


def test_a_file_with_one_number_twice_is_refused(lite: Books) -> None:
    assert lite.give(claims([A1, Bill("A1", [("99213", 16000)])])).outcome == "refused"
    assert lite.count("visits") == 0


def test_a_replacement_reverses_and_charges_anew(books: Books) -> None:
    books.bill(A1)
    books.bill(Bill("A1", [("99214", 18000)], frequency="7"))
    assert books.stands("A1") == (18000, 0, 0)
    assert books.codes("A1")[2:] == [("reversal", 15000, ""), ("reversal", 5000, ""), ("charge", 18000, "")]


def test_a_replacement_after_an_answer_waits_for_the_payer_again(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.bill(Bill("A1", [("99214", 22000)], frequency="7"))
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "pending")]
    assert lite.figures("A1").due_now_minor == 0
    assert lite.stands("A1") == (2000, 4000, 0)


def test_a_replacement_of_a_replacement(lite: Books) -> None:
    lite.bill(A1)
    lite.bill(Bill("A1", [("99214", 18000)], frequency="7"))
    lite.bill(Bill("A1", [("99215", 21000)], frequency="7"))
    assert lite.stands("A1") == (21000, 0, 0)


def test_a_replacement_takes_the_cash_of_the_first_claim_along(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 15000)], patient_paid=3000))
    lite.bill(Bill("A1", [("99213", 16000)], frequency="7", patient_paid=3000))
    assert lite.stands("A1") == (16000, -3000, 0)


def test_a_void_takes_everything_back(lite: Books) -> None:
    lite.bill(A1)
    lite.bill(Bill("A1", [("99213", 15000), ("85025", 5000)], frequency="8"))
    assert lite.stands("A1") == (0, 0, 0)
    assert lite.visit("A1").void
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "closed")]


def test_a_void_after_payments_leaves_the_patients_money_as_credit(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 5000)], payers=()))
    lite.desk("A1", 2000)
    lite.bill(Bill("A1", [("99213", 5000)], payers=(), frequency="8"))
    assert lite.stands("A1") == (0, 0, 2000)


def test_a_void_of_an_answered_claim_waits_for_the_payers_reversal(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.bill(Bill("A1", A1.lines, frequency="8"))
    assert lite.figures("A1").due_now_minor == 0
    lite.pay("T2", FIRST.negated())
    assert lite.stands("A1") == (0, 0, 0)


def test_a_void_of_nothing_is_suspended_and_twice_is_a_duplicate(lite: Books) -> None:
    lite.give(claims([Bill("A1", A1.lines, frequency="8")]))
    assert lite.outcomes == ["suspended"]
    lite.bill(A1)
    lite.bill(Bill("A1", A1.lines, frequency="8"))
    lite.give(claims([Bill("A1", [("99213", 19999)], frequency="8")]))
    assert lite.outcomes == ["duplicate"]
    assert lite.problems() == []


def test_a_copy_for_the_second_payer_adds_it_and_posts_what_the_first_did(books: Books) -> None:
    books.bill(A1)
    copy = Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2,
                reported={1: (10000, [("CO", "45", 6000), ("PR", "1", 4000)])})
    books.bill(copy)
    assert books.stands("A1") == (4000, 0, 0)
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "answered"), (2, "LIGHTHOUSE PLAN", "pending")]


def test_the_first_payers_own_remittance_replaces_what_the_copy_reported(books: Books) -> None:
    books.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2,
                    reported={1: (9000, [("CO", "45", 7000), ("PR", "1", 4000)])}))
    assert books.stands("A1") == (4000, 0, 0)
    books.pay("T1", FIRST)
    assert books.stands("A1") == (4000, 0, 0)
    assert (books.wide("payer_clearing"), books.wide("contractual")) == (10000, 6000)


def test_a_copy_after_the_first_payers_remittance_posts_its_result_only_once(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    assert lite.stands("A1") == (0, 4000, 0)
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2,
                   reported={1: (10000, [("CO", "45", 6000), ("PR", "1", 4000)])}))
    assert lite.stands("A1") == (4000, 0, 0), "what was the patient's is the second payer's to answer first"
    lite.pay("T2", Clp("A1", 4000, [("OA", "23", 16000)], "2"), payer=LIGHT)
    assert lite.stands("A1") == (0, 0, 0)


def test_a_copy_for_a_third_payer_tells_of_both(lite: Books) -> None:
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT, CEDAR), to=3, reported={
        1: (10000, [("CO", "45", 6000), ("PR", "1", 4000)]), 2: (3000, [("OA", "23", 16000), ("PR", "2", 1000)])}))
    assert lite.stands("A1") == (1000, 0, 0)
    assert [status for _, _, status in lite.coverages("A1")] == ["answered", "answered", "pending"]


def test_a_copy_whose_report_does_not_add_up_posts_no_result_and_asks_staff(lite: Books) -> None:
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT), to=2, reported={1: (9000, [("PR", "1", 4000)])}))
    assert lite.stands("A1") == (20000, 0, 0)
    assert lite.cases() == ["suspense"]


def test_the_claim_behind_an_earlier_remittance_keeps_its_answer(books: Books) -> None:
    books.pay("T1", FIRST)
    books.bill(A1)
    assert books.stands("A1") == (0, 4000, 0)
    assert books.count("visits") == 1
    assert books.coverages("A1") == [(1, "HARBOR MUTUAL", "answered")]


def test_a_new_claim_under_a_void_number_is_a_visit_of_its_own(lite: Books) -> None:
    lite.bill(A1)
    lite.bill(Bill("A1", A1.lines, frequency="8"))
    lite.bill(Bill("A1", [("99214", 7000)]))
    assert lite.count("visits") == 2
    assert lite.stands("A1") == (7000, 0, 0)


def test_after_a_void_and_its_reversal_a_new_claim_gets_its_own_answer(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.bill(Bill("A1", A1.lines, frequency="8"))
    lite.pay("T2", FIRST.negated())
    lite.bill(Bill("A1", [("99214", 7000)]))
    lite.pay("T3", Clp("A1", 6000, [("PR", "3", 1000)], pcn="P9"))
    assert lite.stands("A1") == (0, 1000, 0)


def test_a_reversal_finds_its_claim_although_that_is_void_and_settled(lite: Books) -> None:
    """The second payer answered first, about nothing that was left; then the claim was voided."""
    second = Clp("A1", 3000, [("OA", "23", 16000), ("PR", "2", 1000)], "2")
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT)))
    lite.pay("T1", second, payer=LIGHT)
    lite.bill(Bill("A1", A1.lines, payers=(HARBOR, LIGHT), frequency="8"))
    lite.pay("T2", second.negated(), payer=LIGHT)
    assert (lite.stands("A1"), lite.count("visits"), lite.wide("suspense")) == ((0, 0, 0), 1, 0)
