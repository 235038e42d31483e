"""A payment that an agency has to take back is taken back here to the cent, once, and every sum agrees after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import refunds
from billing.agency_returns import COLUMNS, REVERSES, Outcome
from billing.store.tables import Payment
from bot import agency_files
from tests.collections.office import OWED, Office
from tests.payments.world import PRACTICE

DAY = "2027-02-05"


def take(office: Office, folder: Path, *rows: str) -> list[Outcome]:
    path = folder / f"report{len(list(folder.iterdir()))}.csv"
    path.write_text("\n".join((",".join((*COLUMNS, REVERSES)), *rows, "")), "utf-8")
    return agency_files.take_in(office.store, PRACTICE, "acme", path, by="bill", now=office.clock)


def paid(one: str, amount: str = "40.00", fee: str = "10.00", ref: str = "R1") -> str:
    return f"{ref},{one},payment,{DAY},{amount},{fee},,"


def back(one: str, amount: str = "40.00", fee: str = "10.00", ref: str = "B1", of: str = "R1",
         note: str = "returned") -> str:
    return f"{ref},{one},reversal,{DAY},{amount},{fee},{note},{of}"


def status(office: Office) -> list[str]:
    return office.do(lambda s: list(s.scalars(
        select(Payment.status).where(Payment.processor == "agency").order_by(Payment.status))))


def test_a_payment_that_bounced_is_with_the_agency_again_and_its_fee_comes_back(office: Office,
                                                                               tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    found = take(office, tmp_path, paid(one), back(one))
    assert [(row.state, row.amount_minor, row.fee_minor) for row in found] == [("taken", 4_000, 1_000),
                                                                               ("taken", -4_000, -1_000)]
    placed = office.placement(one)
    assert (placed.status, placed.left_minor, placed.collected_minor, placed.fee_minor) == ("placed", OWED, 0, 0)
    assert (office.owes(), office.cash(), office.balance("cash:agency:agency")) == (0, {"agency": OWED}, 0)
    assert status(office) == ["returned"]
    assert office.events(one)[-1] == ("agency_reversed", 4_000, "returned")
    assert office.gather() is None, "it knows what it told us"
    office.clean()


def test_the_same_row_again_changes_nothing_and_a_payment_is_taken_back_once(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    states = [row.state for row in take(office, tmp_path, back(one), back(one), back(one, ref="B2"))]
    assert states == ["taken", "known", "refused"]
    assert take(office, tmp_path, back(one, ref="R1"))[0].words == "this reference was taken in with other content"
    assert office.placement(one).left_minor == OWED
    office.clean()


def test_of_a_debt_that_ended_the_money_is_owed_here_again_and_the_agency_stops(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one, "100.00", "25.00"))
    assert office.placement(one).status == "paid"
    assert take(office, tmp_path, back(one, "100.00", "25.00", note="disputed"))[0].state == "taken"
    assert (office.placement(one).status, office.owes(), office.cash(), office.holds()) == ("paid", OWED, {}, [])
    assert office.events(one)[-1] == ("recalled", 0, "agency_reversed")
    assert office.gather() is not None
    office.clean()


def test_cash_that_came_in_here_meanwhile_is_not_touched(office: Office, tmp_path: Path) -> None:
    """The patient's own credit waits for staff to apply it, as any does."""
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    office.pay(7_000)
    assert (office.figures().credit_minor, office.placement(one).status) == (1_000, "paid")
    take(office, tmp_path, back(one))
    assert (office.owes(), office.figures().credit_minor) == (4_000, 1_000)
    office.clean()


@pytest.mark.parametrize(("change", "said"), [
    ({"note": "bounced"}, "note: why it was taken back"), ({"of": "R9"}, "reverses: the reference of a payment"),
    ({"of": ""}, "reverses: a reversal names"), ({"amount": "39.99"}, "amount, fee: a payment is taken back whole"),
    ({"fee": "9.99"}, "amount, fee: a payment is taken back whole")])
def test_a_row_that_takes_back_something_else_is_refused_by_itself(office: Office, tmp_path: Path,
                                                                  change: dict[str, str], said: str) -> None:
    office.overdue()
    one = office.place()
    found = take(office, tmp_path, paid(one), back(one, **change))
    assert [row.state for row in found] == ["taken", "refused"]
    assert found[1].words.startswith(said)
    assert office.placement(one).left_minor == OWED - 4_000


def test_what_the_practice_gave_back_itself_is_not_taken_back_twice(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))

    def give_back(session: Session) -> None:
        payment = session.scalars(select(Payment).where(Payment.processor == "agency")).one()
        refunds.ask(session, practice_id=PRACTICE, payment_id=payment.id, amount_minor=4_000, tender="check",
                    reason="overpaid", note="", by="bill", dedupe="r1", policy=office.policy, now=office.clock())

    office.do(give_back)
    found = take(office, tmp_path, back(one))
    assert found[0].words.startswith("reverses: this payment is refunded here")
    office.clean()


def test_a_row_of_another_kind_names_no_payment_and_old_files_read_as_before(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    assert take(office, tmp_path, paid(one) + "R0")[0].words.startswith("reverses: a reversal names")
    path = tmp_path / "old.csv"
    path.write_text(f"{','.join(COLUMNS)}\nR1,{one},payment,{DAY},40.00,0,a note of theirs\n", "utf-8")
    found = agency_files.take_in(office.store, PRACTICE, "acme", path, by="bill", now=office.clock)
    assert [row.state for row in found] == ["taken"]
