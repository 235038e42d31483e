"""Words, money and days of the sheets of paper: statement, itemised bill, receipt."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date

from templates import languages
from templates.format import LOCALES, as_date
from templates.format import day as format_day
from templates.format import money as format_money
from templates.format import phone as format_phone

HERE = Path(__file__).parent
#: Scripts that the built-in fonts of the PDF maker can print; PDF/UA-1 refuses a character without a shape.
PRINTABLE_SCRIPTS = frozenset({"latin", "cyrillic"})


def words(language: str) -> dict[str, Any]:
    """The word list of ``language``; English where the practice has no other."""
    return languages.words("statement", language)


def money(minor: int, language: str, currency: str = "USD") -> str:
    """Cents as the reader writes them, a true minus before the sign: ``−$12.50``."""
    text = format_money(abs(minor), currency, _known(language))
    return "\u2212" + text if minor < 0 else text


def day(value: str | date | None, language: str) -> str:
    """``2026-12-03`` as ``December 3, 2026``; empty for none."""
    return format_day(value, _known(language)) if value else ""


def short_day(value: str | date | None, language: str) -> str:
    """``Dec 3, 2026``; empty for none."""
    return _short(as_date(value), _known(language)) if value else ""


@lru_cache(maxsize=4096)  # a list says the same few days again and again
def _short(on: date, language: str) -> str:
    text = format_date(on, "medium", locale=LOCALES[language])
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def phone_words(phone: str) -> str:
    """``+12125550199`` as ``(212) 555-0199``; what is no number stays as it was written."""
    return format_phone(phone, "en")


def _known(language: str) -> str:
    return language if language in LOCALES else "en"


@cache
def _language_lines() -> tuple[dict[str, str], ...]:
    return tuple(tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8"))["line"])


def language_lines() -> list[dict[str, Any]]:
    """The notice of free language help (T-55): lang, script, rtl, text. Web pages show every line."""
    return [{**line, "rtl": line["script"] == "arabic"} for line in _language_lines()]


def printable(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines that the paper's own fonts have shapes for."""
    return [line for line in lines if line["script"] in PRINTABLE_SCRIPTS]
