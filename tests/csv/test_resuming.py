"""An import that is killed between two batches goes on where it stopped, and posts every row once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from billing.store.tables import CsvRow, ImportRun
from bot.importing import files
from bot.write import Store
from tests.csv.world import World, charge, filled, paid

T = TypeVar("T")


class PowerCut(Exception):
    """The machine is gone."""


@dataclass
class FailingStore:
    """The real store, until it has committed as often as it may."""

    store: Store
    commits: int

    def write(self, fn: Callable[[Session], T]) -> T:
        if self.commits == 0:
            raise PowerCut
        self.commits -= 1
        return self.store.write(fn)

    def read(self, fn: Callable[[Session], T]) -> T:
        return self.store.read(fn)


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_an_interrupted_import_goes_on_and_ends_as_if_nothing_had_been(world: World, commits: int) -> None:
    rows = [charge(f"V-{n % 40}", "10.00", id=f"T-{n}", payer="Aetna") for n in range(120)]
    path = world.write(filled("charges", *rows, charge("V-bad", "ten")), "charges.csv")
    failing = FailingStore(world.store, commits)
    with pytest.raises(PowerCut):
        files.import_file(path, failing, world.job(skip=True), lambda report: None)
    report = world.load(path, skip=True)
    assert (report.outcome, report.tally) == ("partial", {"posted": 120, "skipped": 1})
    assert set(world.open_minor(*(f"V-{n}" for n in range(40))).values()) == {3_000}
    assert world.store.read(lambda s: (s.query(ImportRun).count(), s.query(CsvRow).count())) == (1, 121)
    world.check()


def test_until_an_import_is_finished_nothing_that_it_touched_is_due(world: World) -> None:
    world.give("charges", *(charge(f"V-{n}", "10.00", id=f"T-{n}") for n in range(60)))
    path = world.write(filled("payments", *(paid(f"V-{n}", "1.00", id=f"P-{n}") for n in range(60))), "payments.csv")
    with pytest.raises(PowerCut):
        files.import_file(path, FailingStore(world.store, 2), world.job(), lambda report: None)
    assert (world.visit("V-0").due_now_minor, world.visit("V-0").pending_minor) == (0, 900)
    world.load(path)
    assert world.visit("V-0").due_now_minor == 900
