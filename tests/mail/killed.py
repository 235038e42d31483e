"""A process that exports letters, killed where the order says.

An order (tests/road/forking.py): url, now, folder, failpoint.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from bot.mailing import export
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.payments.world import PRACTICE
from tests.road.forking import only_imports, serve_lives


async def live(order: dict[str, Any]) -> None:
    store = open_store(order["url"], TEST_KEYS)
    export(store, PRACTICE, Path(order["folder"]), by="bill", now=Clock(datetime.fromisoformat(order["now"])))
    store.close()


if __name__ == "__main__":
    serve_lives(live, only_imports)
