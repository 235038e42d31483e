"""Where measurements put their databases: a folder of their own, and one embedded PostgreSQL server in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def databases() -> Iterator[tuple[Path, Any]]:
    """A folder and a server (tests.databases.PostgresqlServer), gone at the end."""
    from tests.databases import PostgresqlServer

    with tempfile.TemporaryDirectory(prefix="plainbill-bench-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder) / "data")
        try:
            yield Path(folder), server
        finally:
            server.stop()
