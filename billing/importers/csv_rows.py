"""Rows of a CSV file as typed records, by a column map or by our own template's column names.

What is wrong with the file as a whole (no header, unknown columns, not UTF-8) raises ImportFault; what is wrong with
one row comes with that row, so that all faults can be told at once. Neither repeats a cell's content.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from billing.importers.csv_columns import KINDS, Field, Kind
from billing.importers.csv_map import ColumnMap, RecordMap, did_you_mean, fits, fold, own_map
from billing.importers.csv_records import AdjustmentRow, CoverageRow, PatientRow, Record, SourceRow, TransferRow
from billing.importers.csv_table import Progress, Table, open_table
from billing.importers.csv_values import CellFault
from billing.importers.records import ImportFault


class _RowFault(Exception):
    """One row cannot be read; the text names the column."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A map together with where its columns stand in this file."""

    map: ColumnMap
    header: tuple[str, ...]
    folded: tuple[str, ...]


def read(stream: IO[bytes], column_map: ColumnMap | None, *, kinds: Collection[str] = (),
         progress: Progress | None = None) -> Iterator[SourceRow]:
    """Yield every row; with ``kinds`` only those records are made (faults of others were told before).

    Raises ImportFault.
    """
    table = open_table(stream, delimiter=column_map.delimiter if column_map else "", progress=progress)
    layout = lay_out(table, column_map)
    for line, cells in table.rows:
        yield source_row(layout, line, cells, kinds)


def lay_out(table: Table, column_map: ColumnMap | None) -> Layout:
    """Match the header with the map, or recognise which of our templates it is. Raises ImportFault."""
    folded = tuple(fold(name) for name in table.header)
    twice = next((name for n, name in enumerate(folded) if name and name in folded[:n]), None)
    if twice is not None:
        raise ImportFault(f"line {table.header_line}: column {twice!r} stands twice in the header; rename one",
                          position=table.header_line)
    if column_map is None:
        kind = _recognise(folded, table)
        return Layout(own_map(kind, set(folded)), table.header, folded)
    missing = sorted(column_map.columns - set(folded))
    if missing:
        raise ImportFault(
            f"line {table.header_line}: the map {column_map.name!r} wants columns that the file has not: "
            f"{', '.join(missing)}. The file has: {', '.join(filter(None, table.header))}", position=table.header_line)
    return Layout(column_map, table.header, folded)


def _recognise(folded: tuple[str, ...], table: Table) -> Kind:
    names = set(filter(None, folded))
    fitting = [k for k in KINDS.values() if set(k.required) <= names]
    best = max(fitting or KINDS.values(), key=lambda k: (len(set(k.required) & names), len(_known(k) & names)))
    place = f"line {table.header_line}"
    unknown = sorted(names - _known(best))
    if not fitting:
        lacking = [name for name in best.required if name not in names]
        raise ImportFault(
            f"{place}: these columns fit none of our templates; nearest is {best.template}, which lacks "
            f"{', '.join(lacking)}. Use plainbill import --template {best.template}, or describe the file with --map "
            "(docs/csv.md)", position=table.header_line)
    if unknown:
        raise ImportFault(
            f"{place}: column {unknown[0]!r} is none of the {best.template} template"
            f"{did_you_mean(unknown[0], _known(best))}; rename it, remove it, or describe the file with --map",
            position=table.header_line)
    return best


def _known(kind: Kind) -> set[str]:
    return {f.name for f in kind.fields}


def source_row(layout: Layout, line: int, cells: list[str], kinds: Collection[str]) -> SourceRow:
    """What one line says, or why it cannot be read."""
    try:
        named = _named(layout, cells)
        records = tuple(_records(layout.map, named, line, kinds))
    except _RowFault as fault:
        return SourceRow(line, (), f"line {line}, {fault}")
    return SourceRow(line, records)


def _named(layout: Layout, cells: list[str]) -> dict[str, str]:
    width = len(layout.header)
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        raise _RowFault(f"column {min(len(cells), width) + 1}: the row has {len(cells)} cells and the header {width}; "
                        "a cell that holds the delimiter must stand in quotes")
    for name, cell in zip(layout.header, cells, strict=False):
        if not name and cell.strip():
            raise _RowFault("a cell stands under an empty heading; name the column or clear it")
    return {name: cell.strip() for name, cell in zip(layout.folded, cells, strict=False) if name}


