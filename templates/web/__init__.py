"""Patients' pages: Jinja2 with autoescape and strict names, words beside them, one small style sheet, no script."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
LANGUAGES = ("en", "es")
_NUMBER = re.compile(r"(\(\d{3}\) \d{3}-\d{4})")


@cache
def words(language: str) -> dict[str, Any]:
    """The page words of a language; a test compares the keys of all of them."""
    return tomllib.loads((_HERE / f"words.{language}.toml").read_text(encoding="utf-8"))


@cache
def style() -> str:
    return (_HERE / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)
    made.filters["telephones"] = telephones
    return made


def telephones(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with the number that a phone dials for it; empty for what is no American number."""
    return [(piece, "+1" + re.sub(r"\D", "", piece) if _NUMBER.fullmatch(piece) else "")
            for piece in _NUMBER.split(text) if piece]


def page(name: str, language: str, arguments: Mapping[str, Any]) -> str:
    """Render ``name.html`` in ``language`` ("en" or "es"). Raises UndefinedError for a name that was not given.

    ``query`` is what the language switch has to keep of the address, ready for one more pair.
    """
    other = next(one for one in LANGUAGES if one != language)
    return _environment().get_template(f"{name}.html").render(
        {"query": "", **arguments, "w": words(language), "lang": language, "other": other})


def choose(*wanted: str | None) -> str:
    """The first of ``wanted`` that we write, reading an Accept-Language header in its order; English otherwise."""
    for value in wanted:
        for part in (value or "").lower().split(","):
            code = part.split(";")[0].strip()[:2]
            if code in LANGUAGES:
                return code
    return LANGUAGES[0]
