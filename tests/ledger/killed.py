"""A process that imports a file as `plainbill import` does, and is killed where, or when, the order says.

An order (tests/road/forking.py): url, now, path, failpoint, and after how many seconds (0: never).
"""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.importing import files, posting
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock, maple_clinic
from tests.ledger.books import PRACTICE
from tests.road.forking import only_imports, serve_lives

#: Claims to a batch: a file of a few hundred is dozens of them.
BATCH = 5


async def live(order: dict[str, Any]) -> None:
    posting.SMALLEST = posting.LARGEST = BATCH
    store = open_store(order["url"], TEST_KEYS)
    job = files.Job(PRACTICE, maple_clinic(), "ana", Clock(datetime.fromisoformat(order["now"])))
    if order.get("after"):
        threading.Timer(order["after"], os.kill, (os.getpid(), signal.SIGKILL)).start()
    files.import_file(Path(order["path"]), store, job, lambda report: None)
    os._exit(0)  # ahead of the timer


if __name__ == "__main__":
    serve_lives(live, only_imports)
