"""PostgreSQL's LISTEN and NOTIFY: a line between processes, beside the store's own connections.

Not through the engine: a listening connection waits for ever, and a NOTIFY in a transaction makes all committers queue
for one lock (bot/bells.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg
from sqlalchemy import make_url

CHANNEL = "plainbill"


class LineLost(Exception):
    """The database is away. The text is the fault's type."""


class Line:
    """Two open connections: one hears, one tells."""

    def __init__(self, hearing: psycopg.AsyncConnection[object], telling: psycopg.AsyncConnection[object]) -> None:
        self._hearing, self._telling = hearing, telling

    async def heard(self) -> AsyncIterator[list[str]]:
        """Yield the names that were rung. The first, empty, says that the line stands. Raises LineLost."""
        try:
            await self._hearing.execute(f"LISTEN {CHANNEL}")
            yield []
            async for ring in self._hearing.notifies():
                yield ring.payload.split(",")
        except psycopg.Error as error:
            raise LineLost(type(error).__name__) from error

    async def tell(self, names: Sequence[str]) -> None:
        """Ring for every process that listens, this one too. Raises LineLost."""
        try:
            await self._telling.execute("SELECT pg_notify(%s, %s)", (CHANNEL, ",".join(names)))
        except psycopg.Error as error:
            raise LineLost(type(error).__name__) from error


def has_line(url: str) -> bool:
    """Whether this database has such a line: SQLite is one process, whose bells are all there are."""
    return make_url(url).get_backend_name().startswith("postgres")


@asynccontextmanager
async def open_line(url: str) -> AsyncIterator[Line]:
    """Raises LineLost."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with (await psycopg.AsyncConnection.connect(address, autocommit=True) as hearing,
                    await psycopg.AsyncConnection.connect(address, autocommit=True) as telling):
            yield Line(hearing, telling)
    except (psycopg.Error, OSError) as error:
        raise LineLost(type(error).__name__) from error
