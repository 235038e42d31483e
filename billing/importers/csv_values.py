"""One cell's text as one value. A fault says what was expected and never repeats the cell: it may hold a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from billing.importers.csv_records import ANY_PAYER, PATIENT
from billing.mail_addresses import NotAnEmail, email_address
from billing.money import parse_minor
from billing.telephones import NotAPhone, e164

LONGEST_TEXT = 2_000
LONGEST_ID = 200


class CellFault(ValueError):
    """A cell that cannot be read; the text says what belongs there."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a map says that cells are written."""

    dates: tuple[str, ...] = ()  # strptime formats; empty: the unmistakable ones
    cents: bool = False
    decimal_comma: bool = False


def read_text(text: str, how: Reading) -> str:
    if len(text) > LONGEST_TEXT:
        raise CellFault(f"longer than {LONGEST_TEXT} characters")
    return " ".join(text.split())


def read_id(text: str, how: Reading) -> str:
    if len(text) > LONGEST_ID:
        raise CellFault(f"an id has at most {LONGEST_ID} characters")
    return text


def read_amount(text: str, how: Reading) -> int:
    """Cents. Brackets mean minus, as bookkeepers write it; a $ and thousands marks may stand."""
    negative = text.startswith("(") and text.endswith(")")
    plain = (text[1:-1] if negative else text).replace("$", "").replace(" ", "")
    if how.cents:
        if not re.fullmatch(r"[+-]?\d{1,14}", plain):
            raise CellFault("an amount in whole cents is expected, such as 12345")
        minor = int(plain)
    else:
        minor = _dollars(plain, how.decimal_comma)
    return -minor if negative else minor


def _dollars(plain: str, decimal_comma: bool) -> int:
    if decimal_comma:
        plain = plain.translate(str.maketrans(",.", ".,"))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", plain):
        plain = plain.replace(",", "")
    if not re.fullmatch(r"[+-]?\d*(\.\d{0,2})?", plain):
        raise CellFault("an amount in dollars is expected, such as 1234.50, with two decimals at most")
    try:
        return parse_minor(plain)
    except ValueError as error:
        raise CellFault("an amount in dollars is expected, such as 1234.50") from error


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")
_TIGHT = re.compile(r"(\d{4})(\d{2})(\d{2})")


def read_day(text: str, how: Reading) -> date:
    """A day as written: of a timestamp its date, in whatever zone it was written."""
    if how.dates:
        return _by_format(text, how.dates)
    if (m := _ISO.fullmatch(text)) or (m := _TIGHT.fullmatch(text)):
        year, month, day = m.groups()
    elif m := _AMERICAN.fullmatch(text):
        month, day, year = m.groups()
    else:
        raise CellFault("a date is expected, such as 2026-11-03 or 11/03/2026")
    try:
        found = date(int(year), int(month), int(day))
    except ValueError as error:
        raise CellFault("there is no such day; write it as 2026-11-03") from error
    return _believable(found)


def _by_format(text: str, formats: tuple[str, ...]) -> date:
    for form in formats:
        try:
            return _believable(datetime.strptime(text, form).replace(tzinfo=UTC).date())
        except ValueError:
            continue
    raise CellFault(f"a date is expected in the form {' or '.join(formats)}")


def _believable(day: date) -> date:
    if not 1880 <= day.year <= 2200:
        raise CellFault("this year is not believable; write dates as 2026-11-03")
    return day


def read_moment(text: str, how: Reading) -> date | datetime:
    """An instant with its zone (2026-11-03T06:00-05:00), or a day."""
    if "T" in text and not how.dates:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise CellFault("a date or an instant is expected, such as 2026-11-03T06:00-05:00") from error
        if moment.tzinfo is None:
            raise CellFault("an instant needs its zone, such as 2026-11-03T06:00-05:00")
        return moment.astimezone(UTC)
    return read_day(text, how)


