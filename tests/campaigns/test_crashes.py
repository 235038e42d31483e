"""A campaign killed (-9) at any of its points, and begun again, tells everybody once and nobody twice."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.failpoints import CAMPAIGN, DELIVER
from tests.campaigns.world import Town
from tests.road.forking import live_once, running

KILLED = -9
ACCOUNTS = 5


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.campaigns.process") as started:
        yield started


@pytest.fixture
def approved(town: Town) -> str:
    """Five accounts and an approved campaign; its id."""
    for number in range(1, ACCOUNTS + 1):
        town.account(number)
    campaign_id = town.campaign()
    town.preview(campaign_id)
    town.approve(campaign_id)
    return campaign_id


class Machine:
    """Lives of the process, one after another."""

    def __init__(self, process: subprocess.Popen[str], town: Town, url: str, folder: Path, campaign_id: str) -> None:
        self.process, self.town, self.url, self.campaign_id = process, town, url, campaign_id
        self.journal = folder / "journal"

    def live(self, failpoint: str = "", minutes: int = 0) -> int:
        self.town.clock.at += timedelta(minutes=minutes)
        return live_once(self.process, {
            "url": self.url, "journal": str(self.journal), "now": self.town.clock().isoformat(),
            "failpoint": failpoint, "campaign": self.campaign_id})

    def recover(self) -> None:
        """Enough undisturbed lives for leases to run out and for two look-ups ten minutes apart."""
        for _ in range(3):
            assert self.live(minutes=11) == 0

    def check(self) -> None:
        lines = self.journal.read_text(encoding="utf-8").splitlines()
        told = Counter(json.loads(line)["outbox_id"] for line in lines)
        assert len(told) == ACCOUNTS and set(told.values()) == {1}, "somebody was told twice, or not at all"
        assert set(self.town.fates(self.campaign_id).values()) == {("queued", "")}
        assert list(self.town.messages().values()) == ["sent"] * ACCOUNTS
        assert self.town.row(self.campaign_id).status == "done"


@pytest.fixture
def machine(process: subprocess.Popen[str], town: Town, database_url: str, tmp_path: Path, approved: str) -> Machine:
    return Machine(process, town, database_url, tmp_path, approved)


def test_an_undisturbed_life_tells_everybody(machine: Machine) -> None:
    assert machine.live() == 0
    machine.check()


@pytest.mark.parametrize("passing", [1, 3])
@pytest.mark.parametrize("failpoint", [*CAMPAIGN, "deliver.marked", "deliver.posted", "deliver.recorded"])
def test_killed_at_a_point_nobody_is_lost_and_nobody_is_told_twice(
        machine: Machine, failpoint: str, passing: int) -> None:
    first = machine.live(f"{failpoint}:{passing}")
    assert first == KILLED or (passing == 3 and first == 0)
    machine.recover()
    machine.check()


@pytest.mark.parametrize("again", ["campaign.settled", "campaign.committed", "deliver.claimed"])
@pytest.mark.parametrize("failpoint", ["campaign.queued", "campaign.committed", "deliver.posted"])
def test_killed_again_while_it_goes_on(machine: Machine, failpoint: str, again: str) -> None:
    assert machine.live(failpoint) == KILLED
    machine.live(again, minutes=3)
    machine.live(again, minutes=11)
    machine.recover()
    machine.check()


def test_killed_while_the_rows_are_laid_out_nothing_was_begun(machine: Machine) -> None:
    assert machine.live("campaign.started") == KILLED
    assert machine.town.row(machine.campaign_id).status == "approved"
    assert machine.town.fates(machine.campaign_id) == {}


def test_the_points_of_delivery_named_here_are_points() -> None:
    assert {"deliver.marked", "deliver.posted", "deliver.recorded", "deliver.claimed"} <= set(DELIVER)
