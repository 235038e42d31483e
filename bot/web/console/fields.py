"""The fields that forms are made of: each reads what people write, and says in words what it wants instead.

Amounts are whole cents once they are read, and no float on the way. A complaint never repeats what was written.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from billing.money import parse_minor

T = TypeVar("T")

#: An amount on a form of ours stays below ten million dollars; a remittance may be larger, and is no form.
MOST_MINOR = 10_000_000_00 - 1

_MONEY = r"^\$?(\d{1,3}(,\d{3}){0,2}|\d{1,7})?(\.\d{1,2})?$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"


def _money(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("write an amount as text, like 12.50")  # noqa: TRY004 - pydantic takes a ValueError
    text = value.strip().removeprefix("+")
    if not text.isascii() or not re.search(r"\d", text) or re.fullmatch(_MONEY, text) is None:
        raise ValueError("write an amount in dollars and cents, like 12.50 or $1,200")
    return parse_minor(text.removeprefix("$").replace(",", ""))


def _positive_money(value: Any) -> int:
    if (minor := _money(value)) == 0:
        raise ValueError("the amount has to be more than nothing")
    return minor


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(_DAY, value.strip(), re.ASCII):
            found = date.fromisoformat(value.strip())
            if 1900 <= found.year <= 2199:
                return found
    except ValueError:
        pass
    raise ValueError("write a day as year-month-day, like 2026-11-03")


def _text(value: Any) -> str:
    """Trimmed, line ends as one character, and nothing that a screen or a log would take for an order."""
    if not isinstance(value, str):
        raise ValueError("write this as text")  # noqa: TRY004 - pydantic takes a ValueError
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unicodedata.category(one) in ("Cc", "Cs", "Cf") and one not in _FINE for one in text):
        raise ValueError("this holds characters that cannot be shown; type it anew")
    return text


#: Line ends and tabs; the joiners and direction marks that some scripts and emoji are written with.
_FINE = frozenset("\n\t\u200c\u200d\u200e\u200f\u00ad")


def _line(value: Any) -> str:
    text = _text(value)
    if "\n" in text or "\t" in text:
        raise ValueError("write this on one line")
    return text


def content(value: Any) -> bytes:
    """A file as it came; a program may send its text."""
    found = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not isinstance(found, bytes):
        raise ValueError("send the file as a file")  # noqa: TRY004 - pydantic takes a ValueError
    return found


def _no_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _ticked(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("on", "1", "true", "yes"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("tick it or leave it")


def _text_schema(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more}, mode="validation")


#: Cents, from text such as "12.50" or "$1,200"; more than nothing.
Money = Annotated[int, Field(gt=0, le=MOST_MINOR), BeforeValidator(_positive_money),
                  _text_schema(pattern=_MONEY, minLength=1, maxLength=14, examples=["12.50"])]
#: Cents, and nothing is an amount too.
MoneyOrNothing = Annotated[int, Field(ge=0, le=MOST_MINOR), BeforeValidator(_money),
                           _text_schema(pattern=_MONEY, minLength=1, maxLength=14, examples=["0.00"])]
#: A practice-local day.
Day = Annotated[date, BeforeValidator(_day), _text_schema(format="date", pattern=_DAY)]
#: A month, "2026-11".
Month = Annotated[str, Field(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"), BeforeValidator(_line)]

#: Why something is done: for the audit trail and for colleagues, so it says something.
Reason = Annotated[str, Field(min_length=3, max_length=500), BeforeValidator(_text)]
#: Words of any length that a thread or a note holds.
Words = Annotated[str, Field(min_length=1, max_length=2000), BeforeValidator(_text)]
#: The words of a message, a letter too.
LongWords = Annotated[str, Field(min_length=1, max_length=4000), BeforeValidator(_text)]
#: One line: a name, a subject.
Line = Annotated[str, Field(min_length=1, max_length=120), BeforeValidator(_line)]
#: What somebody looks for; nothing looks for everything.
Search = Annotated[str, Field(max_length=80), BeforeValidator(_line)]

#: Who: as config.settings.Name.
Login = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,39}$"), BeforeValidator(_line)]
#: One of our own ids: never a source's number.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"), BeforeValidator(_line)]
#: Where a list goes on: whatever the page before gave.
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:|+=,-]{0,200}$"), BeforeValidator(_line)]
#: A short code of ours, such as a kind or a reason's code.
Code = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,59}$"), BeforeValidator(_line)]
#: How many of something; the largest fits every column.
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Language = Literal["en", "es"]
#: A tick box: on the form or not.
Ticked = Annotated[bool, BeforeValidator(_ticked)]

#: ``Maybe[Day]``: a field left empty is none; give it ``= None``.
Maybe = Annotated[T | None, BeforeValidator(_no_blank)]
#: ``Several[Id]``: one or many ticked rows of a list.
Several = Annotated[list[T], Field(max_length=500), BeforeValidator(_listed)]
