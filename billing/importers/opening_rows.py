"""Rows of an opening file as typed records, and of the file of control totals beside it.

A cell under a column that its record has no use for is a fault: it was meant for something, and would be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import IO

from billing.importers import csv_rows
from billing.importers.csv_columns import Kind
from billing.importers.csv_map import ColumnMap, RecordMap, did_you_mean, fold
from billing.importers.csv_records import SourceRow
from billing.importers.csv_rows import Layout
from billing.importers.csv_table import Progress, Table, open_table
from billing.importers.opening_columns import RECORDS, TOTALS, columns
from billing.importers.records import ImportFault

RECORD = "record"


def read(stream: IO[bytes], *, kinds: Collection[str] = (), progress: Progress | None = None) -> Iterator[SourceRow]:
    """Yield every row of an opening file. Raises ImportFault for a file that is none."""
    table = open_table(stream, progress=progress)
    layout = _lay_out(table, RECORDS, columns())
    if RECORD not in layout.folded:
        raise ImportFault(f"line {table.header_line}: there is no column 'record'; it says what each row is: "
                          f"{', '.join(RECORDS)}. Use plainbill import --template opening", position=table.header_line)
    for line, cells in table.rows:
        yield _row(layout, line, cells, kinds)


def read_control(stream: IO[bytes]) -> Iterator[SourceRow]:
    """Yield the totals of a file that holds nothing else. Raises ImportFault."""
    table = open_table(stream)
    layout = _lay_out(table, {"total": TOTALS}, ("bucket", "amount", "as_of"))
    for line, cells in table.rows:
        yield csv_rows.source_row(layout, line, cells, ())


def _lay_out(table: Table, records: dict[str, Kind], known: Sequence[str]) -> Layout:
    folded = tuple(fold(name) for name in table.header)
    place = f"line {table.header_line}"
    for number, name in enumerate(folded):
        if name and name in folded[:number]:
            raise ImportFault(f"{place}: column {name!r} stands twice in the header; rename one",
                              position=table.header_line)
        if name and name not in known:
            raise ImportFault(f"{place}: column {name!r} is none of this file{did_you_mean(name, known)}; rename it or "
                              "remove it (docs/opening.md)", position=table.header_line)
    alone = len(records) == 1
    maps = tuple(RecordMap(kind, _columns_of(kind, folded), {}, {}, frozenset(),
                           {} if alone else {RECORD: frozenset({word})}, {}) for word, kind in records.items())
    return Layout(ColumnMap("opening", maps), table.header, folded)


def _columns_of(kind: Kind, header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A column that every such record needs is asked for although the header has it not, so that the row says so."""
    return {f.name: (f.name,) for f in kind.fields if f.name in header or f.required}


def _row(layout: Layout, line: int, cells: list[str], kinds: Collection[str]) -> SourceRow:
    named = {name: cell.strip() for name, cell in zip(layout.folded, cells, strict=False) if name}
    word = named.get(RECORD, "").casefold()
    kind = RECORDS.get(word)
    if kind is None:
        return SourceRow(line, (), f"line {line}, column record: one of these is expected: {', '.join(RECORDS)}")
    if kinds and kind.name not in kinds:
        return SourceRow(line, ())
    useless = next((n for n, cell in named.items() if cell and n != RECORD and kind.field(n) is None), None)
    if useless is not None:
        return SourceRow(line, (), f"line {line}, column {useless}: a row of record {word} has no such cell; clear it, "
                                   "or give it a row of its own")
    return csv_rows.source_row(layout, line, cells, kinds)
