"""A copy of the database to try something on: SQLite has one writer, who is not to be held up by what is only tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from billing.store.engine import make_engine


def can_copy(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


@contextmanager
def copied(engine: Engine) -> Iterator[Engine]:
    """An SQLite database as it stands, in a folder that nobody else may read and that goes afterwards. Sealed columns
    stay sealed.
    """
    with tempfile.TemporaryDirectory(prefix="plainbill-") as folder:
        made = make_engine(f"sqlite:///{Path(folder) / 'tried.db'}")
        try:
            with engine.connect() as source, made.execution_options(writes=True).connect() as target:
                raw, into = source.connection.driver_connection, target.connection.driver_connection
                assert raw is not None and into is not None
                raw.backup(into)
            yield made
        finally:
            made.dispose()
