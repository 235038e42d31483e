"""A process that exports letters, and is killed where PLAINBILL_FAILPOINT says: URL, instant, folder."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from bot.mailing import export
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.payments.world import PRACTICE

if __name__ == "__main__":
    url, now, folder = sys.argv[1:]
    store = open_store(url, TEST_KEYS)
    export(store, PRACTICE, Path(folder), by="bill", now=Clock(datetime.fromisoformat(now)))
    store.close()
