"""A process at an agency's files, killed where PLAINBILL_FAILPOINT says: export URL INSTANT FOLDER, or returns URL
INSTANT FILE.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from bot import agency_files
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.payments.world import PRACTICE

if __name__ == "__main__":
    act, url, now, place = sys.argv[1:]
    store, clock = open_store(url, TEST_KEYS), Clock(datetime.fromisoformat(now))
    if act == "export":
        agency_files.export(store, PRACTICE, "acme", Path(place), by="max", now=clock)
    else:
        agency_files.take_in(store, PRACTICE, "acme", Path(place), by="bill", now=clock)
    store.close()
