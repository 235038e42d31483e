"""A practice that leaves another system, on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.store.tables import Practice
from bot.write import Store
from tests.cli.conftest import plainbill
from tests.opening.takeover import Takeover, begun

__all__ = ["plainbill"]


@pytest.fixture
def move(store: Store, practice: Practice, tmp_path: Path) -> Takeover:
    folder = tmp_path / "files"
    folder.mkdir()
    return begun(Takeover(store, practice.id, folder))


@pytest.fixture
def small_move(sqlite_store: Store, sqlite_practice: Practice, tmp_path: Path) -> Takeover:
    """On SQLite alone, for what does not depend on the database."""
    folder = tmp_path / "files"
    folder.mkdir()
    return begun(Takeover(sqlite_store, sqlite_practice.id, folder))
