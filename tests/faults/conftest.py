"""The process that is killed, started once per file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.road.forking import running


@pytest.fixture(scope="module")
def doomed() -> Iterator[subprocess.Popen[str]]:
    with running("tests.faults.process") as started:
        yield started
