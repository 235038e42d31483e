"""A process that works one day of the calendar, and is killed where PLAINBILL_FAILPOINT says: URL, instant."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from bot.dunning_days import work_dunning
from bot.road import Road
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock

if __name__ == "__main__":
    url, now = sys.argv[1:]
    store = open_store(url, TEST_KEYS)
    asyncio.run(work_dunning(Road(store, Clock(datetime.fromisoformat(now)), "killed", "https://pay.maple.example")))
    store.close()
