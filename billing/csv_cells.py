"""Lists for spreadsheets: every CSV file that leaves the house is written here, so that no cell of it is a formula.

A patient's name, a note or a file's name is anybody's text; a spreadsheet would run what begins like a formula. Such a
cell gets the apostrophe that spreadsheets themselves mark text with. Amounts below zero are numbers, and stay.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

#: What a spreadsheet begins a formula with, in wide characters too, and the white space that it looks behind.
_BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)


def safe(value: object) -> object:
    """The cell as it may be written: numbers as they are, text marked as text where it looks like a formula."""
    if not isinstance(value, str) or not value.startswith(_BEGINS) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def write(out: TextIO, rows: Iterable[Sequence[object]], ending: str = "\r\n") -> None:
    """Add rows; ``out`` is opened with ``newline=""``."""
    csv.writer(out, lineterminator=ending).writerows([safe(cell) for cell in row] for row in rows)


def whole(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The file: a line of headings and the rows."""
    out = io.StringIO(newline="")
    write(out, [headings, *rows])
    return out.getvalue()
