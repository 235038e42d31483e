"""open = payer + patient - credit; patient = due now + pending + held + on plan (DESIGN.md, "Figures")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from billing import figures, holds
from billing.store.standing_queries import HoldFacts
from billing.store.tables import ImportRun
from billing.views import Figures
from tests.ledger.books import PRACTICE, Books
from tests.ledger.paper import HARBOR, Bill, Clp

CENTS = st.integers(-50_000, 50_000)
KINDS = st.sampled_from(["waiver_check", "qmb", "cease", "dispute"])
HELD = st.lists(st.tuples(KINDS, st.none() | st.integers(1, 60_000)))


@given(CENTS, CENTS, st.integers(0, 50_000), st.booleans(), HELD)
def test_the_parts_always_add_up(payer: int, patient: int, credit: int, pending: bool,
                                 held: list[tuple[str, int | None]]) -> None:
    found = figures.split(payer, patient, credit, pending, [HoldFacts("h", "v", kind, amount) for kind, amount in held])
    assert adds_up(found)
    assert found.held_minor >= 0 and found.held_minor <= max(patient, 0)
    assert found.due_now_minor <= max(patient, 0) or patient < 0


def adds_up(f: Figures) -> bool:
    return (f.open_minor == f.payer_minor + f.patient_minor - f.credit_minor
            and f.patient_minor == f.due_now_minor + f.pending_minor + f.held_minor + f.on_plan_minor)


def test_while_any_payer_has_to_answer_nothing_is_due(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 20000)], payers=(HARBOR,), patient_paid=0))
    lite.pay("T1", Clp("A1", 9000, [("PR", "3", 1000)]))  # half of a split claim would leave the payer answered
    assert lite.figures("A1").due_now_minor == 1000
    lite.bill(Bill("A1", [("99213", 21000)], frequency="7"))
    assert (lite.figures("A1").due_now_minor, lite.figures("A1").pending_minor) == (0, 1000)


@pytest.mark.parametrize(("kind", "amount", "due"), [
    ("waiver_check", 300, 700), ("waiver_check", 5000, 0), ("qmb", None, 0), ("dispute", None, 0),
    ("paid_already", None, 1000)])
def test_a_hold_keeps_its_amount_from_being_due(lite: Books, kind: str, amount: int | None, due: int) -> None:
    lite.bill(Bill("A1", [("99213", 1000)], payers=()))
    visit = lite.visit("A1")
    lite.store.write(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=visit.guarantor_id, kind=kind, reason="r", source="test", placed_by="ana",
        now=lite.now(), visit_id=visit.id, amount_minor=amount))
    found = lite.figures("A1")
    assert (found.due_now_minor, found.held_minor) == (due, 1000 - due)


def test_an_account_hold_reaches_every_visit(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 1000)], payers=()))
    visit = lite.visit("A1")
    lite.store.write(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=visit.guarantor_id, kind="bankruptcy", reason="r", source="test",
        placed_by="ana", now=lite.now()))
    assert lite.account("A1").held_minor == 1000


def test_a_visit_of_an_unfinished_import_is_pending(lite: Books) -> None:
    done = lite.bill(Bill("A1", [("99213", 1000)], payers=()))
    assert lite.figures("A1").due_now_minor == 1000

    def reopen(session: Session) -> None:
        session.get_one(ImportRun, done.import_id).status = "posting"

    lite.tamper(reopen)
    assert (lite.figures("A1").due_now_minor, lite.figures("A1").pending_minor) == (0, 1000)


def test_an_account_is_the_sum_of_its_visits_less_all_its_credit(books: Books) -> None:
    books.bill(Bill("A1", [("99213", 1000)], payers=()))
    books.confirm("A1")
    books.bill(Bill("B2", [("99213", 2000)], payers=()))
    books.desk("A1", 1500)
    account = books.account("A1")
    assert adds_up(account)
    assert (account.patient_minor, account.open_minor) == (1500, 1500)
    books.desk("A1", 9000)
    account = books.account("A1")
    assert (account.patient_minor, account.credit_minor, account.open_minor) == (0, 7500, -7500)
    assert books.problems() == []


def test_one_visits_figures_are_the_same_alone_and_in_its_account(lite: Books) -> None:
    lite.bill(Bill("A1", [("99213", 20000)]))
    lite.pay("T1", Clp("A1", 10000, [("CO", "45", 6000), ("PR", "96", 4000)]))
    visit = lite.visit("A1")
    account = lite.store.read(lambda s: figures.account_figures(s, visit.guarantor_id, lite.now().date()))
    inside = account.visit(visit.id)
    assert inside is not None and inside.figures == lite.figures("A1")
