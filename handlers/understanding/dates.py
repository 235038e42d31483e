"""Dates in free text by grammar alone. Numbers go month first, as the United States writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

MONTHS = {name: number for number, names in enumerate((
    "january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo",
    "june jun junio", "july jul julio", "august aug agosto ago", "september sept sep septiembre setiembre",
    "october oct octubre", "november nov noviembre", "december dec diciembre dic"), 1) for name in names.split()}
_DAYS = {name: number for number, names in enumerate((
    "monday mon lunes", "tuesday tue tues martes", "wednesday wed miercoles", "thursday thu thurs jueves",
    "friday fri viernes", "saturday sat sabado", "sunday sun domingo")) for name in names.split()}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = "|".join(sorted(_DAYS, key=len, reverse=True))

_YEAR = r"(?P<y>\d{4}|'?\d{2})"
_PATTERNS_FULL = (
    r"(?<![\d/.-])(?P<y>(?:19|20)\d{2})[-/. ](?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})(?!\d)",
    rf"(?<!\d)(?P<m>\d{{1,2}})\s?[-/. ]\s?(?P<d>\d{{1,2}})\s?[-/. ,]\s?{_YEAR}(?!\d)",
    rf"\b(?P<name>{_MONTH})\.?\s+(?:the\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?:of\s+|de\s+|del\s+)?{_YEAR}(?!\d)",
    (rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:of\s+|de\s+)?(?P<name>{_MONTH})\.?,?[\s-]+"
     rf"(?:of\s+|de\s+|del\s+)?{_YEAR}(?!\d)"),
    r"(?<!\d)(?P<eight>\d{8})(?!\d)")
_FULL = tuple(re.compile(pattern) for pattern in _PATTERNS_FULL)
_SHORT = tuple(re.compile(pattern) for pattern in (
    rf"\b(?P<name>{_MONTH})\.?\s+(?:the\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*%)",
    rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+|de\s+)?(?P<name>{_MONTH})\b",
    r"(?<![\d$./-])(?P<m>\d{1,2})/(?P<d>\d{1,2})(?![\d/])"))
_MONTH_END = re.compile(r"\b(?:the )?(?:very )?end of (?:(?:the|this) )?(?P<next>next )?month\b|"
                        r"\b(?:a |para |el )?fin(?:es|al|ales)? (?:de|del)(?: este)? (?P<otro>proximo )?mes\b")
_MONTH_START = re.compile(r"\b(?:the )?(?:1st|first) of (?:the|each|every|next) month\b|"
                          r"\b(?:el )?(?:dia )?(?:primero|1ro) (?:de|del|de cada) mes\b|\bdia (?:primero|1ro)\b")
_AWAY = re.compile(r"\b(?:in|within|en|dentro de) (?P<a>\d{1,2}) (?P<b>days?|weeks?|dias?|semanas?)\b(?! of| de)|"
                   r"\b(?P<c>\d{1,2}) (?P<d>days?|weeks?) from (?:now|today)\b")
#: What is told of the past names no day to come.
_PAST = re.compile(
    r"\b(?:(?:i|we|ive|weve|he|she|already|was|been|have|had) (?:already |just )?(?:paid|sent|mailed|payed)|"
    r"paid (?:on|it|this|that|last|in)|yesterday|ago|last (?:week|month|year)|ya (?:lo |la )?pag\w+|"
    r"(?:yo|lo|la) pague|pagamos|se pago|ayer|anteayer|hace (?:\w+ )?(?:dias?|semanas?|mes|meses))\b|"
    r"(?<!que )\bpague (?:\$?\d|el\b|la\b|en\b|hace\b|todo\b)")
_LAST_DAY = re.compile(rf"\b(?:last|this past|past) (?:{_DAY})\b|\b(?:{_DAY}) pasado\b")
_DAY_OF_MONTH = re.compile(
    r"\b(?:on |by )?the (?P<a>\d{1,2})(?:st|nd|rd|th)\b(?! (?:one|visit|bill))|"
    r"\b(?P<b>\d{1,2})(?:st|nd|rd|th) of (?:the|each|every) month\b|"
    r"\b(?:el|dias?|para el)(?: dias?)? (?P<c>\d{1,2})\b(?! ?(?:dolar|pesos|%|de (?!cada)))|"
    r"\b(?P<e>\d{1,2})(?:st|nd|rd|th)\b(?! (?:one|visit|bill))")
_ZIP = re.compile(r"(?<![\d$.,/-])(\d{5})(?:[- ]?\d{4})?(?![\d,/]|\.\d)")
_RELATIVE = {"today": 0, "hoy": 0, "tonight": 0, "tomorrow": 1, "manana": 1, "tmrw": 1, "pasado manana": 2}

OLDEST = 120  # years


def find_birth(text: str, today: date) -> date | None:
    """A whole date in the past, at most 120 years ago; two different ones are none."""
    found = {day for day, _ in _full_dates(text, today, born=True)}
    return found.pop() if len(found) == 1 else None


def find_postal_code(text: str, today: date) -> str | None:
    """Five digits of a ZIP code (ZIP+4 is cut); two different ones are none."""
    rest = text
    for _, span in _full_dates(text, today, born=True):
        rest = rest.replace(text[span[0]:span[1]], " ; ")
    found = set(_ZIP.findall(rest))
    return found.pop() if len(found) == 1 else None


def find_date(text: str, today: date) -> tuple[date | None, int | None]:
    """A coming day and, where only that was said, the day of the month. Never in the past."""
    if _PAST.search(text):
        return None, None
    text = _LAST_DAY.sub(" ; ", text)
    for day, _ in _full_dates(text, today, born=False):
        return (day, None) if day >= today else (None, None)
    for day in _short_dates(text, today):
        return day, None
    if soon := _relative(text, today):
        return soon, None
    if match := re.search(rf"\b(?:{_DAY})\b", text):
        return today + timedelta((_DAYS[match[0]] - today.weekday() - 1) % 7 + 1), None
    return _next_day_of_month(_MONTH_START.sub("the 1st", text), today)


def _relative(text: str, today: date) -> date | None:
    """Days that follow from today by counting: tomorrow, in 10 days, the end of the month."""
    if match := _MONTH_END.search(text):
        return _month_end(today, 1 if match["next"] or match["otro"] else 0)
    if match := _AWAY.search(text):
        number, unit = int(match["a"] or match["c"]), match["b"] or match["d"]
        return today + timedelta(number * (7 if unit.startswith(("week", "semana")) else 1))
    for words, days in sorted(_RELATIVE.items(), key=lambda item: -len(item[0])):
        if re.search(rf"(?<!\bla )(?<!\bin the )\b{words}\b", text):
            return today + timedelta(days)
    return None


def _month_end(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month + months, 12)  # the first of the month after
    return date(year, month + 1, 1) - timedelta(1)


def without_dates(text: str, today: date) -> str:
    """``text`` with everything that is a date or a day of the month taken out, so that no number is read twice."""
    for _, (start, end) in sorted(_full_dates(text, today, born=False), key=lambda item: -item[1][0]):
        text = text[:start] + " ; " + text[end:]
    for pattern in _SHORT:
        text = pattern.sub(lambda match: " ; " if _short(match, today) else match[0], text)
    return _DAY_OF_MONTH.sub(" ; ", _AWAY.sub(" ; ", text))


def _full_dates(text: str, today: date, born: bool) -> list[tuple[date, tuple[int, int]]]:
    found: list[tuple[date, tuple[int, int]]] = []
    for pattern in _FULL:
        for match in pattern.finditer(text):
            day = _eight(match["eight"], today) if "eight" in match.groupdict() else _full(match, today, born)
            apart = all(match.end() <= start or match.start() >= end for _, (start, end) in found)
            if day and apart and (not born or _may_be_birth(day, today)):
                found.append((day, match.span()))
    return found


def _full(match: re.Match[str], today: date, born: bool) -> date | None:
    parts = match.groupdict()
    year = _year(parts["y"].lstrip("'"), today, born)
    number = int(parts["d"])
    if parts.get("name"):
        return _date(year, MONTHS[parts["name"]], number)
    return _date(year, int(parts["m"]), number) or _date(year, number, int(parts["m"]))


def _eight(digits: str, today: date) -> date | None:
    """YYYYMMDD, else MMDDYYYY, else DDMMYYYY."""
    orders = ((digits[:4], digits[4:6], digits[6:]), (digits[4:], digits[:2], digits[2:4]),
              (digits[4:], digits[2:4], digits[:2]))
    for year, month, day in orders:
        found = _date(int(year), int(month), int(day))
        if found and _may_be_birth(found, today):
            return found
    return None


def _year(digits: str, today: date, born: bool) -> int:
    """Two digits of a birth year are of an adult's where they can be: the bill goes to grown people."""
    if len(digits) == 4:
        return int(digits)
    year = today.year - today.year % 100 + int(digits)
    if not born:
        return year
    if year > today.year:
        return year - 100
    return year - 100 if today.year - year < 18 and today.year - year + 100 <= 105 else year


def _short_dates(text: str, today: date) -> Iterator[date]:
    for pattern in _SHORT:
        for match in pattern.finditer(text):
            if day := _short(match, today):
                yield day


def _short(match: re.Match[str], today: date) -> date | None:
    parts = match.groupdict()
    month, number = MONTHS[parts["name"]] if parts.get("name") else int(parts["m"]), int(parts["d"])
    if 12 < month <= 31 and number <= 12:  # "25/12" has one reading only
        month, number = number, month
    this = _date(today.year, month, number)
    return _date(today.year + 1, month, number) if this and this < today else this


def _next_day_of_month(text: str, today: date) -> tuple[date | None, int | None]:
    match = _DAY_OF_MONTH.search(text)
    number = int(next(filter(None, match.groups()))) if match else 0
    if not 1 <= number <= 31:
        return None, None
    for offset in range(13):
        month = (today.month - 1 + offset) % 12 + 1
        day = _date(today.year + (today.month - 1 + offset) // 12, month, number)
        if day and day >= today:
            return day, number
    return None, number


def _may_be_birth(day: date, today: date) -> bool:
    return day < today and day.year >= today.year - OLDEST


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
