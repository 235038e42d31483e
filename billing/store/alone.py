"""One at a time among all processes: a lock that goes when its holder dies, so that nobody waits for a timer.

PostgreSQL: an advisory lock of a session of its own, for all machines. SQLite: a lock on an empty file beside the
database, which is of one machine anyway; the file goes with its holder's work.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, text

from billing.store.engine import writer

_TAKE = text("SELECT pg_try_advisory_lock(hashtextextended('alone:' || :name, 0))")
_GIVE = text("SELECT pg_advisory_unlock(hashtextextended('alone:' || :name, 0))")


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[bool]:
    """Hold the lock ``name`` for the block; False for whoever comes while another has it, in this process or elsewhere.

    Not to be held inside a transaction.
    """
    one = _by_session(engine, name) if engine.dialect.name == "postgresql" else _by_file(engine, name)
    with one as mine:
        yield mine


@contextmanager
def _by_session(engine: Engine, name: str) -> Iterator[bool]:
    with writer(engine).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.detach()  # closed for good at the end, and the lock with it: the pool never gets it back
        mine = bool(connection.scalar(_TAKE, {"name": name}))
        try:
            yield mine
        finally:
            if mine:
                connection.execute(_GIVE, {"name": name})  # at once: a server is slow to see that somebody is gone


@contextmanager
def _by_file(engine: Engine, name: str) -> Iterator[bool]:
    database = Path(str(engine.url.database))
    path = database.with_name(f"{database.name}.{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock")
    file = _taken(path)
    if file is None:
        yield False
        return
    with file:
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)  # still locked: whoever has it open sees that it lost its name


def _taken(path: Path) -> IO[bytes] | None:
    """The lock's file, locked and under its name; None where another has it."""
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if _is_named(file, path):
            return file
        file.close()  # its holder went between our opening it and our locking it: two files would let two in


def _is_named(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
