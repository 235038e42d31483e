"""Killed in the middle of a day, the calendar goes on where it was: nobody is told twice, nobody is left out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.dunning.house import House

ROOT = Path(__file__).parents[2]
ACCOUNTS = 4


def run(url: str, house: House, failpoint: str = "") -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLAINBILL_FAILPOINT": failpoint}
    command = [sys.executable, "-m", "tests.dunning.killed", url, house.clock().isoformat()]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True).returncode


@pytest.mark.parametrize("failpoint", ["dunning.worked:1", "dunning.worked:3", "dunning.committed:2"])
def test_killed_at_any_account_the_day_is_finished_once(house: House, database_url: str, failpoint: str) -> None:
    accounts = [house.account(f"acct_{n}", f"K{n}", phone=f"+1212555020{n}") for n in range(ACCOUNTS)]
    house.at(date(2026, 11, 3), 12, 5)
    assert run(database_url, house, failpoint) == -9
    before = sum(len(house.messages(one)) for one in accounts)
    assert before < ACCOUNTS
    assert run(database_url, house) == 0
    assert run(database_url, house) == 0
    assert Counter(len(house.messages(one)) for one in accounts) == {1: ACCOUNTS}
