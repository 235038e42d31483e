"""Remittances on the books: posted whole, once, and in any trouble without losing a cent (DESIGN.md, "Remittances")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.importing import posting
from tests.importers.samples import FOLDER, expected, sample_names
from tests.ledger.books import Books
from tests.ledger.paper import CEDAR, HARBOR, LIGHT, Bill, Clp, remittance

A1 = Bill("A1", [("99213", 15000), ("85025", 5000)])
BOTH = Bill("A1", [("99213", 20000)], payers=(HARBOR, LIGHT))
FIRST = Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)])


def test_an_answer_moves_the_claim_from_payer_to_patient(books: Books) -> None:
    books.bill(A1)
    assert books.stands("A1") == (20000, 0, 0)
    books.pay("T1", FIRST)
    assert books.stands("A1") == (0, 4000, 0)
    assert books.figures("A1").due_now_minor == 4000
    assert (books.wide("payer_clearing"), books.wide("contractual"), books.wide("revenue")) == (10000, 6000, -20000)


def test_pr_goes_to_the_second_payer_and_then_to_the_patient(lite: Books) -> None:
    lite.bill(BOTH)
    lite.pay("T1", FIRST)
    assert lite.stands("A1") == (4000, 0, 0)
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "answered"), (2, "LIGHTHOUSE PLAN", "pending")]
    lite.pay("T2", Clp("A1", 3000, [("OA", "23", 16000), ("PR", "2", 1000)], "2"), payer=LIGHT)
    assert lite.stands("A1") == (0, 1000, 0)


def test_a_second_payer_answering_before_the_first_leaves_a_case_and_its_payment_in_suspense(lite: Books) -> None:
    lite.bill(BOTH)
    lite.pay("T2", Clp("A1", 3000, [("OA", "23", 16000), ("PR", "2", 1000)], "2"), payer=LIGHT)
    assert lite.figures("A1").due_now_minor == 0
    lite.pay("T1", FIRST)
    assert lite.problems() == []
    assert (lite.cases(), lite.wide("suspense")) == (["suspense"], -3000)
    assert lite.stands("A1") == (4000, 0, 0)  # with the second payer, and nothing is asked of the patient
    assert lite.figures("A1").due_now_minor == 0


def test_three_payers_one_after_the_other(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 20000)], payers=(HARBOR, LIGHT, CEDAR)))
    lite.pay("T1", FIRST)
    lite.pay("T2", Clp("A1", 1000, [("OA", "23", 16000), ("PR", "2", 3000)], "2"), payer=LIGHT)
    assert lite.stands("A1") == (3000, 0, 0)
    lite.pay("T3", Clp("A1", 2500, [("OA", "23", 17000), ("PR", "3", 500)], "3"), payer=CEDAR)
    assert lite.stands("A1") == (0, 500, 0)


def test_a_later_payer_paying_more_than_is_left_goes_to_suspense_with_a_case(lite: Books) -> None:
    lite.bill(BOTH)
    lite.pay("T1", FIRST)
    lite.pay("T2", Clp("A1", 4500, [("OA", "23", 15500)], "2"), payer=LIGHT)
    assert lite.stands("A1") == (0, 0, 0)
    assert (lite.wide("suspense"), lite.cases()) == (-500, ["excess"])


def test_the_excess_leaves_suspense_again_when_that_payer_reverses(lite: Books) -> None:
    second = Clp("A1", 4500, [("OA", "23", 15500)], "2")
    lite.bill(BOTH)
    lite.pay("T1", FIRST)
    lite.pay("T2", second, payer=LIGHT)
    lite.pay("T3", second.negated(), payer=LIGHT)
    assert lite.stands("A1") == (4000, 0, 0)
    assert lite.wide("suspense") == 0


def test_a_denial_stays_with_the_payer_as_a_case_and_bills_nobody(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 0, [("CO", "50", 20000)], "4"))
    assert lite.stands("A1") == (20000, 0, 0)
    assert lite.cases() == ["denial"]
    assert lite.coverages("A1") == [(1, "HARBOR MUTUAL", "denied")]


def test_pr_of_another_reason_is_held_until_the_waiver_is_checked(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 14000, [("PR", "96", 5000), ("PR", "3", 1000)]))
    figures = lite.figures("A1")
    assert (figures.patient_minor, figures.held_minor, figures.due_now_minor) == (6000, 5000, 1000)
    assert lite.holds("A1") == [("waiver_check", 5000)]
    assert lite.problems() == []


def test_qmb_remarks_hold_everything_t_57(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 16000, [("PR", "2", 4000)], remarks=["N781"]))
    assert lite.holds("A1") == [("qmb", None)]
    figures = lite.figures("A1")
    assert (figures.due_now_minor, figures.held_minor) == (0, 4000)


def test_contractual_reasons_are_those_in_force_on_the_day_of_service(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 1000)]), Bill("B2", [("99213", 1000)]))
    lite.pay("T1", Clp("A1", 900, [("CO", "42", 100)], on=date(2007, 5, 1)),
             Clp("B2", 900, [("CO", "42", 100)], on=date(2026, 5, 1)))
    assert (lite.figures("A1").payer_minor, lite.figures("B2").payer_minor) == (0, 100)
    assert lite.cases() == ["denial"]


@pytest.mark.parametrize("status", ["19", "20", "21"])
def test_a_crossed_over_claim_waits_for_the_next_payer_and_bills_nobody(lite: Books, status: str) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)], status, crossover="NEXT PLAN"))
    assert lite.figures("A1").due_now_minor == 0
    assert lite.coverages("A1")[-1][1:] == ("NEXT PLAN", "pending")
    assert lite.problems() == []


@pytest.mark.parametrize("status", ["23", "25"])
def test_forwarded_and_predetermined_claims_are_kept_and_bill_nobody(lite: Books, status: str) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 0, [("PR", "1", 20000)], status))
    assert lite.outcomes == ["stored"]
    assert lite.stands("A1") == (20000, 0, 0)


def test_a_payment_on_a_claim_that_is_not_answered_goes_to_suspense(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 100, [("PR", "1", 19900)], "25"))
    assert (lite.outcomes, lite.wide("suspense")) == (["suspended"], -100)
    assert lite.stands("A1") == (20000, 0, 0)


def test_provider_adjustments_touch_the_practice_and_no_patient(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST, plb=[("L6", -37), ("WO", 500), ("FB", -200)])
    assert lite.stands("A1") == (0, 4000, 0)
    assert (lite.wide("interest"), lite.wide("withholding")) == (-37, 300)
    assert lite.wide("payer_clearing") == 10000 + 37 - 300


def test_a_reversal_and_its_correction_in_one_file(books: Books) -> None:
    books.bill(A1)
    books.pay("T1", FIRST)
    books.desk("A1", 4000)
    books.pay("T2", FIRST.negated(), Clp("A1", 12500, [("CO", "45", 6000), ("PR", "3", 1500)], pcn="P1C"))
    assert books.stands("A1") == (0, 0, 2500), "the patient paid 40.00 and owes 15.00: the rest is their credit"


def test_a_reversal_alone_holds_everything_and_keeps_the_patients_payment_on_the_visit(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.desk("A1", 4000)
    lite.pay("T2", FIRST.negated())
    assert lite.stands("A1") == (20000, -4000, 0)
    figures = lite.figures("A1")
    assert (figures.due_now_minor, figures.pending_minor) == (0, -4000)
    lite.pay("T3", Clp("A1", 11000, [("CO", "45", 6000), ("PR", "1", 3000)], pcn="P3"))
    assert lite.stands("A1") == (0, 0, 1000)


def test_credit_comes_back_when_its_visit_needs_it_again(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.desk("A1", 4000)
    lower = Clp("A1", 12500, [("CO", "45", 6000), ("PR", "3", 1500)], pcn="P1C")
    lite.pay("T2", FIRST.negated(), lower)
    lite.pay("T3", lower.negated(), Clp("A1", 11000, [("CO", "45", 6000), ("PR", "3", 3000)], pcn="P1D"))
    assert lite.stands("A1") == (0, 0, 1000)


def test_a_reversal_of_amounts_never_posted_is_suspended(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.pay("T2", Clp("A1", -9000, [("CO", "45", -7000), ("PR", "1", -4000)], "22"))
    assert lite.outcomes == ["suspended"]
    assert (lite.stands("A1"), lite.wide("suspense")) == ((0, 4000, 0), 9000)


def test_an_unknown_claims_reversal_opens_it_against_opening_balances(lite: Books) -> None:
    lite.pay("T1", FIRST.negated())
    assert lite.stands("A1") == (20000, 0, 0)
    assert (lite.wide("opening"), lite.wide("payer_clearing")) == (-10000, -10000)
    assert lite.figures("A1").due_now_minor == 0
    lite.pay("T2", Clp("A1", 12500, [("CO", "45", 6000), ("PR", "3", 1500)], pcn="P1C"))
    assert lite.stands("A1") == (0, 1500, 0)


def test_an_unknown_claim_is_opened_computed_and_asked_of_nobody(lite: Books) -> None:
    lite.pay("T1", FIRST)
    assert lite.stands("A1") == (0, 4000, 0)
    assert lite.guarantor("A1").confirmed_at is None


def test_an_unknown_secondarys_oa_23_stands_against_opening_balances(lite: Books) -> None:
    lite.pay("T1", Clp("A1", 3000, [("OA", "23", 16000), ("PR", "2", 1000)], "2"), payer=LIGHT)
    assert lite.stands("A1") == (0, 1000, 0)
    assert lite.wide("opening") == 16000


def test_an_answer_repeated_without_a_reversal_goes_to_suspense(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    lite.pay("T2", Clp("A1", 11000, [("CO", "45", 6000), ("PR", "1", 3000)], pcn="P9"))
    assert lite.outcomes == ["suspended"]
    assert (lite.stands("A1"), lite.wide("suspense"), lite.cases()) == ((0, 4000, 0), -11000, ["suspense"])


def test_a_repeated_claim_number_is_told_apart_by_the_payers_number(lite: Books) -> None:
    """CLP01 that repeats on claims nobody announced: CLP07 says that they are two."""
    lite.pay("T1", Clp("A1", 100, [("PR", "1", 50)], pcn="P1"))
    lite.pay("T2", Clp("A1", 300, [("PR", "1", 70)], pcn="P2"))
    assert lite.count("visits") == 2
    lite.pay("T3", Clp("A1", 100, [("PR", "1", 50)], pcn="P1").negated())
    assert lite.count("visits") == 2
    assert lite.problems() == []


def test_one_claim_split_by_its_payer_is_answered_in_parts(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", Clp("A1", 9000, [("CO", "45", 6000)], pcn="P1"), Clp("A1", 4000, [("PR", "3", 1000)], pcn="P2",
                                                                         line="85025"))
    assert lite.stands("A1") == (0, 1000, 0)


def test_the_same_remittance_in_other_bytes_posts_nothing(books: Books) -> None:
    books.bill(A1)
    books.pay("T1", FIRST)
    before = books.count("transfers")
    again = books.give(remittance("T1", [FIRST], end="~", number=7))
    assert (again.outcome, books.count("transfers")) == ("duplicate", before)
    assert books.outcomes == ["duplicate"]


def test_the_same_trace_with_other_amounts_is_refused(lite: Books) -> None:
    lite.bill(A1)
    lite.pay("T1", FIRST)
    other = lite.give(remittance("T1", [Clp("A1", 10000, [("CO", "45", 5000), ("PR", "1", 5000)])]))
    assert (other.outcome, lite.stands("A1")) == ("refused", (0, 4000, 0))


@pytest.mark.parametrize("plb", [[], [("WO", 300)]])
def test_skipping_bad_claims_posts_the_full_payment(lite: Books, plb: list[tuple[str, int]]) -> None:
    lite.bill(A1, Bill("B2", [("99214", 9000)]))
    content = remittance("T1", [FIRST, Clp("B2", 8000, [("PR", "1", 1000)], bad=100)], plb=plb)
    assert lite.give(content).outcome == "refused"
    assert lite.count("remittances") == 0
    done = lite.give(content, skip=True)
    assert (done.outcome, lite.outcomes) == ("partial", ["posted", "skipped"])
    assert lite.wide("suspense") == -8000
    assert lite.wide("payer_clearing") == 18000 - sum(amount for _, amount in plb)
    assert (lite.stands("A1"), lite.stands("B2")) == ((0, 4000, 0), (9000, 0, 0))


def test_a_dry_run_tells_what_would_be_posted_and_posts_nothing(books: Books) -> None:
    books.bill(A1)
    tables = ("transfers", "remittances", "imports", "visits", "cases", "holds", "remittance_claims")
    before = [books.count(t) for t in tables]
    done = books.give(remittance("T1", [FIRST]), dry=True)
    assert done.outcome == "posted"
    assert [books.count(t) for t in tables] == before


def test_an_interrupted_import_goes_on_where_it_stopped_at_every_batch(books: Books,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between any two transactions, the same file again ends as one uninterrupted import does."""
    bills = [Bill(f"R{n}", [("99213", 5000)]) for n in range(4)]
    paid = [Clp(f"R{n}", 4000, [("PR", "1", 1000)], pcn=f"P{n}") for n in range(4)]
    books.bill(*bills)
    monkeypatch.setattr(posting.Pace, "write", lambda self, store, fn: store.write(fn))
    monkeypatch.setattr(posting.Pace, "__init__", lambda self: self.__dict__.update(size=1))
    content = remittance("T1", paid, plb=[("WO", 100)])
    for die_after in range(8):
        _die(books, content, die_after)
        assert books.problems() == []
    done = books.give(content)
    assert done.outcome in ("posted", "duplicate")
    assert [books.stands(f"R{n}") for n in range(4)] == [(0, 1000, 0)] * 4
    assert (books.wide("payer_clearing"), books.count("remittance_claims")) == (15900, 4)


class _Killed(BaseException):
    pass


def _die(books: Books, content: str, after: int) -> None:
    """Import until so many transactions are committed; then the process is gone."""
    real, left = books.store.write, [after]

    def write(fn: Callable[[Session], Any]) -> Any:
        if left[0] == 0:
            raise _Killed
        left[0] -= 1
        return real(fn)

    try:
        books.store.write = write  # type: ignore[method-assign]  # the process that dies
        books.give(content)
    except _Killed:
        pass
    finally:
        del books.store.write


def test_every_sample_file_is_posted_or_refused_and_the_ledger_holds(lite: Books) -> None:
    """In one practice, all after another, as a careless biller would."""
    for name in sample_names():
        wanted = expected(name)
        done = lite.give(FOLDER.joinpath(name).read_bytes().decode("latin-1"), name)
        assert done.outcome in ("posted", "duplicate", "refused"), name
        if wanted.get("refused") or wanted.get("faults"):
            assert done.outcome == "refused", name
        assert lite.problems() == [], name
