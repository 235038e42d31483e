"""A process at an agency's files, killed where the order says.

An order (tests/road/forking.py): act (export or returns), url, now, place (a folder or the file), failpoint.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from bot import agency_files
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.payments.world import PRACTICE
from tests.road.forking import only_imports, serve_lives


async def live(order: dict[str, Any]) -> None:
    store, clock = open_store(order["url"], TEST_KEYS), Clock(datetime.fromisoformat(order["now"]))
    if order["act"] == "export":
        agency_files.export(store, PRACTICE, "acme", Path(order["place"]), by="max", now=clock)
    else:
        agency_files.take_in(store, PRACTICE, "acme", Path(order["place"]), by="bill", now=clock)
    store.close()


if __name__ == "__main__":
    serve_lives(live, only_imports)
