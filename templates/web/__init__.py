"""Patients' pages: Jinja2 with autoescape and strict names, words beside them, one small style sheet, no script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from templates import languages

_HERE = Path(__file__).parent
_NUMBER = re.compile(r"(\(\d{3}\) \d{3}-\d{4})")


def words(language: str) -> dict[str, Any]:
    """The page words of a language; a test compares the keys of all of them."""
    return languages.words("page", language)


def account_words(language: str) -> dict[str, Any]:
    """Those of the account's own pages."""
    return languages.words("account", language)


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
    """Render ``name.html`` in ``language``. Raises UndefinedError for a name that was not given.

    ``query`` is what the language switch has to keep of the address, ready for one more pair.
    """
    return _environment().get_template(f"{name}.html").render(
        {"query": "", **arguments, "w": words(language), "lang": language, "others": languages.others(language),
         "rtl": languages.find(language).rtl})


def choose(*wanted: str | None, among: Sequence[str] = ()) -> str:
    """The first of ``wanted`` that we write (or that is ``among`` those given), reading an Accept-Language header in
    its order; English otherwise.
    """
    known = among or languages.codes()
    for value in wanted:
        for part in (value or "").lower().split(","):
            code = part.split(";")[0].strip()[:2]
            if code in known:
                return code
    return known[0]
