"""The fixed line in a third language; an empty one where we have none, so that ours stands alone.

Which lines may be used is the practice's policy (``interpreter_lines``): each needs a qualified translator's eye first.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("foreign.toml")


@cache
def _lines() -> dict[str, dict[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def line(iso: str) -> str:
    """The reviewed words in the language of an ISO 639-1 code."""
    return _lines().get(iso, {"line": ""})["line"]


def languages() -> tuple[str, ...]:
    """ISO 639-1 codes of the languages that have a line."""
    return tuple(_lines())
