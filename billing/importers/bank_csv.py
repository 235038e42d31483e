"""The bank's own CSV file of an account: one line per booking, by a column map or by plain column names.

Reads and never decides; the same forms of amounts and days as every other CSV file here (docs/csv.md). A fault names
the line and the column and never repeats a cell: the text of a booking may hold a name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from billing.importers.csv_map import did_you_mean, fold
from billing.importers.csv_table import Progress, open_table
from billing.importers.csv_values import CellFault, Reading, read_amount, read_day
from billing.importers.records import ImportFault

READING = Reading()
FIELDS = ("date", "amount", "money_in", "money_out", "text", "id")
_ENTRIES = ("name", "delimiter", "amounts", "decimal_comma", "dates", "columns")


@dataclass(frozen=True, slots=True)
class BankRow:
    """A booking. ``amount_minor`` in cents, positive came in; ``reference`` is the bank's own number, or ""."""

    line: int
    booked_on: date
    amount_minor: int
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class BankMap:
    """Which columns say what: ``amount`` (signed), or ``money_in`` and ``money_out`` (both without sign)."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    reading: Reading = READING
    delimiter: str = ""


PLAIN = BankMap("plain", {name: (name,) for name in ("date", "amount", "text")})


def load_map(text: str, source: str) -> BankMap:
    """Read a map (TOML). Raises ImportFault naming ``source`` and the entry."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ImportFault(f"bank map {source}: no valid TOML: {error}") from error
    for name in raw:
        if name not in _ENTRIES:
            raise ImportFault(f"bank map {source}: unknown entry {name!r}{did_you_mean(name, _ENTRIES)}")
    columns = {str(k): tuple(fold(c) for c in _texts(v, source, k)) for k, v in dict(raw.get("columns", {})).items()}
    for name in columns:
        if name not in FIELDS:
            raise ImportFault(f"bank map {source}: [columns] has no {name!r}{did_you_mean(name, FIELDS)}")
    _require(columns, source)
    dates = _texts(raw.get("dates", []), source, "dates")
    return BankMap(
        str(raw.get("name", source)), columns,
        Reading(tuple(dates), raw.get("amounts") == "cents", raw.get("decimal_comma") is True),
        {"tab": "\t"}.get(str(raw.get("delimiter", "")), str(raw.get("delimiter", ""))[:1]))


def _require(columns: Mapping[str, Sequence[str]], source: str) -> None:
    amounts = "amount" in columns, "money_in" in columns and "money_out" in columns
    if "date" not in columns or "text" not in columns or amounts not in ((True, False), (False, True)):
        raise ImportFault(f"bank map {source}: [columns] needs date, text, and either amount or both money_in and "
                          "money_out")


def _texts(raw: Any, source: str, place: str) -> list[str]:
    items = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(item, str) for item in items):
        raise ImportFault(f"bank map {source}: {place}: text, or a list of texts, is expected")
    return [str(item) for item in items]


def read(stream: IO[bytes], bank_map: BankMap | None = None, progress: Progress | None = None) -> Iterator[BankRow]:
    """Yield the bookings. Raises ImportFault at the first line that cannot be read, with line and column."""
    table = open_table(stream, delimiter=bank_map.delimiter if bank_map else "", progress=progress)
    folded = [fold(name) for name in table.header]
    chosen = bank_map or _own(folded)
    missing = sorted({c for names in chosen.columns.values() for c in names} - set(folded))
    if missing:
        raise ImportFault(
            f"line {table.header_line}: the file lacks the columns {', '.join(missing)}; it has "
            f"{', '.join(filter(None, table.header))}. Describe it with --map (docs/reconcile.md)",
            position=table.header_line)
    for line, cells in table.rows:
        if len(cells) < len(folded):
            raise ImportFault(f"line {line}: the row has {len(cells)} cells and the header {len(folded)}",
                              position=line)
        yield _row(line, {name: cell.strip() for name, cell in zip(folded, cells, strict=False)}, chosen)


def _own(folded: Sequence[str]) -> BankMap:
    """Our plain names, with the bank's number where there is a column ``id``."""
    extra = {"id": ("id",)} if "id" in folded else {}
    return BankMap(PLAIN.name, {**PLAIN.columns, **extra})


def _row(line: int, cells: Mapping[str, str], chosen: BankMap) -> BankRow:
    words = " ".join(filter(None, (" ".join(cells[c].split()) for c in chosen.columns["text"])))
    return BankRow(
        line, _cell(line, cells, chosen, "date", read_day), _amount(line, cells, chosen), words[:500],
        " ".join(cells[c] for c in chosen.columns.get("id", ())).strip())


def _amount(line: int, cells: Mapping[str, str], chosen: BankMap) -> int:
    if "amount" in chosen.columns:
        found: int = _cell(line, cells, chosen, "amount", read_amount)
    else:
        came, went = (_optional(line, cells, chosen, name) for name in ("money_in", "money_out"))
        if (came is None) == (went is None):
            raise ImportFault(f"line {line}: an amount is expected in exactly one of the columns for money in and "
                              "money out", position=line)
        found = abs(came) if came is not None else -abs(went or 0)
    if not found:
        raise ImportFault(f"line {line}: a booking of nothing; remove the line", position=line)
    return found


def _optional(line: int, cells: Mapping[str, str], chosen: BankMap, name: str) -> int | None:
    if not any(cells[c] for c in chosen.columns[name]):
        return None
    found: int = _cell(line, cells, chosen, name, read_amount)
    return found or None


def _cell(line: int, cells: Mapping[str, str], chosen: BankMap, name: str, reader: Any) -> Any:
    column = chosen.columns[name][0]
    text = cells[column]
    if not text:
        raise ImportFault(f"line {line}, column {column}: empty; every booking needs it", position=line)
    try:
        return reader(text, chosen.reading)
    except CellFault as fault:
        raise ImportFault(f"line {line}, column {column}: {fault}", position=line) from fault
