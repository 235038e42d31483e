"""Re-seal everything under the current key, in batches that each commit on their own.

Generic over every table with a Sealed or SealedJSON column, so that a new table cannot be forgotten. Nothing is kept
about progress: a value says itself which key it is under, and a second run goes on where the first was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, bindparam, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session

from billing.store.seal import Sealed, SealedJSON, seal, sealed_under_current, unseal
from billing.store.tables import APPEND_ONLY, Base

Key = tuple[Any, ...]

#: Tables whose rows are large: fewer of them fit into memory and into one transaction.
_AT_ONCE = {"case_files": 4, "import_parts": 8}


class RotationBlocked(Exception):
    """A sealed column lies in a table whose rows may never change: its values cannot be re-sealed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch did. ``after`` is where the next begins; None when the table is finished."""

    seen: int
    resealed: int
    after: Key | None


def sealed_tables() -> list[str]:
    """Return the names of all tables with sealed columns. Raises RotationBlocked for an append-only one."""
    tables = [table for table in Base.metadata.sorted_tables if list(_sealed_columns(table))]
    blocked = [table.name for table in tables if table.name in APPEND_ONLY]
    if blocked:
        raise RotationBlocked(f"sealed columns in append-only tables cannot be rotated: {', '.join(blocked)}")
    return sorted(table.name for table in tables)


def reseal_batch(session: Session, table_name: str, after: Key | None, size: int = 500) -> Batch:
    """Re-seal up to ``size`` rows of a table that follow the primary key ``after``. Raises SealError."""
    table, size = Base.metadata.tables[table_name], min(size, _AT_ONCE.get(table_name, size))
    keys, columns = list(table.primary_key), list(_sealed_columns(table))
    raw = [type_coerce(column, LargeBinary).label(column.name) for column in columns]
    query = select(*keys, *raw).order_by(*keys).limit(size).with_for_update()
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*(bindparam(None, value, key.type) for value, key in
                                                     zip(after, keys, strict=True))))
    rows = session.execute(query).all()
    resealed = sum(_reseal_row(session, table, tuple(row[:len(keys)]), dict(zip(columns, row[len(keys):], strict=True)))
                   for row in rows)
    return Batch(len(rows), resealed, tuple(rows[-1][:len(keys)]) if len(rows) == size else None)


def _sealed_columns(table: Table) -> Iterator[Column[Any]]:
    return (column for column in table.columns if isinstance(column.type, Sealed | SealedJSON))


def _reseal_row(session: Session, table: Table, key: Key, values: dict[Column[Any], Any]) -> bool:
    stale = {column: bytes(blob) for column, blob in values.items()
             if blob is not None and not sealed_under_current(bytes(blob))}
    if not stale:
        return False
    new = {column: type_coerce(_reseal(column, blob), LargeBinary) for column, blob in stale.items()}
    where = [part == value for part, value in zip(table.primary_key, key, strict=True)]
    session.execute(update(table).where(*where).values(new))
    return True


def _reseal(column: Column[Any], blob: bytes) -> bytes:
    kind = column.type
    assert isinstance(kind, Sealed | SealedJSON)
    return seal(unseal(blob, kind.column), kind.column)
