"""Slots from free text: amounts, days, counts, choices, identity. By grammar only, and never guessed (issue of later
understanding models: they may choose an intent, never a slot).
"""

from __future__ import annotations

import re
from datetime import date

from handlers.core import Slots
from handlers.understanding import amounts, choices, dates
from handlers.understanding.folding import fold

_COUNT = re.compile(r"\b(?:in|en|over|make|split into|dividir en)? ?(\d{1,2}) "
                    r"(?:equal |monthly |easy )?(?:payments?|installments?|instalments?|parts|months|pagos|cuotas|"
                    r"plazos|partes|meses|mensualidades)\b")
_VISIT = re.compile(r"\b(?:visit|visita|bill|cuenta|item) ?(?:number|numero|no\.?|#)? ?#?(\d{1,2})\b(?![.,/]\d)")
_INTERVALS = (
    ("two_weeks", r"every (?:two|2|other) weeks?|bi ?weekly|cada (?:dos|2) semanas|quincenal\w*|cada quincena"),
    ("twice_month", r"twice a month|(?:two|2) times a month|dos veces al mes|2 veces al mes"),
    ("week", r"(?:a|per|every|each) week|weekly|(?:a la|por|cada) semana|semanal\w*"),
    ("month", r"(?:a|per|every|each) month|monthly|al mes|por mes|cada mes|mensual\w*"))
_PAYING = re.compile(r"\b(?:pay|paying|payment of|send|pague|pago de|pagar|pagare|pagarle|abonar|abono|mandar|dar)\b")


def find_slots(text: str, language: str, today: date, expects: str = "") -> Slots:
    """``expects`` is what the last question asked for (State.data["expects"]): amount, choice, identity or nothing."""
    folded, digits = fold(text), _digits(text, language)
    count, interval = _count(digits), _interval(folded)
    day, day_of_month = dates.find_date(digits, today)
    identity = expects == "identity"
    born = dates.find_birth(digits, today)
    amount = amounts.Amount() if identity else _amount(digits, folded, today, expects)
    return Slots(
        amount_minor=amount.minor, amount_is_all=amount.is_all, ambiguous_amount=amount.ambiguous,
        date=None if identity else day, day_of_month=None if identity else day_of_month, count=count,
        interval=interval, choices=choices.find_choices(digits), born_on=born,
        visit=_visit(digits), postal_code=dates.find_postal_code(digits, today) if identity or born else None)


def _digits(text: str, language: str) -> str:
    """Number words in the text's language, or in the other one where that finds none ("cincuenta dólares")."""
    said = amounts.to_digits(text, language)
    if any(character.isdigit() for character in said):
        return said
    return amounts.to_digits(text, "en" if language == "es" else "es")


def _visit(digits: str) -> str | None:
    match = _VISIT.search(digits)
    return match[1] if match else None


def _amount(digits: str, folded: str, today: date, expects: str) -> amounts.Amount:
    rest = _VISIT.sub(" ; ", _COUNT.sub(" ; ", dates.without_dates(digits, today)))
    return amounts.find_amount(rest, folded, expects == "amount" or bool(_PAYING.search(folded)))


def _count(digits: str) -> int | None:
    match = _COUNT.search(digits)
    return int(match[1]) if match and int(match[1]) > 0 else None


def _interval(folded: str) -> str | None:
    return next((name for name, pattern in _INTERVALS if re.search(rf"\b(?:{pattern})\b", folded)), None)
