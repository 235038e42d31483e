"""A one-time link joins one chat to one account, once; parting voids what was agreed to. On each database."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from billing import accounts, chats, consents, links
from billing.phones import address_hash
from billing.store.tables import Audit, Practice
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world

CHAT = "7700123"


@pytest.fixture
def anna(store: Store, practice: Practice, clock: Clock) -> Store:
    store.write(lambda session: world.anna(session, clock()))
    return store


def hashed(chat: str = CHAT) -> str:
    return address_hash(world.PRACTICE, "telegram", chat)


def join(store: Store, token: str, at: datetime, chat: str = CHAT) -> str | None:
    return store.write(lambda s: chats.join(s, world.PRACTICE, token, chat, hashed(chat), at))


def link(store: Store, at: datetime) -> str:
    return store.write(lambda s: chats.make_link(s, world.PRACTICE, world.ANNA, 60, at))


def reached(store: Store, at: datetime, chat: str = CHAT) -> list[str]:
    return store.read(lambda s: [view.account_id for view in accounts.views_for(
        s, world.PRACTICE, "telegram", hashed(chat), None, at)])


def test_a_link_joins_one_chat_once(anna: Store, now: datetime) -> None:
    token = link(anna, now)
    assert join(anna, token, now) == world.ANNA and reached(anna, now) == [world.ANNA]
    assert join(anna, token, now) is None and join(anna, token, now, "8800") is None
    assert reached(anna, now, "8800") == []


def test_only_the_newest_link_of_an_account_is_good(anna: Store, now: datetime) -> None:
    older, newer = link(anna, now), link(anna, now)
    assert join(anna, older, now) is None
    assert join(anna, newer, now) == world.ANNA


def test_a_link_for_a_page_joins_no_chat_and_is_not_used_up(anna: Store, now: datetime) -> None:
    token = anna.write(lambda s: links.make(s, world.PRACTICE, world.ANNA, "pay", "pay_1", 1, now))
    assert join(anna, token, now) is None
    assert anna.read(lambda s: links.open(s, token, now)) is not None


def test_joining_records_consent_to_messages_there_and_none_to_amounts(anna: Store, now: datetime) -> None:
    join(anna, link(anna, now), now)
    stands = anna.read(lambda s: consents.standing(s, world.PRACTICE, "telegram", hashed(), world.ANNA))
    assert stands.complete and stands.detail_event_id is None and not stands.opted_out
    assert anna.read(_actions) == ["chat_joined"]


def test_parting_voids_consent_and_a_new_link_joins_again(anna: Store, clock: Clock) -> None:
    join(anna, link(anna, clock()), clock())
    parted = anna.write(lambda s: chats.part(s, world.PRACTICE, hashed(), wording="unlink", by="patient", now=clock()))
    assert parted == 1 and reached(anna, clock()) == []
    stands = anna.read(lambda s: consents.standing(s, world.PRACTICE, "telegram", hashed(), world.ANNA))
    assert stands.consent_event_id is None
    assert join(anna, link(anna, clock()), clock()) == world.ANNA and reached(anna, clock()) == [world.ANNA]


def test_a_stop_on_telegram_is_the_chats_and_not_the_phones(anna: Store, now: datetime) -> None:
    join(anna, link(anna, now), now)
    anna.write(lambda s: consents.record_revoked(s, world.PRACTICE, "telegram", hashed(), wording="STOP",
                                                 medium="text", recorded_by="patient", now=now))
    phone = address_hash(world.PRACTICE, "sms", CHAT)
    assert anna.read(lambda s: consents.standing(s, world.PRACTICE, "telegram", hashed())).opted_out
    assert not anna.read(lambda s: consents.standing(s, world.PRACTICE, "sms", phone)).opted_out


def _actions(session: Session) -> list[str]:
    return [row.action for row in session.query(Audit).order_by(Audit.id)]
