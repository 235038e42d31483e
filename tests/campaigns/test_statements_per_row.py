"""What one account of a run costs the database: a bound with some air, so that what is read once is not read thrice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from bot.write import Store
from tests.campaigns.world import Town, make_town
from tests.conftest import Clock

ACCOUNTS = 12
MOST = 100


@pytest.fixture
def dozen(sqlite_store: Store, clock: Clock) -> Town:
    town = make_town(sqlite_store, clock)
    for number in range(ACCOUNTS):
        town.account(number)
    return town


@contextmanager
def told(town: Town) -> Iterator[list[str]]:
    """Every statement that reaches the database, whichever layer speaks to it."""
    seen: list[str] = []

    def listen(session: Session, callback: object) -> None:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(callback)

    town.do(lambda session: listen(session, seen.append))
    yield seen
    town.do(lambda session: listen(session, None))


@pytest.mark.parametrize(("purpose", "template"), [("statement", "statement_ready"), ("reminder", "reminder_first")])
def test_an_account_of_a_run_takes_at_most_a_hundred_statements(dozen: Town, purpose: str, template: str) -> None:
    if purpose == "reminder":
        dozen.launched()
        dozen.work()
        dozen.clock.advance(days=20)
    campaign_id = dozen.launched(purpose=purpose, template=template)
    with told(dozen) as seen:
        dozen.feed()
    assert set(dozen.fates(campaign_id).values()) == {("queued", "")}
    assert ACCOUNTS * 20 < len(seen) <= ACCOUNTS * MOST
