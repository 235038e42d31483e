"""The world of the CSV tests, on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.store.tables import Practice
from bot.write import Store
from tests.csv.world import World


@pytest.fixture
def world(store: Store, practice: Practice, tmp_path: Path) -> World:
    folder = tmp_path / "files"
    folder.mkdir()
    return World(store, practice.id, folder)


@pytest.fixture
def small_world(sqlite_store: Store, sqlite_practice: Practice, tmp_path: Path) -> World:
    """On SQLite alone, for what does not depend on the database."""
    folder = tmp_path / "files"
    folder.mkdir()
    return World(sqlite_store, sqlite_practice.id, folder)
