"""The house on each database."""

from __future__ import annotations

import pytest

from bot.write import Store
from tests.conftest import Clock
from tests.dunning.house import House, make_house


@pytest.fixture
def house(store: Store, clock: Clock) -> House:
    return make_house(store, clock)
