"""Names of services and places. The practice's own words come first; CPT's descriptions are nobody's but the AMA's."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from templates import languages
from templates.statement_words import words

_HERE = Path(__file__).parent


def _services(language: str) -> dict[str, str]:
    return languages.words("hcpcs", language)


@cache
def _places() -> dict[str, dict[str, str]]:
    return tomllib.loads((_HERE / "places.toml").read_text(encoding="utf-8"))


def procedure_words(code: str, language: str, practice_words: str | None) -> str:
    """The practice's words, else our words for an HCPCS level II code, else ``Service code 12345``."""
    if practice_words and practice_words.strip():
        return practice_words.strip()
    known = _services(language).get(code.strip().upper())
    said = words(language)
    return known or (said["code_words"].format(code=code.strip()) if code.strip() else str(said["service"]))


def place_words(code: str | None, language: str) -> str | None:
    """The name of a place-of-service code, or None when there is none or it is unknown (837I bill types)."""
    entry = _places().get((code or "").strip())
    return None if entry is None else entry.get(language, entry["en"])
