"""Killed in the middle of a day, the calendar goes on where it was: nobody is told twice, nobody is left out."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from tests.dunning.house import House
from tests.road.forking import live_once, running

ACCOUNTS = 4


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.dunning.killed") as started:
        yield started


def run(process: subprocess.Popen[str], url: str, house: House, failpoint: str = "") -> int:
    return live_once(process, {"url": url, "now": house.clock().isoformat(), "failpoint": failpoint})


@pytest.mark.parametrize("failpoint", ["dunning.worked:1", "dunning.worked:3", "dunning.committed:2"])
def test_killed_at_any_account_the_day_is_finished_once(
        house: House, database_url: str, process: subprocess.Popen[str], failpoint: str) -> None:
    accounts = [house.account(f"acct_{n}", f"K{n}", phone=f"+1212555020{n}") for n in range(ACCOUNTS)]
    house.at(date(2026, 11, 3), 12, 5)
    assert run(process, database_url, house, failpoint) == -9
    before = sum(len(house.messages(one)) for one in accounts)
    assert before < ACCOUNTS
    assert run(process, database_url, house) == 0
    assert run(process, database_url, house) == 0
    assert Counter(len(house.messages(one)) for one in accounts) == {1: ACCOUNTS}
