"""Slots from free text: amounts, days, counts, choices, identity. By grammar only, and never guessed (issue of later
understanding models: they may choose an intent, never a slot).
"""

from __future__ import annotations

import re
from datetime import date

from handlers.core import Slots
from handlers.understanding import amounts, choices, dates, visits
from handlers.understanding.folding import fold

_COUNT = re.compile(r"\b(?:in|en|over|make|split into|dividir en)? ?(\d{1,2}) "
                    r"(?:equal |monthly |easy )?(?:payments?|installments?|instalments?|parts|months|pagos|cuotas|"
                    r"plazos|partes|meses|mensualidades)\b")
#: "Split it in 3", where no word for the parts follows.
_SPLIT = re.compile(
    r"\b(?:split|divid\w*|break|partir\w*|separar\w*|pagar\w*)"
    r"(?: (?:it|this|that|my bill|the bill|them|lo|la|up|mi cuenta|la cuenta|todo|esto))* (?:in|into|by|en|entre) "
    r"(\d{1,2})\b(?![.,/]?\d| ?(?:days?|weeks?|dias?|semanas?|dollars?|dolar\w*|%|de))")
_INTERVALS = (
    ("two_weeks", (r"every (?:two|2|other) weeks?|every (?:14|15) days|bi ?weekly|fortnight\w*|cada (?:dos|2) semanas|"
                   r"cada (?:14|15|quince|catorce) dias|quincenal\w*|(?:cada|por|a la) quincena")),
    ("twice_month", (r"twice (?:a|each|every) month|(?:two|2) times a month|(?:dos|2) veces al mes|"
                     r"(?:the )?1st and (?:the )?15th|(?:el )?(?:1|1ro|primero) y (?:el )?(?:15|quince)")),
    ("week", r"(?:a|per|every|each) w(?:ee)?k|weekly|(?:a la|por|cada) semana|semanal\w*|every 7 days"),
    ("month", r"(?:a|per|every|each) mo(?:nth)?|monthly|al mes|por mes|cada mes|mensual\w*|every 30 days"))
_PASSCODE = re.compile(r"(?<![\d$.,/-])(\d{6}|\d{3}-\d{3})(?![\d,/-]|\.\d)")
_PROOF = re.compile(r"\s*(?:\d{6}[\s,;]+\d{5}|\d{5}[\s,;]+\d{6})\s*")
_PAYING = re.compile(r"\b(?:pay|paying|payment of|send|pague|pago de|pagar|pagare|pagarle|abonar|abono|mandar|dar)\b")


def find_slots(text: str, language: str, today: date, expects: str = "") -> Slots:
    """``expects`` is what the last question asked for (State.data["expects"]): amount, choice, identity or nothing."""
    folded, digits = fold(text), with_digits(text, language)
    picked = choices.find_choices(digits)
    visit, digits = visits.find_visit(digits)
    count, interval = _count(digits), _interval(folded)
    day, day_of_month = dates.find_date(digits, today)
    identity = expects == "identity"
    born = dates.find_birth(digits, today)
    code = _passcode(digits, identity)
    amount = amounts.Amount() if identity else _amount(digits, folded, today, expects)
    return Slots(
        amount_minor=amount.minor, amount_is_all=amount.is_all, ambiguous_amount=amount.ambiguous,
        date=None if identity else day, day_of_month=None if identity else day_of_month, count=count,
        interval=interval, choices=picked, born_on=born,
        visit=visit, passcode=code,
        postal_code=dates.find_postal_code(digits, today) if identity or born or code else None)


def _passcode(digits: str, identity: bool) -> str | None:
    """Six digits that identity was asked by; unasked only with a ZIP code and nothing else, as a proof is written."""
    if not identity and not _PROOF.fullmatch(digits):
        return None
    found = {number.replace("-", "") for number in _PASSCODE.findall(digits)}
    return found.pop() if len(found) == 1 else None


def with_digits(text: str, language: str) -> str:
    """Number words in the text's language, or in the other one where that finds none ("cincuenta dólares")."""
    said = amounts.to_digits(text, language)
    if any(character.isdigit() for character in said):
        return said
    return amounts.to_digits(text, "en" if language == "es" else "es")


def _amount(digits: str, folded: str, today: date, expects: str) -> amounts.Amount:
    rest = _SPLIT.sub(" ; ", _COUNT.sub(" ; ", dates.without_dates(digits, today)))
    return amounts.find_amount(rest, folded, expects == "amount", bool(_PAYING.search(folded)))


def _count(digits: str) -> int | None:
    match = _COUNT.search(digits) or _SPLIT.search(digits)
    return int(match[1]) if match and int(match[1]) > 0 else None


def _interval(folded: str) -> str | None:
    return next((name for name, pattern in _INTERVALS if re.search(rf"\b(?:{pattern})\b", folded)), None)
