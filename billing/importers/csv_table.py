"""A CSV file as numbered rows of text: whatever delimiter, line ends and byte order mark it came with.

Cells are text and nothing else: what looks like a formula ("=1+1") is kept as written. Memory is bounded by
MOST_BYTES_A_LINE and by Python's own limit for one cell.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from billing.importers.records import ImportFault

MOST_BYTES_A_LINE = 1_000_000
DELIMITERS = ",;\t|"

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` yields (line number, cells) below the header; ``header`` is as written, trimmed."""

    header: tuple[str, ...]
    header_line: int
    rows: Iterator[tuple[int, list[str]]]


def open_table(stream: IO[bytes], *, delimiter: str = "", progress: Progress | None = None) -> Table:
    """Read the header and return the rest lazily. Lines before the header that start with # are remarks.

    Raises ImportFault, also while ``rows`` is being read: the text names the line, never its content.
    """
    lines = _Lines(stream, progress)
    first = lines.first()
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        delimiter = delimiter or first.strip()[4]
        first = lines.first()
    delimiter = delimiter or _sniff(first)
    rows = _rows(lines, first, delimiter)
    header_line, header = next(rows, (0, []))
    if not any(cell.strip() for cell in header):
        raise ImportFault("the file has no header: its first line must name the columns")
    return Table(tuple(cell.strip() for cell in header), header_line, rows)


class _Lines:
    """The file's lines as text, one at a time, with their number."""

    def __init__(self, stream: IO[bytes], progress: Progress | None) -> None:
        self.stream, self.progress, self.number = stream, progress, 0

    def first(self) -> str:
        """The next line that is neither blank nor a remark; "" at the end."""
        for line in self:
            if line.strip(" \r\n\t,;|\"") and not line.lstrip('"').startswith("#"):
                return line
        return ""

    def __iter__(self) -> Iterator[str]:
        while raw := self.stream.readline(MOST_BYTES_A_LINE + 1):
            self.number += 1
            if self.progress:
                self.progress(len(raw))
            yield self._decode(raw)

    def _decode(self, raw: bytes) -> str:
        if len(raw) > MOST_BYTES_A_LINE:
            raise ImportFault(f"line {self.number}: longer than {MOST_BYTES_A_LINE} bytes; this is no CSV file, or a "
                              "quote is never closed", position=self.number)
        if self.number == 1 and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ImportFault("line 1: the file is UTF-16; save it as CSV UTF-8", position=1)
        try:
            text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ImportFault(f"line {self.number}, byte {error.start + 1}: not UTF-8; save the file as CSV UTF-8 (in "
                              "Excel: Save as, CSV UTF-8)", position=self.number) from None
        if "\x00" in text:
            raise ImportFault(f"line {self.number}: holds a zero byte; this is no text file", position=self.number)
        return text


def _sniff(header: str) -> str:
    """The delimiter that the header has most of, outside quotes; a single column needs none."""
    outside = "".join(part for number, part in enumerate(header.split('"')) if number % 2 == 0)
    return max(DELIMITERS, key=outside.count)


def _rows(lines: _Lines, first: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    def feed() -> Iterator[str]:
        if first:
            yield first
        yield from lines

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    start = lines.number
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportFault(f"line {start}: {_plainly(error)}", position=start) from None
        if any(cell.strip() for cell in cells):
            yield start, cells
        start = lines.number + 1


def _plainly(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quoted cell is never closed; put a closing quote (\") where the cell ends"
    if "field larger" in text:
        return "a cell is longer than 131072 characters; a quote before it is probably never closed"
    if "expected after" in text:
        return "a quote stands inside a quoted cell; write it twice (\"\") or remove it"
    return "not readable as CSV; check quotes and line ends around here"
