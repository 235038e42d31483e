"""Money, days, times and telephone numbers as people in the United States read them, in English and Spanish.

Amounts come as whole cents beside a currency and become a Decimal made of integers: no binary fraction on the way.
Babel writes non-breaking spaces in many places; one of them turns an SMS into UCS-2, so plain ones replace them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
from babel.dates import format_date
from babel.numbers import format_currency

from templates import languages

LOCALES = languages.LOCALES
#: Of texts: those that have a folder of messages. Pages may have more (templates/languages.py).
LANGUAGES = tuple(code for code in LOCALES if (Path(__file__).parent / code).is_dir())

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " "})
_AND = {"en": " and ", "es": " y "}
_DAYS = {"en": {"weekday": "Mon-Fri", "saturday": "Sat", "sunday": "Sun"},
         "es": {"weekday": "lun-vie", "saturday": "sáb", "sunday": "dom"}}


def money(amount_minor: int, currency: str, language: str) -> str:
    """``4500`` beside ``USD`` is ``$45.00``; a negative amount keeps its sign."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise TypeError("an amount of money must be whole cents")
    return _currency(amount_minor, currency, LOCALES[language])


@lru_cache(maxsize=4096)
def _currency(amount_minor: int, currency: str, locale: str) -> str:
    """Kept: a page says dozens of amounts, most of them again and again, and each takes a tenth of a millisecond."""
    return format_currency(Decimal(amount_minor).scaleb(-2), currency, locale=locale).translate(_SPACES)


def day(value: date | str, language: str) -> str:
    """``March 4, 2026``, ``4 de marzo de 2026``."""
    return format_date(as_date(value), "long", locale=LOCALES[language]).translate(_SPACES)


def short_day(value: date | str, language: str) -> str:
    """For lists of days: ``Mar 4, 2026``, ``4 mar 2026``."""
    pattern = "MMM d, y" if language == "en" else "d MMM y"
    return format_date(as_date(value), pattern, locale=LOCALES[language]).translate(_SPACES)


def month(value: date | str, language: str) -> str:
    """The month of a visit, all that a text may say of its date: ``March 2026``, ``marzo de 2026``."""
    pattern = "MMMM y" if language == "en" else "MMMM 'de' y"
    return format_date(as_date(value), pattern, locale=LOCALES[language])


