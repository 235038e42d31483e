"""Books on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.store.tables import Practice
from bot.write import Store
from tests.conftest import Clock
from tests.ledger.books import Books


@pytest.fixture
def books(store: Store, practice: Practice, tmp_path: Path, clock: Clock) -> Books:
    """Empty books of a configured practice, once on SQLite and once on PostgreSQL."""
    return Books(store, tmp_path, clock)


@pytest.fixture
def lite(sqlite_store: Store, sqlite_practice: Practice, tmp_path: Path, clock: Clock) -> Books:
    """As ``books``, on SQLite only: for rules that no database can make different."""
    return Books(sqlite_store, tmp_path, clock)
