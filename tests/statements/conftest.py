from __future__ import annotations

from datetime import datetime

import pytest

from billing.store.tables import Practice
from bot.write import Store
from tests.explain.books import Books


@pytest.fixture
def books(store: Store, practice: Practice, now: datetime) -> Books:
    return Books(store, practice, now)
