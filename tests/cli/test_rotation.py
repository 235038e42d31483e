"""Key rotation re-seals everything, may be stopped anywhere, and afterwards the old key opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from billing.store.rotation import Batch, reseal_batch, sealed_tables
from billing.store.seal import Keyring, SealError, install_keyring, sealed_under_current
from billing.store.tables import Base, Conversation, Practice, Staff
from bot.write import Store
from tests.cli.conftest import Run
from tests.conftest import TEST_KEYS

NEW = bytes(range(100, 132))
BOTH = Keyring({"test-2": NEW, **TEST_KEYS.keys}, "test-2", TEST_KEYS.index_key)
ONLY_NEW = Keyring({"test-2": NEW}, "test-2", TEST_KEYS.index_key)
PEOPLE = 12


@pytest.fixture
def filled(store: Store, practice: Practice, now: datetime) -> Iterator[Store]:
    def fill(session: Session) -> None:
        for number in range(PEOPLE):
            session.add(Staff(id=f"staff_{number:02}", practice_id=practice.id, login=f"p{number}", name="P",
                              role="biller", phone=f"+1212555{number:04}" if number % 3 else None, created_at=now))
        session.add(Conversation(id="conv_1", practice_id=practice.id, channel="sms", address="+12125550123",
                                 address_hash="h", language="en", state={"flow": "pay", "data": {"ñ": [1]}},
                                 created_at=now))

    store.write(fill)
    yield store
    install_keyring(TEST_KEYS)


def _rotate(store: Store, size: int = 5, stop_after: int = 10_000) -> int:
    total = batches = 0
    for table in sealed_tables():
        batch: Batch | None = None
        while (batch is None or batch.after is not None) and batches < stop_after:
            after = batch.after if batch else None
            batch = store.write(partial(reseal_batch, table_name=table, after=after, size=size))
            total += batch.resealed
            batches += 1
    return total


def _sealed_under_old_key(store: Store) -> int:
    def count(session: Session) -> int:
        stale = 0
        for name in sealed_tables():
            table = Base.metadata.tables[name]
            raw = [type_coerce(column, LargeBinary) for column in table.columns if hasattr(column.type, "column")]
            stale += sum(1 for row in session.execute(select(*raw)) for blob in row
                         if blob is not None and not sealed_under_current(bytes(blob)))
        return stale

    return store.read(count)


def test_after_a_rotation_the_new_key_alone_opens_everything(filled: Store) -> None:
    install_keyring(BOTH)
    assert _sealed_under_old_key(filled) > 0
    _rotate(filled)
    assert _sealed_under_old_key(filled) == 0
    install_keyring(ONLY_NEW)
    people = filled.read(lambda session: session.scalars(select(Staff).order_by(Staff.id)).all())
    assert [p.phone for p in people[:3]] == [None, "+12125550001", "+12125550002"]
    talk = filled.read(lambda session: session.get(Conversation, "conv_1"))
    assert talk is not None
    assert talk.state == {"flow": "pay", "data": {"ñ": [1]}}


def test_a_rotation_stopped_between_two_batches_is_finished_by_the_next(filled: Store) -> None:
    install_keyring(BOTH)
    first = _rotate(filled, size=3, stop_after=len(sealed_tables()) // 2)
    rest = _rotate(filled, size=3)
    assert _sealed_under_old_key(filled) == 0
    assert first + rest == PEOPLE - PEOPLE // 3 + 1


def test_a_second_rotation_has_nothing_to_do(filled: Store) -> None:
    install_keyring(BOTH)
    _rotate(filled)
    assert _rotate(filled) == 0


def test_a_value_under_a_lost_key_stops_the_rotation_instead_of_being_overwritten(filled: Store) -> None:
    install_keyring(ONLY_NEW)
    with pytest.raises(SealError):
        _rotate(filled)


def test_the_command_re_seals_and_says_how_much(plainbill: Run) -> None:
    key = "k2:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    stand_in = "standin:cGxhaW5iaWxsLXN0YW5kLWluLXNlYWxpbmcta2V5LTE="
    plainbill("staff", "add", "ana", "--name", "Ana", "--phone", "+12125550199")
    done = plainbill("keys", "rotate", "--json", ENCRYPTION_KEYS=f"{key},{stand_in}")
    assert (done.code, done.json["resealed"], done.json["current_key"]) == (0, 1, "k2")
    assert plainbill("staff", "list", ENCRYPTION_KEYS=key).code == 0
