"""A process that imports a file and stops in the middle of reading it until it is told to go on.

Arguments: url, path. Standard output: "reading", then the outcome of the import.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot.importing import files
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock, maple_clinic
from tests.ledger.books import PRACTICE


def main(url: str, path: Path) -> None:
    told = False

    def wait(_count: int) -> None:
        nonlocal told
        if not told:
            told = True
            print("reading", flush=True)
            sys.stdin.readline()

    store = open_store(url, TEST_KEYS)
    job = files.Job(PRACTICE, maple_clinic(), "bea", Clock(), progress=wait)
    print(files.import_file(path, store, job, lambda report: None).outcome, flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
