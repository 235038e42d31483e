"""A debt that an agency has when a practice is taken over is at that agency here too, to the cent and to the day."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import agency_files, ledger, payments, placements
from billing.agency_returns import COLUMNS
from billing.placements import PlacementRefused
from billing.store.tables import Guarantor, Placement
from bot import agency_files as files
from tests.opening.takeover import Row, Takeover, person, totals, visit

AT_ACME: Row = {"standing": "agency", "agency": "acme", "since_on": "2026-09-15"}
RUIZ = (person(), visit("V-1", "50.00"), visit("V-2", "80.00", **AT_ACME), *totals(b0="130.00"))


def _placement(move: Takeover) -> Placement:
    def read(session: Session) -> Placement:
        row = session.scalars(select(Placement)).one()
        session.expunge(row)
        return row

    return move.store.read(read)


def _report(move: Takeover, *rows: str) -> list[str]:
    path = move.folder / f"report{len(list(move.folder.iterdir()))}.csv"
    path.write_text("\n".join((",".join(COLUMNS), *rows, "")), "utf-8")
    return [one.state + one.words for one in files.take_in(move.store, move.practice_id, "acme", path, by="ana",
                                                           now=lambda: move.at)]


def _news(move: Takeover) -> list[tuple[str, str, str]]:
    """(kind, amount, balance) of the agency's next file."""
    file = move.store.write(lambda s: agency_files.gather(s, move.practice_id, "acme", by="ana", now=move.at))
    text = move.store.read(lambda s: agency_files.content(s, file.file_id)) if file else ""
    return [(row["kind"], row["amount"], row["balance"]) for row in csv.DictReader(io.StringIO(text))]


def _balance(move: Takeover, account: ledger.Account) -> int:
    return move.store.read(lambda s: ledger.balance(s, move.practice_id, account))


@pytest.mark.parametrize("rows", [
    RUIZ, (person(), visit("V-1", "50.00"), visit("V-2", "80.00"),
           {"record": "standing", "visit_id": "V-2", **AT_ACME}, *totals(b0="130.00"))],
    ids=["on its own row", "on a row of its own"])
def test_what_an_agency_has_is_placed_with_it_as_old_as_it_is(move: Takeover, rows: tuple[Row, ...]) -> None:
    assert move.take(*rows).outcome == "posted"
    placed = _placement(move)
    assert (placed.agency, placed.status, placed.amount_minor, placed.left_minor, placed.placed_on) == (
        "acme", "placed", 8_000, 8_000, date(2026, 9, 15))
    assert (move.visit("V-2").placed_minor, _balance(move, ledger.wide("agency"))) == (8_000, 8_000)
    assert move.open_holds() == ["agency", "carried_over", "carried_over"]
    move.check()


def test_the_agencys_next_file_gives_it_our_number_and_places_nothing_anew(move: Takeover) -> None:
    move.take(*RUIZ)
    assert _news(move) == [("taken_over", "80.00", "80.00")]
    assert _news(move) == []


def test_an_agency_without_an_agreement_keeps_its_debts_and_gets_no_file(small_move: Takeover) -> None:
    small_move.take(person(), visit("V-2", "80.00", standing="agency", agency="nobaa"), *totals(b0="80.00"))
    with pytest.raises(PlacementRefused, match="no business associate agreement"):
        small_move.store.write(lambda s: agency_files.gather(s, small_move.practice_id, "nobaa", by="ana",
                                                             now=small_move.at))


def test_its_payments_are_taken_in_from_the_day_on_which_it_got_the_debt(move: Takeover) -> None:
    move.take(*RUIZ)
    one = _placement(move).id
    assert _report(move, f"R1,{one},payment,2026-09-20,30.00,5.00,") == ["taken"]
    assert _report(move, f"R2,{one},payment,2026-09-14,1.00,0.00,") == [
        "refusedon: between the day of placement and today"]
    assert (_placement(move).left_minor, _balance(move, ledger.wide("cash:agency:agency"))) == (5_000, 2_500)
    move.check()


def test_it_is_recalled_like_any_other_and_then_due_here_once_released(move: Takeover) -> None:
    report = move.take(*RUIZ)
    move.hire()
    move.release(report)
    move.store.write(lambda s: placements.recall(s, move.practice_id, _placement(move).id, by="bea",
                                                 reason="asked back", now=move.at))
    assert (move.visit("V-2").due_now_minor, move.open_holds()) == (8_000, [])
    assert _news(move) == [("taken_over", "80.00", "0.00"), ("recalled", "80.00", "0.00")]
    move.check()


def test_a_patient_who_pays_here_is_taken_off_there(move: Takeover) -> None:
    move.take(*RUIZ)
    move.store.write(lambda s: payments.record_desk_payment(
        s, move.practice_id, s.scalars(select(Guarantor.id)).one(), amount_minor=13_000, currency="USD", tender="cash",
        reference="receipt 1", recorded_by="ana", now=move.at))
    assert (_placement(move).status, move.open_holds()) == ("paid", ["carried_over", "carried_over"])
    assert (move.account("P-1").total.open_minor, _balance(move, ledger.wide("agency"))) == (0, 0)
    assert [kind for kind, _, _ in _news(move)] == ["taken_over", "paid_here"]
    move.check()


def test_undone_the_agency_that_was_told_nothing_is_told_nothing(move: Takeover) -> None:
    move.undo(move.take(*RUIZ))
    assert (_placement(move).status, move.account("P-1").total.open_minor, move.open_holds()) == ("recalled", 0, [])
    assert _news(move) == []
    move.check()


def test_undone_the_agency_that_knows_is_told_and_what_it_took_is_the_patients_credit(move: Takeover) -> None:
    report = move.take(*RUIZ)
    _news(move)
    _report(move, f"R1,{_placement(move).id},payment,2026-10-01,30.00,0.00,")
    move.undo(report)
    assert _news(move) == [("recalled", "50.00", "0.00")]
    assert move.account("P-1").total.credit_minor == 3_000
    move.check()


def test_a_plan_does_not_reach_what_an_agency_has(small_move: Takeover) -> None:
    plan = {"record": "plan", "plan_id": "L-1", "account_id": "P-1", "visits": "V-1 V-2", "interval": "month",
            "schedule": "2026-12-01 60.00; 2027-01-01 70.00"}
    assert "column visits: one of them is with an agency" in str(small_move.take(*RUIZ, plan).reason)
