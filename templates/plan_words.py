"""Words of instalment plans, cards on file and the year's payments, on pages and on paper."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_time

from templates.format import LOCALES

_HERE = Path(__file__).parent


@cache
def words(language: str) -> dict[str, Any]:
    """The word list of ``language``; English where the practice has no other."""
    known = language if language in LOCALES else "en"
    return tomllib.loads((_HERE / f"plan.{known}.toml").read_text(encoding="utf-8"))


def card_words(card: Mapping[str, str], language: str) -> str:
    """``Visa card ending in 4242``: what a patient knows a card or bank account by."""
    said = words(language)["card"]
    return str(said["bank" if card["kind"] == "bank" else "card"].format(
        brand=_BRANDS.get(card["brand"], card["brand"].capitalize()), last4=card["last4"])).replace("  ", " ")


#: As a processor writes them; any other is written with a capital.
_BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay", "unknown": "",
           "mastercard": "Mastercard"}


def clock(at: datetime, language: str) -> str:
    """``3:05 PM``: the time of day as the reader writes it; ``at`` is practice-local."""
    known = language if language in LOCALES else "en"
    return format_time(at, "short", locale=LOCALES[known]).replace("\u202f", " ").replace("\u00a0", " ")
