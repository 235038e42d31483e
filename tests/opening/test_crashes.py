"""A takeover that is killed between any two commits goes on where it stopped, and is never due half taken over."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy.orm import Session

from billing import opening_release
from billing.importers.opening_columns import EXAMPLE
from billing.store.tables import CsvRow, ImportRun
from bot.importing import files
from tests.csv.test_resuming import FailingStore, PowerCut
from tests.opening.takeover import Row, Takeover, person, totals, visit, written


def _many() -> list[Row]:
    people = [person(f"Q-{n}") for n in range(60)]
    visits = [visit(f"W-{n}", "10.00", patient_id=f"Q-{n % 60}") for n in range(90)]
    return [*people, *visits, *totals(b0="900.00")]


@pytest.mark.parametrize("commits", [1, 2, 3, 4, 5])
def test_killed_anywhere_the_same_command_ends_as_if_nothing_had_been(move: Takeover, commits: int) -> None:
    path = move.write(written([*EXAMPLE[:9], *_many()[:-8], *totals(b0="900.00", b61="120.00", b121="80.00",
                                                                    credits="15.00")]), "opening.csv")
    with pytest.raises(PowerCut):
        files.import_file(path, FailingStore(move.store, commits), move.opening_job(), lambda report: None)
    for taken in move.taken():
        assert taken.released_at is None
    report = move.take_file(path)
    assert report.outcome == "posted"
    assert (len(move.taken()), move.open_holds().count("carried_over"), len(move.plans())) == (92, 92, 1)
    assert move.store.read(lambda s: (s.query(ImportRun).count(), s.query(CsvRow).count())) == (1, 9 + 150)
    assert move.balances(report) == 90_000 + 12_000
    assert move.account("A-1").total.placed_minor == 8_000
    move.check()


def test_a_visit_is_held_in_the_very_commit_that_brings_it(small_move: Takeover) -> None:
    path = small_move.write(written(_many()), "opening.csv")
    for commits in range(1, 12):
        with contextlib.suppress(PowerCut):
            files.import_file(path, FailingStore(small_move.store, commits), small_move.opening_job(), lambda r: None)
        assert small_move.open_holds() == ["carried_over"] * len(small_move.taken())
    assert len(small_move.taken()) == 90


def test_a_release_that_is_killed_goes_on_with_the_accounts_that_are_left(small_move: Takeover) -> None:
    report = small_move.take(*_many())
    small_move.hire()
    first = small_move.store.read(lambda s: _waiting(small_move, s, report.import_id or ""))[0]
    small_move.release_account(report.import_id or "", first, "bea")
    assert len(small_move.release(report)) == 59
    assert small_move.open_holds() == []


def _waiting(move: Takeover, session: Session, import_id: str) -> list[str]:
    return opening_release.accounts(session, move.practice_id, import_id)
