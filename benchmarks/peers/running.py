"""Runs a peer's script in the peers' environment, and says by name what could not be measured."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"


class NotMeasured(Exception):
    """A peer that is not installed or did not run; the text names it."""


def run(peer: str, script: str, *arguments: str) -> dict[str, float]:
    """Return what the script of ``peer`` measured: two-leg entries a second, by way of posting. Raises NotMeasured."""
    if not PYTHON.exists():
        raise NotMeasured(f"{peer}: not installed (make bench puts it into {PYTHON.parents[1].name})")
    done = subprocess.run([str(PYTHON), str(Path(__file__).parent / script), *arguments], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotMeasured(f"{peer}: {last}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
