"""Killed (-9) anywhere in an agency's file, out or in, the same command ends it: no cent moves twice, none is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from billing.store.tables import PlacementFile
from tests.collections.office import OWED, Office, statuses
from tests.collections.test_returns import HEAD
from tests.collections.test_reversals import DAY, back, paid, status
from tests.road.forking import live_once, running

KILLED = -9


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.collections.killed") as started:
        yield started


def run(process: subprocess.Popen[str], act: str, url: str, office: Office, place: Path, failpoint: str = "") -> int:
    return live_once(process, {"act": act, "url": url, "now": office.clock().isoformat(), "place": str(place),
                               "failpoint": failpoint})


@pytest.mark.parametrize("failpoint", ["agency.gathered:1", "agency.written:1"])
def test_an_export_that_is_killed_is_written_whole_by_the_next_and_places_once(
        office: Office, database_url: str, process: subprocess.Popen[str], tmp_path: Path, failpoint: str) -> None:
    office.overdue()
    office.approve(office.propose()[0].placement_id)
    folder = tmp_path / "out"
    assert run(process, "export", database_url, office, folder, failpoint) == KILLED
    assert statuses(office) == ["placed"]
    assert run(process, "export", database_url, office, folder) == 0
    assert run(process, "export", database_url, office, folder) == 0
    assert [one.name for one in folder.iterdir()] == ["agency-acme-0001.csv"]
    rows = (folder / "agency-acme-0001.csv").read_text("utf-8").splitlines()
    kept = office.do(lambda s: s.scalars(select(PlacementFile)).one().rows)
    assert len(rows) == 1 + kept and sum(row.startswith("PLACE") for row in rows) == 1
    assert office.balance("agency") == OWED
    office.clean()


@pytest.mark.parametrize("failpoint", ["agency.opened:1", "agency.row:1", "agency.row:3"])
def test_a_report_that_is_killed_goes_on_where_it_was_and_takes_each_row_once(
        office: Office, database_url: str, process: subprocess.Popen[str], tmp_path: Path, failpoint: str) -> None:
    """Payments, one of them taken back again, a fee: four rows, of which the first, the third or none was taken."""
    office.overdue()
    one = office.place()
    file = tmp_path / "report.csv"
    file.write_text("\n".join((HEAD.strip() + ",reverses", paid(one, "10.00", "2.00", "R1"),
                               paid(one, "20.00", "5.00", "R2"), back(one, "10.00", "2.00", "B1", "R1"),
                               f"F1,{one},fee,{DAY},,1.00,,", "")), "utf-8")
    assert run(process, "returns", database_url, office, file, failpoint) == KILLED
    office.clean()
    assert run(process, "returns", database_url, office, file) == 0
    assert run(process, "returns", database_url, office, file) == 0
    placed = office.placement(one)
    assert (placed.left_minor, placed.collected_minor, placed.fee_minor) == (OWED - 2_000, 2_000, 600)
    assert (office.balance("cash:agency:agency"), office.owes()) == (2_000 - 600, 0)
    assert status(office) == ["returned", "succeeded"]
    assert len(office.do(lambda s: list(s.scalars(select(PlacementFile).where(PlacementFile.direction == "in"))))) == 1
    office.clean()