def moment(value: datetime | str, language: str) -> str:
    """A time of day and its day, in the zone the instant carries: ``5 PM on Tuesday, March 4``."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    if language == "en":
        return f"{clock(at.time(), language)} on {format_date(at.date(), 'EEEE, MMMM d', locale='en_US')}"
    hour = clock(at.time(), language)
    article = "la" if hour.startswith(("1 ", "1:")) else "las"
    named = format_date(at.date(), "EEEE d 'de' MMMM", locale="es_US")
    return f"{article} {hour} del {named}"


def clock(value: time, language: str) -> str:
    """``9 AM``, ``5:30 PM``; in Spanish ``9 a.m.``."""
    half = ("AM", "PM") if language == "en" else ("a.m.", "p.m.")
    minutes = f":{value.minute:02d}" if value.minute else ""
    return f"{value.hour % 12 or 12}{minutes} {half[value.hour >= 12]}"


def hours(spans: Sequence[Sequence[str]], language: str) -> str:
    """Office hours from ``[["weekday", "09:00", "17:00"], ["saturday", ...]]``; days not named are closed."""
    said = (f"{_DAYS[language][days]} {_span(opens, closes, language)}" for days, opens, closes in spans)
    return ", ".join(said)


@lru_cache(maxsize=1024)  # the practice's own number is on every page
def phone(value: str, language: str) -> str:
    """``(212) 555-0199`` for an American number; what does not parse is shown as the practice wrote it."""
    try:
        number = phonenumbers.parse(value, "US")
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def visit_month(visit: Mapping[str, Any], language: str) -> str:
    """The month of ``{"on": day or None, ...}``; a visit without a day says so."""
    return month(visit["on"], language) if visit["on"] else {"en": "Undated", "es": "fecha desconocida"}[language]


def of_visits(visits: Sequence[Mapping[str, Any]], language: str) -> str:
    """What an amount is for: ``your visit in March 2026``, ``your 3 visits from March 2026 to May 2026``."""
    if not visits:
        return {"en": "your care", "es": "su atención"}[language]
    days = sorted(str(visit["on"]) for visit in visits if visit["on"])
    months = list(dict.fromkeys(month(each, language) for each in days))
    if language == "en":
        what = "your visit" if len(visits) == 1 else f"your {len(visits)} visits"
        return what + _months(months, " in {0}", " from {0} to {1}")
    what = "su visita" if len(visits) == 1 else f"sus {len(visits)} visitas"
    return what + _months(months, " de {0}", " de {0} a {1}")


def _months(months: Sequence[str], one: str, several: str) -> str:
    if not months:
        return ""
    return one.format(months[0]) if len(months) == 1 else several.format(months[0], months[-1])


_BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}


def card(value: Mapping[str, Any], language: str) -> str:
    """A card or bank account on file, by what its owner knows it by: ``Visa ending 4242``."""
    ending = {"en": "ending", "es": "que termina en"}[language]
    if value["kind"] == "card":
        return f"{_brand(str(value['brand']), language)} {ending} {value['last4']}"
    return f"{({'en': 'bank account', 'es': 'cuenta de banco'})[language]} {ending} {value['last4']}"


def _brand(brand: str, language: str) -> str:
    unknown = {"en": "card", "es": "tarjeta"}[language]
    return _BRANDS.get(brand.lower(), brand.capitalize() if brand and brand != "unknown" else unknown)


_OFTEN = {"en": {"week": "each week", "two_weeks": "every two weeks", "twice_month": "twice a month",
                 "month": "each month"},
          "es": {"week": "cada semana", "two_weeks": "cada dos semanas", "twice_month": "dos veces al mes",
                 "month": "cada mes"}}


def often(interval: str, language: str) -> str:
    """How often a plan is paid: ``every two weeks``."""
    return _OFTEN[language][interval]


def listing(values: Sequence[str], language: str) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(values) < 2:
        return "".join(values)
    return ", ".join(values[:-1]) + _AND[language] + values[-1]


def as_date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _span(opens: str, closes: str, language: str) -> str:
    return f"{clock(time.fromisoformat(opens), language)}-{clock(time.fromisoformat(closes), language)}"


_WEEK = {"en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
         "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábados", "domingos")}
_NAMED_DAYS = {"en": {"01234": "Monday to Friday", "56": "on weekends", "012345": "Monday to Saturday"},
               "es": {"01234": "de lunes a viernes", "56": "los fines de semana", "012345": "de lunes a sábado"}}
_ALWAYS = {"en": "at any time", "es": "a cualquier hora"}
_OR = {"en": " or ", "es": " o "}


def own_hours(value: str, language: str) -> str:
    """A patient's own hours, from ``18:00-24:00 01234``: ``after 6 PM, Monday to Friday``. Day 0 is Monday."""
    spans, _, days = value.partition(" ")
    said = (_own_span(*span.partition("-")[::2], language) for span in spans.split(","))
    parts = (_OR[language].join(filter(None, said)), _own_days(days, language))
    return ", ".join(filter(None, parts)) or _ALWAYS[language]


def _own_span(opens: str, closes: str, language: str) -> str:
    if (opens, closes) == ("00:00", "24:00"):
        return ""
    if closes == "24:00":
        return {"en": "after ", "es": "después de "}[language] + _hour(opens, language)
    if opens == "00:00":
        return {"en": "before ", "es": "antes de "}[language] + _hour(closes, language)
    both = {"en": "from {} to {}", "es": "de {} a {}"}[language]
    return both.format(_hour(opens, language), _hour(closes, language))


def _hour(written: str, language: str) -> str:
    said = clock(time.fromisoformat(written), language)
    if language == "en":
        return said
    return f"la {said}" if said.startswith(("1 ", "1:")) else f"las {said}"


def _own_days(days: str, language: str) -> str:
    if days == "0123456":
        return ""
    names = [_WEEK[language][int(day)] for day in days]
    return _NAMED_DAYS[language].get(days) or {"en": "on ", "es": "los "}[language] + listing(names, language)
