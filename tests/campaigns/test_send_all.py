"""``plainbill send --all`` is no way round a campaign's second person, nor round a person's first look at a bill."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from billing import staff
from bot.write import open_store
from tests.campaigns.world import Town, make_town
from tests.cli.conftest import Outcome, Run
from tests.conftest import TEST_KEYS, Clock

Send = Callable[..., Outcome]


@pytest.fixture
def town(sqlite_url: str, clock: Clock) -> Iterator[Town]:
    """A practice whose campaigns of more than two accounts want a second person."""
    store = open_store(sqlite_url, TEST_KEYS)
    clock.advance(hours=2)
    yield make_town(store, clock)
    store.close()


@pytest.fixture
def send(sqlite_url: str, town: Town, plainbill: Run) -> Send:
    settings = {
        "DATABASE_URL": sqlite_url, "PRACTICE": "prac_maple", "PUBLIC_URL": "https://pay.maple.example",
        "CLOCK": "2026-11-03T12:00:00-05:00", "INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
        "ENCRYPTION_KEYS": "test-1:" + base64.b64encode(bytes(range(32))).decode()}
    return lambda *arguments, staff="ana": plainbill("send", *arguments, **settings, STAFF=staff)


@pytest.mark.parametrize(("accounts", "code", "queued"), [(2, 0, 2), (3, 3, 0)])
def test_more_than_a_campaign_may_have_without_a_second_person_is_refused(
        town: Town, send: Send, accounts: int, code: int, queued: int) -> None:
    for number in range(1, accounts + 1):
        town.account(number)
    assert send("--all").code == code
    assert queued_accounts(town) == [f"acct_{number}" for number in range(1, queued + 1)]


def test_an_auditor_sends_nothing(town: Town, send: Send) -> None:
    town.account(1)
    town.do(lambda s: staff.add(s, "prac_maple", login="otto", name="Otto", role="auditor", actor="setup",
                                now=town.clock()))
    assert send("--all", staff="otto").code == send("N00001", staff="otto").code == 3
    assert queued_accounts(town) == []


def test_a_bill_that_comes_late_waits_in_a_run_and_goes_when_a_person_names_it_before_any_hold(
        town: Town, send: Send) -> None:
    town.account(1, on=date(2026, 2, 2))
    town.account(2, on=date(2026, 2, 2))
    assert send("N00002").code == 0
    assert send("--all").code == 0
    assert queued_accounts(town) == ["acct_2"]


def queued_accounts(town: Town) -> list[str]:
    from sqlalchemy import select

    from billing.store.tables import Outbox

    return town.do(lambda s: sorted(one or "" for one in s.scalars(select(Outbox.guarantor_id))))
