"""A column map: which columns of whose file feed which records (docs/csv.md).

Read from TOML, checked as a whole before any file is opened: an unknown word in a map is a fault, not a guess.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.importers.csv_columns import KINDS, Field, Kind
from billing.importers.csv_values import Reading, read_amount
from billing.importers.records import ImportFault

PLAIN = Reading()

Condition = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class RecordMap:
    """One kind of record made of each row that fits ``when`` and not ``unless``."""

    kind: Kind
    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    negate: frozenset[str]
    when: Condition
    unless: Condition

    @property
    def active(self) -> tuple[Field, ...]:
        """The fields that this map feeds."""
        return tuple(f for f in self.kind.fields if f.name in self.columns or f.name in self.constants)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """``strict``: a row that no record fits and no ``ignore`` names is a fault of the file."""

    name: str
    records: tuple[RecordMap, ...]
    ignore: tuple[Condition, ...] = ()
    reading: Reading = PLAIN
    delimiter: str = ""
    strict: bool = True

    @property
    def columns(self) -> set[str]:
        """Every column that a file must have, folded."""
        found = {c for r in self.records for names in r.columns.values() for c in names}
        for condition in (*self.ignore, *(r.when for r in self.records), *(r.unless for r in self.records)):
            found.update(condition)
        return found


def fold(name: str) -> str:
    """A column's name as it is compared: case, blanks and dashes make no difference."""
    return "_".join(name.replace("-", " ").casefold().split())


def fits(condition: Condition, cells: Mapping[str, str]) -> bool:
    return all(cells.get(column, "").casefold() in wanted for column, wanted in condition.items())


def own_map(kind: Kind, header: set[str]) -> ColumnMap:
    """The map of our own template, for those of its columns that the file has."""
    columns = {f.name: (f.name,) for f in kind.fields if f.name in header}
    return ColumnMap(f"{kind.template} template", (RecordMap(kind, columns, {}, {}, frozenset(), {}, {}),))


def load_map(text: str, source: str) -> ColumnMap:
    """Read a map. Raises ImportFault naming ``source`` and the entry."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ImportFault(f"column map {source}: no valid TOML: {error}") from error
    try:
        return _column_map(raw, source)
    except _MapFault as fault:
        raise ImportFault(f"column map {source}: {fault}") from fault


class _MapFault(Exception):
    """Something that a map may not say; ends as an ImportFault with the map's name."""


def _column_map(raw: dict[str, Any], source: str) -> ColumnMap:
    _only(raw, ("name", "delimiter", "amounts", "decimal_comma", "dates", "unmatched", "ignore", "record"), "the map")
    records = raw.get("record")
    if not isinstance(records, list) or not records:
        raise _MapFault("it has no [[record]]; at least one must say what the rows become")
    reading = Reading(tuple(_texts(raw.get("dates", []), "dates")),
                      _choice(raw, "amounts", ("dollars", "cents")) == "cents", raw.get("decimal_comma", False) is True)
    delimiter = {"tab": "\t"}.get(str(raw.get("delimiter", "")), str(raw.get("delimiter", "")))
    if len(delimiter) > 1:
        raise _MapFault("delimiter is one character, or tab")
    return ColumnMap(
        str(raw.get("name", source)), tuple(_record(r, n) for n, r in enumerate(records, 1)),
        tuple(_condition(c, "[[ignore]]") for c in raw.get("ignore", [])), reading, delimiter,
        _choice(raw, "unmatched", ("refuse", "ignore")) == "refuse")


def _record(raw: dict[str, Any], number: int) -> RecordMap:
    place = f"[[record]] {number}"
    _only(raw, ("kind", "when", "unless", "columns", "constants", "values", "negate"), place)
    kind = KINDS.get(str(raw.get("kind", "")))
    if kind is None:
        raise _MapFault(f"{place}: kind is one of {', '.join(KINDS)}")
    place = f"{place} ({kind.name})"
    columns = {str(k): tuple(fold(c) for c in _texts(v, f"{place} {k}")) for k, v in raw.get("columns", {}).items()}
    constants = {str(k): str(v) for k, v in raw.get("constants", {}).items()}
    values = {str(k): {str(a).casefold(): str(b) for a, b in v.items()} for k, v in raw.get("values", {}).items()}
    negate = frozenset(_texts(raw.get("negate", []), f"{place} negate"))
    for name in (*columns, *constants, *values, *negate):
        if kind.field(name) is None:
            hint = did_you_mean(name, (f.name for f in kind.fields))
            raise _MapFault(f"{place}: a {kind.name} has no field {name!r}{hint}")
    if any(f.name in negate and f.read is not read_amount for f in kind.fields):
        raise _MapFault(f"{place}: only amounts can be negated")
    missing = [name for name in kind.required if name not in columns and name not in constants]
    if missing:
        raise _MapFault(f"{place}: {', '.join(missing)} must come from a column or a constant")
    return RecordMap(kind, columns, constants, values, negate, _condition(raw.get("when", {}), place),
                     _condition(raw.get("unless", {}), place))


def _condition(raw: Any, place: str) -> Condition:
    if not isinstance(raw, dict):
        raise _MapFault(place + ': a condition is written { COLUMN = "value" } or { COLUMN = ["one", "other"] }')
    return {fold(k): frozenset(str(x).casefold() for x in _texts(v, f"{place} {k}")) for k, v in raw.items()}


def _texts(raw: Any, place: str) -> list[str]:
    items = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
        raise _MapFault(f"{place}: text, or a list of texts, is expected")
    return [str(item) for item in items]


def _choice(raw: dict[str, Any], name: str, options: tuple[str, ...]) -> str:
    value = str(raw.get(name, options[0]))
    if value not in options:
        raise _MapFault(f"{name} is {' or '.join(options)}")
    return value


def _only(raw: Any, known: tuple[str, ...], place: str) -> None:
    if not isinstance(raw, dict):
        raise _MapFault(f"{place} is no table")
    for name in raw:
        if name not in known:
            raise _MapFault(f"{place} has an unknown entry {name!r}{did_you_mean(name, known)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word, to be put behind a fault; "" when nothing is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
