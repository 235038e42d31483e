"""Failpoints: they kill where they are told to, cost nothing otherwise, and have no place in production."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot import failpoints

ROOT = Path(__file__).parents[2]


def run(setting: str, code: str) -> int:
    environment = {**os.environ, failpoints.VARIABLE: setting, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False).returncode


def test_an_armed_point_kills_the_process_without_any_tidying_up() -> None:
    assert run("deliver.posted", "from bot.failpoints import hit; hit('deliver.posted'); print('alive')") == -9


def test_a_count_lets_the_first_passings_through() -> None:
    code = "from bot.failpoints import hit; [hit('deliver.posted') for _ in range({})]"
    assert run("deliver.posted:3", code.format(2)) == 0
    assert run("deliver.posted:3", code.format(3)) == -9


def test_a_misspelt_point_is_an_error_not_a_test_that_kills_nothing() -> None:
    with pytest.raises(failpoints.FailpointError, match="they are: accept"):
        failpoints.make_killer("deliver.postd")


def test_unset_nothing_is_armed() -> None:
    assert run("", "from bot import failpoints; [failpoints.hit(name) for name in failpoints.NAMES]") == 0
    assert failpoints.make_killer("") is None


def test_production_refuses_an_armed_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, "deliver.posted")
    with pytest.raises(failpoints.FailpointError):
        failpoints.refuse_in_production(True)
    failpoints.refuse_in_production(False)


def test_every_declared_point_is_passed_somewhere_and_every_passed_one_is_declared() -> None:
    passed = {name for file in (ROOT / "bot").rglob("*.py")
              for name in re.findall(r'\bhit\("([a-z.]+)"\)', file.read_text(encoding="utf-8"))}
    assert passed == failpoints.NAMES
