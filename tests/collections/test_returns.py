"""What an agency reports is taken in once, row by row, to the cent; what cannot be is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing import agency_returns, explain, placements, year_summary
from billing.agency_returns import COLUMNS, Outcome, ReturnsRefused, parse
from bot import agency_files
from tests.collections.office import OWED, VISIT, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE

HEAD = ",".join(COLUMNS) + "\n"


def take(office: Office, folder: Path, *rows: str, agency: str = "acme", name: str = "report.csv") -> list[Outcome]:
    path = folder / name
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), "utf-8")
    return agency_files.take_in(office.store, PRACTICE, agency, path, by="bill", now=office.clock)


def states(found: list[Outcome]) -> list[str]:
    return [one.state for one in found]


def test_a_payment_at_the_agency_is_the_patients_payment_and_its_fee_is_ours(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    assert states(take(office, tmp_path, f"R1,{one},payment,2027-02-05,40.00,10.00,")) == ["taken"]
    placed = office.placement(one)
    assert (placed.left_minor, placed.collected_minor, placed.fee_minor) == (6_000, 4_000, 1_000)
    assert (office.owes(), office.cash()) == (0, {"agency": 6_000, "fees": 1_000})
    assert office.balance("cash:agency:agency") == 3_000
    explained = office.do(lambda s: explain.explain_visit(s, VISIT))
    assert explained.foots and [s.amount_minor for s in explained.steps if s.kind == "patient_paid"] == [-4_000]
    assert office.do(lambda s: year_summary.year(s, ANNA, 2027)["paid_minor"]) == 4_000
    office.clean()


def test_the_same_file_again_and_the_same_row_in_another_file_change_nothing(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    row = f"R1,{one},payment,2027-02-05,40.00,10.00,"
    take(office, tmp_path, row)
    assert states(take(office, tmp_path, row)) == ["known"]
    assert states(take(office, tmp_path, row, f"R2,{one},payment,2027-02-05,1.00,0.25,", name="b.csv")) == [
        "known", "taken"]
    assert office.placement(one).left_minor == 5_900
    changed = take(office, tmp_path, f"R1,{one},payment,2027-02-05,41.00,10.00,", name="c.csv")
    assert (states(changed), changed[0].words) == (["refused"], "this reference was taken in with other content")
    office.clean()


def test_each_row_is_refused_by_itself_and_the_rest_goes_on(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    found = take(
        office, tmp_path, f"A,{one},payment,2027-02-05,100.01,0,", f"B,{one},payment,2027-02-06,1.00,0,",
        f"C,{one},payment,2027-02-04,1.00,0,", "D,plac_x,payment,2027-02-05,1.00,0,", f"E,{one},gift,2027-02-05,1,0,",
        f"F,{one},payment,yesterday,1.00,0,", f"G,{one},payment,2027-02-05,-1.00,0,",
        f",{one},payment,2027-02-05,1.00,0,", f"H,{one},payment,2027-02-05,1.00,1.01,",
        f"I,{one},payment,2027-02-05,0,0,", f"J,{one},closed,2027-02-05,1.00,0,", f"K,{one},fee,2027-02-05,1.00,1.00,",
        f"Z,{one},payment,2027-02-05,5.00,1.25,")
    assert states(found) == ["refused"] * 12 + ["taken"]
    assert [one.line for one in found] == list(range(2, 15))
    assert office.placement(one).left_minor == OWED - 500
    office.clean()


def test_another_agencys_debt_is_refused(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    found = take(office, tmp_path, f"R1,{one},payment,2027-02-05,40.00,0,", agency="nobaa")
    assert states(found) == ["refused"]
    with pytest.raises(placements.PlacementRefused):
        take(office, tmp_path, f"R1,{one},payment,2027-02-05,40.00,0,", agency="nobody")


def test_paid_in_full_the_placement_ends_and_nothing_more_is_taken_on_it(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    found = take(office, tmp_path, f"R1,{one},payment,2027-02-05,100.00,25.00,", f"R2,{one},payment,2027-02-05,1,0,",
                 f"R3,{one},fee,2027-02-05,,2.00,")
    assert states(found) == ["taken", "refused", "taken"]
    assert (office.placement(one).status, office.holds(), office.owes()) == ("paid", [], 0)
    assert office.cash() == {"fees": 2_700}
    office.clean()


def test_given_up_by_the_agency_it_is_owed_here_again(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    row = f"R1,{one},closed,2027-02-05,,,cannot be found"
    assert states(take(office, tmp_path, row)) == ["taken"]
    assert (office.placement(one).status, office.owes(), office.cash()) == ("closed", OWED, {})
    assert states(take(office, tmp_path, row, name="again.csv")) == ["known"]
    assert office.gather() is None
    office.clean()


def test_a_file_that_is_no_report_is_refused_whole(office: Office, tmp_path: Path) -> None:
    with pytest.raises(ReturnsRefused, match="line 1: the columns are"):
        parse("a,b,c\n1,2,3\n")
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReturnsRefused, match="not UTF-8"):
        agency_files.take_in(office.store, PRACTICE, "acme", path, by="bill", now=office.clock)


def test_an_interrupted_report_goes_on_where_it_was(office: Office, tmp_path: Path) -> None:
    """Killed after the first row, the file is taken in again: the first row is known, the second is taken."""
    office.overdue()
    one = office.place()
    text = HEAD + f"R1,{one},payment,2027-02-05,10.00,0,\nR2,{one},payment,2027-02-05,20.00,0,\n"
    rows = parse(text)
    file = office.do(lambda s: agency_returns.open_file(
        s, PRACTICE, "acme", text, file_name="report.csv", rows=rows, by="bill", now=office.clock()).id)
    first = rows[0]
    assert isinstance(first, agency_returns.ReturnRow)
    office.do(lambda s: agency_returns.take_row(s, PRACTICE, "acme", first, file_id=file, by="bill",
                                                now=office.clock()))
    found = take(office, tmp_path, *text.splitlines()[1:])
    assert states(found) == ["known", "taken"]
    assert office.placement(one).left_minor == 7_000


def test_an_interrupted_export_writes_the_same_file_and_places_nothing_twice(office: Office, tmp_path: Path) -> None:
    office.overdue()
    office.approve(office.propose()[0].placement_id)
    assert office.gather() is not None  # killed before the file was written
    done = agency_files.export(office.store, PRACTICE, "acme", tmp_path, by="max", now=office.clock)
    assert [(one.recovered, one.path.name) for one in done] == [(True, "agency-acme-0001.csv")]
    first = done[0].path.read_bytes()
    again = agency_files.write_again(office.store, PRACTICE, "acme", 1, tmp_path)
    assert again is not None and again.path.read_bytes() == first
    assert agency_files.export(office.store, PRACTICE, "acme", tmp_path, by="max", now=office.clock) == []
    assert office.balance("agency") == OWED
    office.clean()
