"""Statements for hot paths, given to the driver as they are.

SQLAlchemy builds, compiles and binds every statement anew: five milliseconds for a posting whose SQL takes a tenth of
one. Here the SQL is written once, in the words that both databases share; ``?`` marks a value. Rows still go through
the columns' own types (sealing, instants, JSON). Errors come out as SQLAlchemy's, without the values: those may be PHI.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Date, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from billing.store import copy_text
from billing.store.seal import Sealed, SealedJSON, as_json, seal_all
from billing.store.types import Instant

#: From so many rows on COPY is quicker on PostgreSQL than INSERT.
COPY_FROM = 6

BindAll = Callable[[Sequence[Any]], Sequence[Any]]


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def among(session: Session, values: Collection[str] | Collection[int]) -> Any:
    """The value for ``IN_LIST`` of a statement: however many there are, it stays one statement."""
    return list(values) if is_postgresql(session) else json.dumps(list(values))


def day(value: date | str | None) -> date | None:
    """A day as the driver gives it: SQLite keeps text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def run(session: Session, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Execute a statement and return its rows, if it gives any. ``COLUMN IN_LIST`` stands for "is one of ``among``"."""
    session.flush()
    return _in_order(session.connection(), [(statement, values)])[0]


def run_together(session: Session, steps: Sequence[tuple[str, Sequence[object]]]) -> list[list[tuple[Any, ...]]]:
    """Execute statements in order and return the rows of each; PostgreSQL is asked once for all of them."""
    session.flush()
    connection = session.connection()
    if len(steps) < 2 or connection.dialect.name != "postgresql":
        return _in_order(connection, steps)
    proxy: Any = connection.connection
    cursors: list[Any] = []
    try:
        with proxy.driver_connection.pipeline():
            for statement, values in steps:
                cursors.append(proxy.driver_connection.cursor())
                cursors[-1].execute(_spoken(statement, "postgresql"), values)
        return [_rows(cursor, "postgresql") for cursor in cursors]
    except _errors(connection.dialect) as error:
        raise _wrapped(steps[0][0], error, connection.dialect) from error


def _in_order(connection: Connection, steps: Sequence[tuple[str, Sequence[object]]]) -> list[list[tuple[Any, ...]]]:
    proxy: Any = connection.connection
    cursor = proxy.driver_connection.cursor()
    name, statement, found = connection.dialect.name, "", []
    try:
        for statement, values in steps:
            cursor.execute(_spoken(statement, name), values)
            found.append(_rows(cursor, name))
    except _errors(connection.dialect) as error:
        raise _wrapped(statement, error, connection.dialect) from error
    finally:
        cursor.close()
    return found


def _rows(cursor: Any, dialect: str) -> list[tuple[Any, ...]]:
    """What a statement gave, if it gives anything. psycopg makes an object of each column for whoever asks for the
    cursor's description, which costs more than the rows.
    """
    gives = cursor.pgresult.nfields if dialect == "postgresql" else cursor.description
    return list(cursor.fetchall()) if gives else []


def run_many(session: Session, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Execute a statement once for each row of values."""
    session.flush()
    connection = session.connection()
    cursor: Any = connection.connection.cursor()
    try:
        cursor.executemany(_spoken(statement, connection.dialect.name), rows)
    except _errors(connection.dialect) as error:
        raise _wrapped(statement, error, connection.dialect) from error
    finally:
        cursor.close()


def bound(session: Session, table: Table, row: Mapping[str, object]) -> Sequence[object]:
    """The values of a row, in its own order, as the driver takes them; the table's other columns have no defaults."""
    return _plan(table, tuple(row), session.get_bind().dialect).bind(row)


def insertion(session: Session, table: Table, row: Mapping[str, object]) -> tuple[str, Sequence[object]]:
    """The statement that inserts one row, for ``run_together``."""
    plan = _plan(table, tuple(row), session.get_bind().dialect)
    return plan.one.replace("%s", "?"), plan.bind(row)


def insert(session: Session, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows that all name the same columns; a column that none names gets its plain default."""
    if rows:
        names = tuple(rows[0])
        insert_values(session, table, names, list(map(itemgetter(*names), rows)))


def insert_values(session: Session, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, at least one, that are the values of these columns, two at least."""
    session.flush()
    connection = session.connection()
    plan = _plan(table, names, connection.dialect)
    cursor: Any = connection.connection.cursor()
    try:
        if plan.written is not None and len(rows) >= COPY_FROM:
            with cursor.copy(plan.copy) as copy:
                copy.write(copy_text.write(plan.columns(rows), plan.written))
        elif connection.dialect.name == "postgresql":
            _insert_few(cursor, plan, plan.bind_all(rows))
        else:
            cursor.executemany(plan.one, plan.bind_all(rows))
    except _errors(connection.dialect) as error:
        raise _wrapped(plan.one, error, connection.dialect) from error
    finally:
        cursor.close()


def _insert_few(cursor: Any, plan: _Plan, bound: Sequence[Sequence[object]]) -> None:
    """Few rows, or a column whose type only the driver knows how to write."""
    if len(bound) < COPY_FROM:
        for row in bound:
            cursor.execute(plan.one, row)
        return
    with cursor.copy(plan.copy) as copy:
        for row in bound:
            copy.write_row(row)


@dataclass(frozen=True, slots=True)
class _Plan:
    binds: tuple[tuple[int, BindAll], ...]  # the places whose values need their column's type
    defaults: tuple[object, ...]  # behind the named columns
    one: str
    copy: str
    written: tuple[copy_text.Writer | None, ...] | None  # how COPY has the columns; None on SQLite and for some types

    def bind(self, row: Mapping[str, object]) -> Sequence[object]:
        return self.bind_all([tuple(row.values())])[0]

    def bind_all(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[Sequence[object]]:
        if not self.binds and not self.defaults:
            return rows
        return list(zip(*self.columns(rows), strict=True))

    def columns(self, rows: Sequence[tuple[Any, ...]]) -> list[Sequence[Any]]:
        """The rows' values by column: each column is bound as a whole."""
        found: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, bind in self.binds:
            found[place] = bind(found[place])
        return found + [(default,) * len(rows) for default in self.defaults]


@lru_cache(maxsize=256)
def _plan(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Plan:
    columns = [table.c[name] for name in names]
    binds = [_binder(column.type, dialect) for column in columns]
    filled = [c for c in table.columns if c.name not in names and c.default is not None]
    if any(not column.default.is_scalar for column in filled if column.default is not None):
        raise TypeError(f"a default of {table.name} is made row by row: name its column")
    every = [column.name for column in (*columns, *filled)]
    listed = ", ".join(f'"{name}"' for name in every)
    postgresql = dialect.name == "postgresql"
    marks = ", ".join(["%s" if postgresql else "?"] * len(every))
    return _Plan(
        tuple((place, bind) for place, bind in enumerate(binds) if bind is not None),
        tuple(column.default.arg for column in filled),  # type: ignore[union-attr]  # they have one, by the line above
        f"INSERT INTO {table.name} ({listed}) VALUES ({marks})",  # noqa: S608 - names of our own tables and columns
        f"COPY {table.name} ({listed}) FROM STDIN", copy_text.writers(table, every) if postgresql else None)


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> BindAll | None:
    """What makes a column's values of this type the driver's. The rows of a batch share a few days and one instant."""
    if isinstance(kind, Sealed | SealedJSON):
        return partial(_sealed, column=kind.column, said=as_json if isinstance(kind, SealedJSON) else str)
    bind: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return None
    one = lru_cache(maxsize=256)(bind) if isinstance(kind, Date | Instant) else bind
    return lambda values: list(map(one, values))


def _sealed(values: Sequence[Any], column: str, said: Callable[[Any], str]) -> list[bytes | None]:
    sealed = iter(seal_all([said(value) for value in values if value is not None], column))
    return [None if value is None else next(sealed) for value in values]


@lru_cache(maxsize=512)
def _spoken(statement: str, dialect: str) -> str:
    if dialect == "postgresql":
        return statement.replace("IN_LIST", "= ANY(?)").replace("?", "%s")
    return statement.replace("IN_LIST", "IN (SELECT value FROM json_each(?))")


def _errors(dialect: Dialect) -> type[Exception]:
    errors: type[Exception] = dialect.loaded_dbapi.Error
    return errors


def _wrapped(statement: str, error: Exception, dialect: Dialect) -> BaseException:
    """As SQLAlchemy raises it: whoever runs a transaction again after a deadlock looks for these."""
    return DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True,
                               dialect=dialect)
