"""Plain words for the payers' adjustment reasons and remarks, our own, in English and Spanish."""

from __future__ import annotations

from templates import languages


def _table(language: str) -> dict[str, dict[str, str]]:
    return languages.words("carc", language)


def carc(code: str, language: str) -> str | None:
    """What an adjustment reason means. ``code`` with or without its group: ``45``, ``CO-45``, ``pr-1``.

    None for a code that we have no words for: say then that the plan changed the amount, and let staff look.
    """
    reason = code.strip().upper().rpartition("-")[2]
    return _table(language)["carc"].get(reason.lstrip("0") if reason.isdigit() else reason)


def remark(code: str, language: str) -> str | None:
    """What a remark code (``N781``, ``MA130``) means, or None."""
    return _table(language)["remark"].get(code.strip().upper())


def known_reasons() -> frozenset[str]:
    return frozenset(_table("en")["carc"])


def known_remarks() -> frozenset[str]:
    return frozenset(_table("en")["remark"])
