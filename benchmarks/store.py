"""How fast the store seals, and writes small transactions from many threads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy.orm import Session

from benchmarks.result import Result, rate
from billing.store.seal import Keyring, seal, unseal
from billing.store.trail import note
from bot.write import Store, open_store

KEYS = Keyring({"bench": bytes(32)}, "bench", bytes(32))
NOW = datetime(2026, 11, 3, 15, tzinfo=UTC)
_numbers = count()


def measure() -> Iterator[Result]:
    """Yield seals a second and committed writes a second on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'bench.db'}", KEYS)
        yield Result("seal and open a 100-byte value", rate(_seal_many), "a second")
        for threads in (1, 32):
            yield Result(f"audit rows, each its own write, {threads} threads",
                         rate(lambda threads=threads: _write_many(store, threads)), "a second")  # type: ignore[misc]
        store.close()


def _seal_many() -> int:
    for _ in range(5000):
        unseal(seal("x" * 100, "bench.column"), "bench.column")
    return 5000


def _write_many(store: Store, threads: int) -> int:
    def write(_: int) -> None:
        store.write(_add)

    total = 250 * threads if threads == 1 else 4000
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(total)))
    return total


def _add(session: Session) -> None:
    note(session, "main", "bench", "read", "account", f"acct_{next(_numbers)}", NOW)
