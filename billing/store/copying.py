"""Every row of the database as plain values, and back: for backups, and for moving from one kind of database to the
other. Sealed columns travel sealed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, func, insert, select, text, type_coerce
from sqlalchemy.orm import Session

from billing.store.seal import Sealed, SealedJSON
from billing.store.tables import Base

AT_ONCE = 500


class NotEmpty(Exception):
    """The database that was to be filled holds rows already."""


def table_names() -> list[str]:
    """Every table, those that others point at first."""
    return [table.name for table in Base.metadata.sorted_tables]


def rows_of(session: Session, name: str) -> Iterator[list[list[Any]]]:
    """Yield a table's rows in batches, as values that JSON can hold, in the order of its primary key."""
    table = Base.metadata.tables[name]
    found = select(*(_raw(column) for column in table.columns)).order_by(*table.primary_key)
    for part in session.execute(found.execution_options(yield_per=AT_ONCE)).partitions():
        yield [[_plain(value) for value in row] for row in part]


def columns_of(name: str) -> list[str]:
    return [column.name for column in Base.metadata.tables[name].columns]


def add_rows(session: Session, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Insert rows that ``rows_of`` gave; return how many. Raises KeyError for a column that the table has not."""
    table = Base.metadata.tables[name]
    kept = [table.columns[column] for column in columns]
    made = [{column.name: _value(column, value) for column, value in zip(kept, row, strict=True)} for row in rows]
    if made:
        session.execute(insert(_unsealed(table)), made)
    return len(made)


def require_empty(session: Session) -> None:
    """Raise NotEmpty unless there is no row at all."""
    full = [table.name for table in Base.metadata.sorted_tables
            if session.execute(select(table.primary_key.columns.values()[0]).limit(1)).first() is not None]
    if full:
        raise NotEmpty(f"the database holds rows already ({', '.join(full[:3])}); restore into a new, empty one")


def set_counters(session: Session) -> None:
    """PostgreSQL counts its serial keys beside the rows: let it go on after the highest."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        for column in table.primary_key:
            if column.autoincrement and column.type.python_type is int and len(table.primary_key) == 1:
                highest = session.scalar(select(func.max(column)))
                if highest is not None:
                    session.execute(text("SELECT setval(pg_get_serial_sequence(:name, :key), :at)"),
                                    {"name": table.name, "key": column.name, "at": highest})


def _raw(column: Column[Any]) -> Any:
    sealed = isinstance(column.type, Sealed | SealedJSON)
    return type_coerce(column, LargeBinary).label(column.name) if sealed else column


def _unsealed(table: Table) -> Table:
    """The same table with its sealed columns as bytes, so that what is sealed is not sealed again."""
    from sqlalchemy import MetaData

    bare = MetaData()
    return Table(table.name, bare, *(
        Column(column.name, LargeBinary if isinstance(column.type, Sealed | SealedJSON) else column.type)
        for column in table.columns))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    return {"json": value} if isinstance(value, Mapping | list) else value


def _value(column: Column[Any], value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, inner), = value.items()
    match kind:
        case "bytes":
            return base64.b64decode(inner)
        case "at":
            return datetime.fromisoformat(inner)
        case "on":
            return date.fromisoformat(inner)
        case _:
            return inner
