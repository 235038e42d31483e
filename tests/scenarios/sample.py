"""The sample practice of the demo, imported once per test process and copied for each test."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

from billing.store.practices import add_staff, save_policy
from bot.demo.stage import FILES, HERE, ORDER
from bot.importing import files
from bot.importing.report import Report
from bot.write import open_store
from config.policy_file import read_policy
from tests.conftest import TEST_KEYS

PRACTICE = "main"
POLICY = read_policy(HERE / "practice.toml")
NUMBER = POLICY.sms_number or ""
TUESDAY = datetime.fromisoformat("2026-11-17T10:00:00-05:00")

#: Before the earliest day of any test: a clock never goes back.
IMPORTED_AT = datetime.fromisoformat("2026-10-30T09:00:00-04:00")

#: Settings that let a process read what the tests' keys sealed.
KEYS = {
    "PLAINBILL_ENCRYPTION_KEYS": "test-1:" + base64.b64encode(TEST_KEYS.keys["test-1"]).decode(),
    "PLAINBILL_INDEX_KEY": base64.b64encode(TEST_KEYS.index_key).decode(),
}


def fill(url: str, folder: Path = FILES) -> None:
    """Import the sample practice's files, or those of ``folder``, into an empty, migrated database."""
    store = open_store(url, TEST_KEYS)
    try:
        store.write(lambda session: save_policy(session, PRACTICE, POLICY, True, IMPORTED_AT))
        store.write(lambda session: add_staff(session, PRACTICE, "dana", "Dana Reyes", "biller", IMPORTED_AT))
        job = files.Job(PRACTICE, POLICY, "test", lambda: IMPORTED_AT)
        for name in ORDER:
            files.import_file(folder / name, store, job, _posted)
    finally:
        store.close()


def _posted(report: Report) -> None:
    assert report.outcome == "posted", report.reason


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
