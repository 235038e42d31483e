"""Fixtures for everybody: a store on each database, fixed keys, a configured practice, and a clock that stands still.

Nothing here may import aiogram (7-9 s).
"""

from __future__ import annotations

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
from tests.databases import PostgresqlServer, copy_sqlite, make_sqlite_template

# The same examples in every run: a red build is the change's doing. `--hypothesis-profile=default` looks for new ones.
# `make test` tries a few of each, CI all of them (.ci/run names the profile).
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("brief", derandomize=True, deadline=None, max_examples=25)
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
    with tempfile.TemporaryDirectory(prefix="plainbill-pg-", ignore_cleanup_errors=True) as folder:
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


#: Families of tests that are alike and slow: the fast suite runs every n-th of a file, CI runs all of them.
THINNED = {"tests/road/test_crashes.py": 20, "tests/road/test_telegram_crashes.py": 6,
           "tests/telegram/test_talking.py": 3, "tests/telegram/test_updates.py": 3,
           "tests/scenarios/test_crashes.py": 8, "tests/scenarios/test_days.py": 6,
           "tests/scenarios/test_people.py": 3, "tests/csv/test_record.py": 6,
           "tests/importers/test_x12_oracles.py": 3, "tests/payments/test_events.py": 6,
           "tests/payments/test_orders.py": 6, "tests/web/test_paying.py": 2,
           "tests/conversations/test_transcripts.py::test_the_conversation_goes_the_same_way_on_telegram": 10,
           "tests/words/test_templates.py": 10, "tests/conversations/test_states.py": 8, "tests/plans/test_days.py": 5,
           "tests/plans/test_changes.py": 4, "tests/plans/test_life.py": 4, "tests/plans/test_money.py": 4,
           "tests/plans/test_opt_out.py": 3, "tests/reconcile/test_crashes.py": 8,
           "tests/reconcile/test_at_stripe.py": 4,
           "tests/scenarios/test_plan_years.py::test_a_life_that_broke_a_promise_keeps_it_now": 3,
           "tests/ledger/test_remittances.py": 2, "tests/ledger/test_charges.py": 2, "tests/csv/test_resuming.py": 4,
           "tests/standins/test_stripe.py": 2, "tests/contracts/test_stripe_promises.py": 2,
           "tests/road/test_calling.py": 3, "tests/road/test_matters.py": 3,
           "tests/scenarios/test_telegram_serving.py": 4, "tests/words/test_buttons.py": 10,
           "tests/conversations/test_plans.py": 4, "tests/conversations/test_household.py": 4,
           "tests/csv/test_posting.py": 3, "tests/ledger/test_undo.py": 3,
           "tests/understanding/test_fixed_words.py": 2, "tests/conversations/test_promises.py": 3,
           "tests/parties/test_preferences.py": 3, "tests/statements/test_content.py": 3, "tests/web/test_doors.py": 3,
           "tests/web/test_uploads.py": 4, "tests/web/test_passcode.py": 4, "tests/contracts/test_telegram.py": 4,
           "tests/importers/test_x12_properties.py": 3, "tests/cli/test_chat.py": 3,
           "tests/payments/test_refunds.py": 4, "tests/payments/test_cards_on_file.py": 3,
           "tests/payments/test_disputes.py": 3, "tests/payments/test_places.py": 3,
           "tests/payments/test_two_payers.py": 3, "tests/plans/test_suspicions.py": 3,
           "tests/plans/test_suspicions_stops.py": 3, "tests/faults/test_faults.py": 3,
           "tests/contracts/test_stripe_told.py": 3, "tests/contracts/test_stripe_afterwards.py": 3,
           "tests/close/test_day.py": 3, "tests/close/test_bank_file.py": 3, "tests/reconcile/test_reconcile.py": 3,
           "tests/web/test_plan_page.py": 3, "tests/web/test_cards.py": 3, "tests/cli/test_payments_cli.py": 3,
           "tests/cli/test_plans_cli.py": 3, "tests/understanding/test_command.py": 2,
           "tests/standins/test_stripe_trouble.py": 3, "tests/standins/test_stripe_back.py": 3,
           "tests/standins/test_stripe_bank.py": 3, "tests/standins/test_stripe_saved.py": 3,
           "tests/csv/test_parties.py": 3, "tests/parties/test_gate.py": 3, "tests/ledger/test_verify.py": 3}
EVERY_NTH_ON_POSTGRESQL = 8


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the fast suite at two minutes: what runs on SQLite as well runs on PostgreSQL by turns.

    Nothing is left out for good: the rest is marked slow, and CI runs the slow tests too.
    """
    seen: Counter[str] = Counter()
    for item in items:
        nth = _nth(item)
        if nth:
            kept = seen[f"{item.path}:{nth}"] % nth == 0
            seen[f"{item.path}:{nth}"] += 1
            if not kept:
                item.add_marker(pytest.mark.slow)


def _nth(item: pytest.Item) -> int:
    """One of how many of its kind this test stands for in the fast suite; 0: it always runs there."""
    if item.get_closest_marker("slow"):
        return 0
    path, function = item.path.relative_to(item.config.rootpath).as_posix(), item.name.partition("[")[0]
    thinned = THINNED.get(path) or THINNED.get(f"{path}::{function}")
    if thinned:
        return thinned
    name = item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
    return EVERY_NTH_ON_POSTGRESQL if "postgresql" in name.split("-") else 0