_YES, _NO = {"yes", "y", "true", "t", "1", "x", "si", "sí"}, {"no", "n", "false", "f", "0"}


def read_yes_no(text: str, how: Reading) -> bool:
    word = text.casefold()
    if word in _YES | _NO:
        return word in _YES
    raise CellFault("yes or no is expected")


def read_opt_out(text: str, how: Reading) -> bool | date:
    """Yes, no, or the day on which the patient asked."""
    try:
        return read_yes_no(text, how)
    except CellFault:
        pass
    try:
        return read_day(text, how)
    except CellFault as error:
        raise CellFault("yes, no or the day of the opt-out is expected") from error


def read_phone(text: str, how: Reading) -> str:
    try:
        return e164(text)
    except NotAPhone as error:
        raise CellFault(str(error)) from error


def read_email(text: str, how: Reading) -> str:
    try:
        return email_address(text)
    except NotAnEmail as error:
        raise CellFault(str(error)) from error


def read_region(text: str, how: Reading) -> str:
    if re.fullmatch(r"[A-Za-z]{2}", text):
        return text.upper()
    found = _STATES.get(" ".join(text.casefold().split()))
    if found is None:
        raise CellFault("a state is expected, such as NY")
    return found


def read_postal(text: str, how: Reading) -> str:
    """Five digits. Spreadsheets eat leading zeros: four digits get theirs back, there being no ZIP of four."""
    m = re.fullmatch(r"(\d{4,5})(?:-?\d{4})?", text)
    if not m:
        raise CellFault("a ZIP code is expected, such as 10001 or 10001-1234")
    return m[1].zfill(5)


def read_who(text: str, how: Reading) -> int:
    word = " ".join(text.casefold().split())
    if word in _WHO:
        return _WHO[word]
    m = re.fullmatch(r"(?:payer|insurance|insurer)?\s*:?\s*([1-9])", word)
    if not m:
        raise CellFault("patient, payer, primary, secondary, tertiary or a payer's number from 1 to 9 is expected")
    return int(m[1])


_WHO = {"patient": PATIENT, "guarantor": PATIENT, "self": PATIENT, "payer": ANY_PAYER, "insurance": ANY_PAYER,
        "insurer": ANY_PAYER, "primary": 1, "secondary": 2, "tertiary": 3}


def read_rank(text: str, how: Reading) -> int:
    who = read_who(text, how)
    if who < 1:
        raise CellFault("the payer's place in order is expected: 1, 2, 3 or primary, secondary, tertiary")
    return who


def read_share_reason(text: str, how: Reading) -> str:
    word = text.casefold()
    known = {"deductible": "PR-1", "coinsurance": "PR-2", "copay": "PR-3", "copayment": "PR-3"}
    if word in known:
        return known[word]
    if re.fullmatch(r"(PR|CO|OA|PI)-[A-Z0-9]{1,4}", text.upper()):
        return text.upper()
    raise CellFault("deductible, coinsurance, copay or a code such as PR-1 is expected")


def one_of(words: Mapping[str, str]) -> Callable[[str, Reading], str]:
    """A reader of a fixed list; keys are lower case."""
    def read(text: str, how: Reading) -> str:
        found = words.get("_".join(text.casefold().replace("-", " ").split()))
        if found is None:
            raise CellFault(f"one of these is expected: {', '.join(dict.fromkeys(words.values()))}")
        return found

    return read


def same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


def read_code(text: str, how: Reading) -> str:
    if len(text) > 40:
        raise CellFault("a code has at most 40 characters")
    return text.upper()


def read_units(text: str, how: Reading) -> str:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text):
        raise CellFault("a number of units is expected, such as 1")
    return text


Reader = Callable[[str, Reading], Any]

_STATES = {name.casefold(): code for code, name in (pair.split(" ", 1) for pair in (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|"
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|"
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|"
    "NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|"
    "SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|"
    "WV West Virginia|WI Wisconsin|WY Wyoming|VI Virgin Islands|GU Guam").split("|"))}
