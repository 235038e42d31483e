"""The town on each database, and commands as a user types them."""

from __future__ import annotations

import pytest

from bot.write import Store
from tests.campaigns.world import Town, make_town
from tests.cli.conftest import plainbill
from tests.conftest import Clock

__all__ = ["plainbill", "town"]


@pytest.fixture
def town(store: Store, clock: Clock) -> Town:
    return make_town(store, clock)
