"""A process that works one day of the calendar in each life, and is killed in it where the order says.

An order (tests/road/forking.py): url, now, failpoint.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.dunning_days import work_dunning
from bot.road import Road
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.road.forking import only_imports, serve_lives


async def live(order: dict[str, Any]) -> None:
    store = open_store(order["url"], TEST_KEYS)
    await work_dunning(Road(store, Clock(datetime.fromisoformat(order["now"])), "killed", "https://pay.maple.example"))
    store.close()


if __name__ == "__main__":
    serve_lives(live, only_imports)
