"""How long the command line takes to start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.result import Result, seconds


def measure() -> Iterator[Result]:
    """Yield the duration of ``plainbill --help``."""
    command = [sys.executable, "-m", "bot", "--help"]
    yield Result("plainbill --help", seconds(lambda: subprocess.run(command, check=True, capture_output=True)) * 1000,
                 "ms")
