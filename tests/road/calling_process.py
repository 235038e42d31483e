"""A process that is killed while it calls the processor. As tests/road/process.py: one JSON order per line, forked.

Order: url, till (the processor's file), now, failpoint, fault.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import failpoints
from bot.calling import call_due
from bot.logs import configure_logs
from bot.road import Road
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.payments.till import Till


async def live(order: dict[str, Any]) -> None:
    """One life of a process, at one instant."""
    clock = Clock(datetime.fromisoformat(order["now"]))
    store = open_store(order["url"], TEST_KEYS)
    road = Road(store, clock, f"crash-{os.getpid()}", "http://127.0.0.1:8000")
    await call_due(road, Till(clock, Path(order["till"]), (order["fault"],) if order["fault"] else ()))
    store.close()


def run(order: dict[str, Any]) -> None:
    try:
        failpoints.arm(order["failpoint"])
        asyncio.run(live(order))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    configure_logs("error")
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
