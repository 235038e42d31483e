"""Which visit a text is about: its number in a list that we sent, or the month that it was in."""

from __future__ import annotations

import re

from handlers.understanding.dates import MONTHS

_NUMBER = re.compile(r"\b(?:visit|visita|bill|cuenta|item) ?(?:number|numero|no\.?|#)? ?#?(\d{1,2})\b(?![.,/]\d)")
_MONTH = "|".join(sorted((name for name in MONTHS if len(name) > 3), key=len, reverse=True))
_DAY = r"(?:\s+(?:the )?\d{1,2}(?:st|nd|rd|th)?)?"
_OF_MONTH = re.compile(
    rf"\b(?:visits?|visitas?|citas?|appointments?) (?:was |fue )?(?:of|from|on|in|back in|de|del|en) "
    rf"(?:(?:the |el )?\d{{1,2}}(?:st|nd|rd|th)? (?:of|de) )?(?P<a>{_MONTH}){_DAY}(?!\w)|"
    rf"\b(?:bills?|statements?|charges?|balance|cuentas?|facturas?|cargos?|cobros?|saldo) (?:of|from|de|del) "
    rf"(?P<b>{_MONTH})(?!\w)|"
    rf"\b(?:the|my|that|your|this) (?P<c>{_MONTH}){_DAY} "
    rf"(?:visits?|bills?|statements?|charges?|appointments?|balance)\b|"
    rf"\b(?P<d>{_MONTH}) (?:visit|appointment)s?\b")
_ENGLISH = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december")


def find_visit(digits: str) -> tuple[str | None, str]:
    """(``"2"`` or ``"march"`` or None, the text without it). A month is named in English, whatever the text is in;
    its year is not guessed. A visit's day must not be read as a day to pay on, so it goes with the visit.
    """
    for pattern in (_NUMBER, _OF_MONTH):
        if match := pattern.search(digits):
            said = next(filter(None, match.groups()))
            visit = said if said.isdecimal() else _ENGLISH[MONTHS[said] - 1]
            return visit, pattern.sub(" ; ", digits)
    return None, digits
