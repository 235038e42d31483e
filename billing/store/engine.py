"""The engine: SQLite in a file by default, PostgreSQL when one process is not enough.

Python's sqlite3 opens transactions on its own and closes them around DDL; two hooks take that over, or a
rolled-back savepoint would leave its rows behind. Writers say ``execution_options(writes=True)`` and get
BEGIN IMMEDIATE: a plain BEGIN that reads before it writes fails at once when another writer was quicker, and no
busy timeout helps it. Whoever does not say so cannot write: the connection is read-only for that transaction.
"""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError

BUSY_TIMEOUT_MS = 30_000
"""How long a writer of one process waits for a writer of another; group commits take milliseconds."""

STATEMENTS_KEPT = 500
"""What a connection has the server keep of statements asked often, some 30 kB each. All screens together ask some 300
different ones; with the driver's own 100 it would throw away and prepare again all the time.
"""

UNASKED_SECONDS = 1
"""A connection given back less long ago is taken again without asking the server whether it still lives."""


def make_engine(url: str) -> Engine:
    """Open ``sqlite:///file`` or ``postgresql://...``. Raises ValueError for any other, and for SQLite in memory."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return _make_sqlite(parsed)
        case "postgresql" | "postgres":
            return _make_postgresql(parsed)
        case other:
            raise ValueError(f"database URL begins with {other!r}; use sqlite:///FILE or postgresql://HOST/NAME")


def writer(engine: Engine) -> Engine:
    """The same engine and pool, for transactions that write."""
    return engine.execution_options(writes=True)


def reader(engine: Engine) -> Engine:
    """The same, for transactions that read one consistent picture. On SQLite whoever does not write has that anyway."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _make_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or "mode=memory" in url.database:
        raise ValueError("SQLite in memory is not supported: each connection would see a database of its own; "
                         "use sqlite:///FILE")
    engine = create_engine(url.set(drivername="sqlite"), pool_size=8, max_overflow=16)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    # recursive_triggers: without it INSERT OR REPLACE deletes rows behind the back of the append-only triggers.
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
                   "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    if connection.info.get("writes") != writes:
        connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
        connection.info["writes"] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_postgresql(url: URL) -> Engine:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10)
    event.listen(engine, "connect", _keep_statements)
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", _require_alive)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _keep_statements(connection: Any, _record: Any) -> None:
    connection.prepared_max = STATEMENTS_KEPT


def _note_return(connection: Any, record: Any) -> None:
    record.info["returned"] = time.monotonic()


def _require_alive(connection: Any, record: Any, _fairy: Any) -> None:
    """What ``pool_pre_ping`` does before every transaction, where there is cause: a round trip is a tenth of one.

    A server that ended a connection has said so on its socket; one that vanished says nothing, so a connection that
    lay idle is asked all the same. Raises InvalidatePoolError, upon which the pool opens new ones.
    """
    returned = record.info.get("returned")
    if returned is None or (time.monotonic() - returned < UNASKED_SECONDS and _is_silent(connection)):
        return
    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except connection.Error as error:
        raise InvalidatePoolError from error


def _is_silent(connection: Any) -> bool:
    """Whether nothing waits to be read: no end of the connection, no word of the server's."""
    if connection.closed:
        return False
    asked = select.poll()  # one call of the system, where a selector makes four
    asked.register(connection.fileno(), select.POLLIN)
    return not asked.poll(0)


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not (options.get("writes", False) or options.get("postgresql_readonly", False)):  # its BEGIN says so already
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
