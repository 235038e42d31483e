"""Amounts and days as people type them into a form: no float, nothing guessed."""

from __future__ import annotations

import re
from datetime import date

_AMOUNT = re.compile(r"\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{1,2}))?\s*\$?")


def cents(text: str) -> int | None:
    """``40``, ``$1,800`` and ``37.50`` in cents; None for what is no amount of dollars."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    dollars, part = found.group(1).replace(",", ""), found.group(2) or ""
    return int(dollars) * 100 + int(part.ljust(2, "0") or "0")


def day(text: str) -> date | None:
    """``2026-12-15``, as date fields send it, and ``12/15/2026``, as people write it where there is no such field."""
    text = text.strip()
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        text = f"{match.group(3)}-{match.group(1):0>2}-{match.group(2):0>2}"
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
