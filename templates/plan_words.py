"""Words of instalment plans, cards on file and the year's payments, on pages and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from babel.dates import format_time

from templates import languages
from templates.format import LOCALES


def words(language: str) -> dict[str, Any]:
    """The word list of ``language``; English where the practice has no other."""
    return languages.words("plan", language)


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
