"""Fixtures for everybody: a store on each database, fixed keys, a configured practice, and a clock that stands still.

Nothing here may import aiogram (7-9 s).
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy.orm import Session

from billing.store.seal import Keyring, install_keyring
from billing.store.tables import Practice
from bot.write import Store, open_store
from config.practice import PracticePolicy
from tests.databases import PostgresqlServer, copy_sqlite, make_sqlite_template, quick_folder
from tests.thinned import EVERY_NTH_ON_POSTGRESQL, IN_CI_ALONE, THINNED

# The same examples in every run: a red build is the change's doing. `--hypothesis-profile=default` looks for new ones.
# `make test` tries a few of each, CI more of them (.ci/run names the profile).
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.register_profile("brief", derandomize=True, deadline=None, max_examples=8)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "brief"))

TUESDAY = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)  # 10:00 in New York

TEST_KEYS = Keyring(keys={"test-1": bytes(range(32))}, current="test-1", index_key=bytes(range(32, 64)))


@dataclass
class Clock:
    """Call it for the instant; it moves only when told."""

    at: datetime = TUESDAY

    def __call__(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        """As config.clock.Clock."""
        return self.at

    def advance(self, **amount: float) -> datetime:
        """Move by ``timedelta(**amount)`` and return the new instant."""
        self.at += timedelta(**amount)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def now(clock: Clock) -> datetime:
    return clock()


@pytest.fixture(scope="session", autouse=True)
def keyring() -> Keyring:
    install_keyring(TEST_KEYS)
    return TEST_KEYS


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    return make_sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_server(keyring: Keyring) -> Iterator[PostgresqlServer]:
    # Not below pytest's own folder: every new pytest takes the permissions there back to its user alone, and a
    # server that runs as another user (it refuses to run as root) shuts down.
    with tempfile.TemporaryDirectory(prefix="plainbill-pg-", dir=quick_folder(), ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder) / "data")
        yield server
        server.stop()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return copy_sqlite(sqlite_template, tmp_path)


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    name = postgresql_server.create()
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new, migrated, empty database on each engine in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str, keyring: Keyring) -> Iterator[Store]:
    """An open store, once on SQLite and once on PostgreSQL."""
    opened = open_store(database_url, keyring)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str, keyring: Keyring) -> Iterator[Store]:
    opened = open_store(sqlite_url, keyring)
    yield opened
    opened.close()


@pytest.fixture
def postgresql_store(postgresql_url: str, keyring: Keyring) -> Iterator[Store]:
    opened = open_store(postgresql_url, keyring)
    yield opened
    opened.close()


@pytest.fixture
def practice(store: Store, now: datetime) -> Practice:
    """A configured practice in ``store``; ``practice.id`` and the rest may be read, changes are not saved."""
    return store.write(practice_row(now))


@pytest.fixture
def sqlite_practice(sqlite_store: Store, now: datetime) -> Practice:
    """As ``practice``, in ``sqlite_store``."""
    return sqlite_store.write(practice_row(now))


def maple_clinic(**changes: Any) -> PracticePolicy:
    """The policy of the tests' practice, with ``changes``."""
    return PracticePolicy.model_validate({
        "name": "Maple Clinic", "legal_name": "Maple Clinic PLLC", "phone": "+12125550199",
        "email": "billing@maple.example", "address": "12 Maple St, New York, NY 10001", "zone": "America/New_York",
        "region": "NY", "sms_number": "+12125550100", "sending": "on", "tax_id": "12-3456789", "npi": "1234567893",
        **changes})


def practice_row(now: datetime, **changes: Any) -> Callable[[Session], Practice]:
    """Return a function for ``store.write`` that adds the practice and returns its row."""

    def add(session: Session) -> Practice:
        policy = maple_clinic(**changes)
        row = Practice(id="prac_maple", name=policy.name, legal_name=policy.legal_name, phone=policy.phone,
                       zone=policy.zone, currency=policy.currency, sms_number=policy.sms_number,
                       ledger_of_record=policy.ledger_of_record, configured=True,
                       settings=policy.model_dump(mode="json"), created_at=now, updated_at=now)
        session.add(row)
        session.flush()
        return row

    return add


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the fast suite at two minutes: large families run by turns (tests/thinned.py).

    Nothing is left out for good: the rest is marked slow, and CI runs the slow tests too.
    """
    seen: Counter[str] = Counter()
    for item in items:
        if not IN_CI_ALONE.isdisjoint(_names(item)):
            item.add_marker(pytest.mark.slow)
        elif nth := _nth(item):
            kept = seen[f"{item.path}:{nth}"] % nth == 0
            seen[f"{item.path}:{nth}"] += 1
            if not kept:
                item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no garbage collection need look at its half a million objects again."""
    gc.freeze()


def _names(item: pytest.Item) -> tuple[str, str]:
    """As tests/thinned.py may name it: its function, and its file."""
    path = item.path.relative_to(item.config.rootpath).as_posix()
    return f"{path}::{item.name.partition('[')[0]}", path


def _nth(item: pytest.Item) -> int:
    """One of how many of its kind this test stands for in the fast suite; 0: it always runs there."""
    if item.get_closest_marker("slow"):
        return 0
    for name in _names(item):
        if thinned := THINNED.get(name):
            return thinned
    name = item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
    return EVERY_NTH_ON_POSTGRESQL if "postgresql" in name.split("-") else 0
