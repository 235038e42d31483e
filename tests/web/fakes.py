"""A wiring that is never served: enough to look at the table of routes."""

from __future__ import annotations

from typing import cast

from bot.processors.manual import ManualProcessor
from bot.road import Road
from bot.web.wiring import Wiring
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock


def wiring() -> Wiring:
    from tests.web.conftest import Now

    return Wiring(Settings(), Road(cast(Store, None), Now(Clock()), "test", "http://127.0.0.1"), ManualProcessor())