def _records(column_map: ColumnMap, cells: Mapping[str, str], line: int,
             kinds: Collection[str]) -> Iterator[tuple[str, Record]]:
    fitting = [r for r in column_map.records if fits(r.when, cells) and not (r.unless and fits(r.unless, cells))]
    if not fitting and column_map.strict and not any(fits(c, cells) for c in column_map.ignore):
        raise _RowFault("the map says nothing of rows like this one: add a [[record]] or an [[ignore]] for it")
    for record_map in fitting:
        if not kinds or record_map.kind.name in kinds:
            yield record_map.kind.name, _record(column_map, record_map, cells, line)


def _record(column_map: ColumnMap, record_map: RecordMap, cells: Mapping[str, str], line: int) -> Record:
    found: dict[str, Any] = {"position": line}
    for field in record_map.active:
        values = _values(column_map, record_map, field, cells)
        if field.name in record_map.negate:
            values = [-value for value in values]
        if field.many:
            found[field.target] = (*found.get(field.target, ()), *values)
        elif values:
            found[field.target] = values[0]
        elif field.required:
            raise _RowFault(f"column {_heading(record_map, field)}: empty; every {record_map.kind.name} needs it")
    if "opted_out" in found:
        found |= _opt_out(found["opted_out"])
    record: Record = record_map.kind.record(**found)
    _check(record)
    return record


def _values(column_map: ColumnMap, record_map: RecordMap, field: Field, cells: Mapping[str, str]) -> list[Any]:
    """The values of a field: several only where it gathers several columns; texts of several columns are joined."""
    raw = [_mapped(record_map, field, cells.get(c, "")) for c in record_map.columns.get(field.name, ())]
    texts = [text for text in raw if text] or [t for t in (record_map.constants.get(field.name, ""),) if t]
    if not field.many and len(texts) > 1:
        texts = [" ".join(texts)]
    try:
        return [field.read(text, column_map.reading) for text in texts]
    except CellFault as fault:
        raise _RowFault(f"column {_heading(record_map, field)}: {fault}") from fault


def _mapped(record_map: RecordMap, field: Field, text: str) -> str:
    table = record_map.values.get(field.name)
    if table is None:
        return text
    return table.get(text.casefold(), table.get("*", text) if text else text)


def _heading(record_map: RecordMap, field: Field) -> str:
    columns = record_map.columns.get(field.name, ())
    return " + ".join(columns) if columns else f"{field.name} (a constant of the map)"


def _opt_out(value: bool | date) -> dict[str, Any]:
    return ({"opted_out": value} if isinstance(value, bool) else {"opted_out": True, "opted_out_on": value})


def _check(record: Record) -> None:
    """What no single cell can tell."""
    if isinstance(record, PatientRow):
        _check_patient(record)
    elif isinstance(record, CoverageRow) and bool(record.visit_id) == bool(record.patient_id):
        raise _RowFault("column visit_id: give either the visit or the patient")
    elif isinstance(record, TransferRow) and record.from_who == record.to_who:
        raise _RowFault("column to_who: the same as from_who; nothing would pass on")
    elif isinstance(record, TransferRow) and record.amount_minor < 0:
        raise _RowFault("column amount: negative; swap from_who and to_who instead")
    elif isinstance(record, AdjustmentRow) and record.who is not None and record.who < -1:
        raise _RowFault("column who: unknown")


def _check_patient(row: PatientRow) -> None:
    consent: Sequence[tuple[str, object]] = (
        ("consent_given_on", row.consent_given_on), ("consent_wording", row.consent_wording),
        ("consent_medium", row.consent_medium), ("consent_recorded_by", row.consent_recorded_by))
    missing = [name for name, value in consent if not value]
    if 0 < len(missing) < len(consent):
        raise _RowFault(f"column {missing[0]}: empty; a consent needs its day, wording, medium and who took it")
    if (not missing or row.opted_out) and not row.phones:
        raise _RowFault("column phone: empty; a consent or an opt-out belongs to a number")
    if row.guarantor_given and not row.guarantor_surname:
        raise _RowFault("column guarantor_surname: empty; a guarantor needs a family name")
    if row.confirmed and not row.guarantor_surname and row.relation in ("child", "spouse", "other"):
        raise _RowFault("column guarantor_confirmed: yes, but the row names no guarantor")
