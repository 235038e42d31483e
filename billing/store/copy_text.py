"""Rows in the text form of PostgreSQL's COPY, a table's column at a time.

The driver writes value by value: for the two dozen rows of a claim that is as much work as adjudicating it. Here every
step runs over a whole column, and what has to be escaped (a tab in a name) is looked for once in the whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Date, Integer, String, Table
from sqlalchemy.types import TypeEngine

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Instant

#: What writes a column's values, as the driver would be given them, and how many backslashes that takes to a value.
Writer = tuple[Callable[[Any], str], int]

_NOTHING = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def writers(table: Table, names: Sequence[str]) -> tuple[Writer | None, ...] | None:
    """A writer for each column, None for one of texts; None altogether where a column's type is not known here."""
    found = [_writer(table.c[name].type) for name in names]
    return None if _UNKNOWN in found else tuple(found)


def write(columns: Sequence[Sequence[Any]], by: Sequence[Writer | None]) -> bytes:
    """The rows of these columns, each of as many values; at least one of each."""
    texts, backslashes = [], 0
    for values, writer in zip(columns, by, strict=True):
        empty = values.count(None)
        backslashes += empty
        if writer is None:
            texts.append([_NOTHING if value is None else value for value in values] if empty else values)
        else:
            turn, marks = writer
            backslashes += marks * (len(values) - empty)
            texts.append([_NOTHING if value is None else turn(value) for value in values])
    text = _joined(texts)
    if not _plain(text, len(columns), len(columns[0]), backslashes):
        text = _joined([part if writer is not None else _escaped(values)
                        for values, part, writer in zip(columns, texts, by, strict=True)])
    return text.encode()


def _joined(texts: Sequence[Sequence[str]]) -> str:
    return "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"


def _plain(text: str, columns: int, rows: int, backslashes: int) -> bool:
    """Whether its marks are those that were put there, and none came with a value."""
    return (text.count("\t") == rows * (columns - 1) and text.count("\n") == rows and "\r" not in text
            and text.count("\\") == backslashes)


def _escaped(values: Sequence[str | None]) -> list[str]:
    return [_NOTHING if value is None else value.translate(_ESCAPED) for value in values]


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


def _truth(value: bool) -> str:
    return "t" if value else "f"


_UNKNOWN: Writer = (str, -1)


def _writer(kind: TypeEngine[Any]) -> Writer | None:
    match kind:
        case Sealed() | SealedJSON():
            return _bytes, 2
        case Instant() | Date():  # a batch has few of them
            return lru_cache(maxsize=256)(str), 0
        case Boolean():
            return _truth, 0
        case Integer():
            return str, 0
        case String():
            return None
        case _:
            return _UNKNOWN
