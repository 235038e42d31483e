"""Statements built once and given to the driver come to what SQLAlchemy makes of them each time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing.store import driver, road_queries
from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import Outbox, Practice
from bot.write import Store
from tests.campaigns.test_sets import PRACTICE
from tests.conftest import practice_row

COLUMNS = (Outbox.id, Outbox.address, Outbox.body, Outbox.due_at, Outbox.provider_id, Outbox.arguments, Outbox.segments)


@prepared
def _due_of() -> Query:
    return select(*COLUMNS).where(one_of(Outbox.id, "ids"), Outbox.due_at <= given("now"), Outbox.purpose.in_(
        ("statement", "reminder"))).order_by(Outbox.id)


@pytest.fixture
def ids(store: Store, now: datetime) -> list[str]:
    store.write(practice_row(now))
    made = [f"msg_{number}" for number in range(4)]

    def queue(session: Session) -> None:
        session.add_all(Outbox(
            id=one, practice_id=PRACTICE, channel="sms", address="+12125550001", address_hash="h", purpose="statement",
            template="t", template_version="1", language="es", privacy="open", arguments={"día": [1]}, body="¿Cuánto?",
            segments=number, subject="", status="queued", due_at=now + timedelta(seconds=number - 2), sequence=0,
            idempotency_key=one, attempts=0, lookups=0, created_at=now) for number, one in enumerate(made))

    store.write(queue)
    return made


def test_rows_come_back_opened_and_with_the_zone_of_their_instants_as_from_sqlalchemy(
        store: Store, ids: list[str], now: datetime) -> None:
    wanted = [*ids, *(f"msg_unknown_{number}" for number in range(3_000))]
    found = store.read(lambda session: _due_of(session, ids=wanted, now=now))
    by_sqlalchemy = store.read(lambda session: session.execute(select(*COLUMNS).where(
        Outbox.id.in_(ids), Outbox.due_at <= now).order_by(Outbox.id)).all())
    assert found == [tuple(row) for row in by_sqlalchemy]
    assert len(found) == 3 and found[0][1] == "+12125550001" and found[0][3].utcoffset() == timedelta(0)


def test_of_no_keys_there_are_no_rows(store: Store, ids: list[str], now: datetime) -> None:
    assert store.read(lambda session: _due_of(session, ids=[], now=now)) == []


@pytest.mark.parametrize("values", [{"ids": ["a"]}, {"ids": ["a"], "now": None, "more": 1}])
def test_a_value_too_few_or_too_many_is_an_error_that_names_what_is_asked_for(
        store: Store, ids: list[str], values: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="ids, now"):
        store.read(lambda session: _due_of(session, **values))


def test_what_the_database_refuses_comes_as_sqlalchemy_s_error_without_the_values(store: Store) -> None:
    with pytest.raises(DBAPIError) as caught:
        store.read(lambda session: driver.run(session, "SELECT nothing FROM nowhere WHERE one = ?", "+12125550001"))
    assert "+12125550001" not in str(caught.value)


def test_what_the_session_has_not_written_yet_is_seen(store: Store, ids: list[str], now: datetime) -> None:
    def work(session: Session) -> int:
        row = session.get(Outbox, ids[3])
        assert row is not None
        row.due_at = now
        return len(_due_of(session, ids=ids, now=now))

    assert store.write(work) == 4


def test_a_message_that_is_locked_is_read_as_it_is_now(store: Store, ids: list[str]) -> None:
    def work(session: Session) -> tuple[str, str]:
        before = session.get(Outbox, ids[0])
        assert before is not None and session.get(Practice, PRACTICE) is not None
        session.execute(update(Outbox).values(status="deferred").execution_options(synchronize_session=False))
        locked = road_queries.lock_message(session, ids[0])
        (other,) = road_queries.lock_messages(session, [ids[1]])
        assert locked is before
        return locked.status, other.status

    assert store.write(work) == ("deferred", "deferred")
