"""Commands run as a user runs them: in a process of their own, in an empty folder, with a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def plainbill(tmp_path: Path) -> Run:
    """Run ``plainbill ARGUMENTS`` with the settings given as keywords (``PORT="1"``)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAINBILL_")}

    def run(*arguments: str, text: str = "", **settings: str) -> Outcome:
        environment = clean | {"PYTHONPATH": str(ROOT)} | {f"PLAINBILL_{name}": value for name, value in settings.items()}
        done = subprocess.run([sys.executable, "-m", "bot", *arguments], cwd=tmp_path, env=environment, input=text,
                              capture_output=True, text=True, timeout=60, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
