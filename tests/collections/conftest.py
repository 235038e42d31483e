"""The office on each database."""

from __future__ import annotations

import pytest

from bot.write import Store
from tests.collections.office import Office, make_office
from tests.conftest import Clock


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    return make_office(store, clock)
