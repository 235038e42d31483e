"""Words, money and days of the sheets of paper: statement, itemised bill, receipt."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency

HERE = Path(__file__).parent
LOCALES = {"en": "en_US", "es": "es_US"}
#: Scripts that the built-in fonts of the PDF maker can print; PDF/UA-1 refuses a character without a shape.
PRINTABLE_SCRIPTS = frozenset({"latin", "cyrillic"})


@cache
def words(language: str) -> dict[str, Any]:
    """The word list of ``language``; English where the practice has no other."""
    code = language if language in LOCALES else "en"
    return tomllib.loads((HERE / f"statement.{code}.toml").read_text(encoding="utf-8"))


def money(minor: int, language: str, currency: str = "USD") -> str:
    """Cents as the reader writes them, a true minus before the sign: ``−$12.50``. Plain spaces only."""
    text = format_currency(Decimal(abs(minor)).scaleb(-2), currency, locale=LOCALES.get(language, "en_US"))
    return ("\u2212" if minor < 0 else "") + text.replace("\u00a0", " ").replace("\u202f", " ")


def day(value: str | date | None, language: str) -> str:
    """``2026-12-03`` as ``December 3, 2026``; empty for none."""
    if not value:
        return ""
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return format_date(on, "long", locale=LOCALES.get(language, "en_US")).replace("\u00a0", " ")


def short_day(value: str | date | None, language: str) -> str:
    if not value:
        return ""
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return format_date(on, "medium", locale=LOCALES.get(language, "en_US")).replace("\u00a0", " ")


def phone_words(phone: str) -> str:
    """``+12125550199`` as ``(212) 555-0199``; anything else as it was written."""
    if len(phone) == 12 and phone.startswith("+1") and phone[2:].isdigit():
        return f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}"
    return phone


@cache
def _language_lines() -> tuple[dict[str, str], ...]:
    return tuple(tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8"))["line"])


def language_lines(scripts: frozenset[str] | None = None) -> list[dict[str, Any]]:
    """The notice of free language help (T-55): lang, rtl, text. ``scripts`` limits it to what can be printed."""
    return [{"lang": line["lang"], "rtl": line["script"] == "arabic", "text": line["text"]}
            for line in _language_lines() if scripts is None or line["script"] in scripts]
