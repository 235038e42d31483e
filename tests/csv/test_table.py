"""CSV in all its dresses reads the same."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from billing.importers.csv_table import open_table
from billing.importers.csv_values import Reading, read_amount

ROWS = [["V-1", 'say "ah"', "10.00"], ["V-2", "two\nlines", "=1+1"]]


def dressed(delimiter: str = ",", end: str = "\n", bom: bool = False, before: str = "") -> bytes:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(("id", "words", "amount")), *(delimiter.join(map(cell, row)) for row in ROWS)]
    return ("\ufeff" * bom + before + end.join(lines) + end).encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [False, True])
def test_delimiters_line_ends_and_byte_order_marks_make_no_difference(delimiter: str, end: str, bom: bool) -> None:
    table = open_table(io.BytesIO(dressed(delimiter, end, bom)))
    assert table.header == ("id", "words", "amount")
    assert [cells for _, cells in table.rows] == ROWS


def test_lines_are_those_of_the_file_also_behind_cells_of_several_lines() -> None:
    table = open_table(io.BytesIO(b"# a remark\n\nid,words\n1,\"a\nb\"\n\n2,c\n"))
    assert table.header_line == 3
    assert [line for line, _ in table.rows] == [4, 7]


def test_a_spreadsheets_sep_line_names_the_delimiter() -> None:
    assert open_table(io.BytesIO(b"sep=;\nid;words,other\n")).header == ("id", "words,other")


def test_remarks_that_a_spreadsheet_put_into_quotes_are_remarks_still() -> None:
    assert open_table(io.BytesIO(b'"# amount: dollars, cents",,\nid,a,b\n')).header == ("id", "a", "b")


def test_a_long_file_is_read_in_little_memory() -> None:
    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.left = 200_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # what BufferedReader gives
            if self.left <= 0:
                return 0
            row = b"V-1,\"some words\",10.00\r\n" * 40
            self.left -= 40
            buffer[:len(row)] = row
            return len(row)

    tracemalloc.start()
    stream = io.BufferedReader(Endless(), 4096)  # type: ignore[type-var]  # it reads, and nothing else is asked
    count = sum(1 for _ in open_table(stream).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000 - 1
    assert peak < 1_000_000


@pytest.mark.parametrize(("text", "minor"), [
    ("12", 1200), ("12.5", 1250), ("$1,234.50", 123_450), ("(12.34)", -1234), ("-0.01", -1), ("+3", 300),
    ("1,234,567.89", 123_456_789), ("0.00", 0), (".5", 50),
])
def test_amounts_are_read_as_bookkeepers_write_them(text: str, minor: int) -> None:
    assert read_amount(text, Reading()) == minor


def test_cents_and_decimal_commas_are_what_the_map_says() -> None:
    assert read_amount("1234", Reading(cents=True)) == 1234
    assert read_amount("1.234,50", Reading(decimal_comma=True)) == 123_450
