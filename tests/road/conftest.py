"""Fixtures of the road."""

from __future__ import annotations

import pytest

from billing.store.tables import Practice
from bot.write import Store
from tests.conftest import Clock
from tests.road.desk import Desk


@pytest.fixture
def desk(store: Store, practice: Practice, clock: Clock) -> Desk:
    return Desk(store, practice, clock)
