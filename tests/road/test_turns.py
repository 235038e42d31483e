"""A turn inside its transaction, with the real conversation, gate and words: identity, cards, order, links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from billing import consents
from billing.ids import new_id
from billing.phones import address_hash
from billing.store.tables import ContactPoint, Conversation, Guarantor, Inbox, Outbox, Practice
from bot.accept import UnknownNumber, accept_message, keep
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.receive import receive_due
from bot.road import Road
from bot.worker import drain
from bot.write import Store
from handlers.core import State
from tests.conftest import Clock

PATIENT = "+12125550111"
CARD = "4242 4242 4242 4242"


@pytest.fixture
def road(store: Store, practice: Practice, clock: Clock) -> Road:
    return Road(store, clock, "w1", "https://bills.example", {"console": ConsoleChannel(clock)})


async def text(road: Road, body: str, external_id: str = "", channel: str = "console", to: str = "") -> None:
    message = Inbound(external_id or new_id("in"), PATIENT, to, body)
    await keep(road, partial(accept_message, channel=channel, message=message, now=road.clock.now(),
                             practice_id=None if to else "prac_maple"))


def conversation(road: Road) -> Conversation:
    return road.store.read(lambda session: session.query(Conversation).one())


def outbox(road: Road) -> list[Outbox]:
    return road.store.read(lambda session: session.query(Outbox).order_by(Outbox.reply_to, Outbox.sequence).all())


def known_patient(road: Road, channel: str = "console", **talk: object) -> Callable[[Session], None]:
    """Add a confirmed account on the patient's number and a conversation with ``talk``'s columns."""

    def add(session: Session) -> None:
        now = road.clock.now()
        hashed = address_hash("prac_maple", channel, PATIENT)
        session.add(Guarantor(id="guar_1", practice_id="prac_maple", external="A1", external_hash="h", name="Doe, Ann",
                              surname_hash="h", language="es", origin="patients", confirmed_at=now, created_at=now))
        session.flush()
        session.add(ContactPoint(id="cp_1", practice_id="prac_maple", guarantor_id="guar_1", channel="sms",
                                 address=PATIENT, address_hash=hashed, source="test", created_at=now))
        if talk:
            session.add(Conversation(id="conv_1", practice_id="prac_maple", channel=channel, address=PATIENT,
                                     address_hash=hashed, language="en", state=State().to_json(), created_at=now,
                                     **talk))

    return add


async def test_a_text_is_answered_once_and_the_conversation_is_made_for_a_new_number(road: Road) -> None:
    await text(road, "HELP", "C1")
    await text(road, "HELP", "C1")
    await drain(road)
    assert [row.status for row in outbox(road)] == ["sent"]
    assert conversation(road).version == 1


async def test_replies_carry_what_they_answer_and_their_place(road: Road) -> None:
    await text(road, "HELP")
    await drain(road)
    (row,) = outbox(road)
    (asked,) = road.store.read(lambda session: session.query(Inbox).all())
    assert (row.reply_to, row.sequence, row.idempotency_key) == (asked.id, 0, f"reply:{asked.id}:0")
    assert row.purpose == "help"


async def test_a_new_conversation_speaks_the_language_of_the_only_account_on_the_number(road: Road) -> None:
    road.store.write(known_patient(road))
    await text(road, "HELP")
    await drain(road)
    assert conversation(road).language == "es"


@pytest.mark.parametrize(("idle", "kept"), [(timedelta(minutes=15), True), (timedelta(minutes=15, seconds=1), False)])
async def test_t34_an_identity_lapses_after_fifteen_idle_minutes_and_the_next_text_does_not_revive_it(
        road: Road, clock: Clock, idle: timedelta, kept: bool) -> None:
    road.store.write(known_patient(road, guarantor_id="guar_1", verified_at=clock(), last_inbound_at=clock()))
    clock.at += idle
    for _ in range(2):
        await text(road, "HELP")
        await drain(road)
        assert (conversation(road).guarantor_id == "guar_1") is kept
        assert all((row.guarantor_id == "guar_1") is kept for row in outbox(road))
        clock.advance(seconds=10)


async def test_an_answer_whose_proof_lapsed_on_the_way_is_followed_by_words_that_disclose_nothing(
        road: Road, clock: Clock) -> None:
    road.store.write(known_patient(road, guarantor_id="guar_1", verified_at=clock(), last_inbound_at=clock()))
    road.store.write(partial(
        consents.record_detail, practice_id="prac_maple", channel="console", guarantor_id="guar_1", allowed=True,
        address_hash=address_hash("prac_maple", "console", PATIENT), wording="detail_warning/en", recorded_by="patient",
        now=clock()))
    await text(road, "balance")
    await receive_due(road)
    clock.advance(minutes=20)
    await drain(road)
    rows = outbox(road)
    assert [(row.template, row.status) for row in rows if row.privacy != "open"] == [("balance", "withheld")]
    assert [row.status for row in rows if row.template == "answer_waiting"] == ["sent"]


async def test_t52_a_card_number_is_answered_with_no_trace_of_it_and_taken_away_at_the_provider(road: Road) -> None:
    await text(road, f"pay with {CARD}", "SM1", channel="sms", to="+12125550100")
    await receive_due(road)
    (asked,) = road.store.read(lambda session: session.query(Inbox).all())
    assert "4242" not in str(asked.payload)
    redaction = next(row for row in outbox(road) if row.purpose == "redaction")
    assert (redaction.provider_id, redaction.status, redaction.body) == ("SM1", "queued", "")
    answers = [row for row in outbox(road) if row.purpose != "redaction"]
    assert answers
    assert not any("4242" in row.body for row in answers)


async def test_the_number_written_to_picks_the_practice_and_a_strange_one_is_refused(road: Road) -> None:
    await text(road, "HELP", channel="sms", to="+12125550100")
    with pytest.raises(UnknownNumber):
        await text(road, "HELP", channel="sms", to="+12125550177")


async def test_a_row_that_cannot_be_worked_is_put_back_and_others_go_on(road: Road, clock: Clock) -> None:
    def broken(session: Session) -> None:
        session.add(Inbox(practice_id="prac_maple", source="console", external_id="bad", kind="nonsense", thread="x",
                          payload={}, status="accepted", received_at=clock(), due_at=clock()))

    road.store.write(broken)
    await text(road, "HELP")
    await drain(road)
    assert [row.status for row in outbox(road)] == ["sent"]
    rows = road.store.read(lambda session: {row.external_id: row for row in session.query(Inbox)})
    assert (rows["bad"].status, rows["bad"].note, rows["bad"].attempts) == ("accepted", "ValueError", 1)


async def test_two_quick_texts_are_worked_in_order_and_never_side_by_side(road: Road) -> None:
    for body in ("HELP", "are you a robot?", "HELP"):
        await text(road, body)
    assert await receive_due(road) == 1
    await drain(road)
    assert conversation(road).version == 3
    rows = outbox(road)
    assert [row.sending_at is not None for row in rows] == [True] * len(rows)


async def test_news_answer_in_the_conversation_without_counting_as_a_word_of_the_patient(
        road: Road, clock: Clock) -> None:
    road.store.write(known_patient(road, last_inbound_at=clock()))
    before = clock()
    clock.advance(minutes=5)

    def news(session: Session) -> None:
        payload = {"kind": "timeout", "conversation_id": "conv_1", "version": 0, "data": {}}
        session.add(Inbox(practice_id="prac_maple", source="event", external_id="e1", kind="event", thread="t",
                          payload=payload, status="accepted", received_at=clock(), due_at=clock()))

    road.store.write(news)
    await drain(road)
    assert road.store.read(lambda session: session.query(Inbox).one().status) == "done"
    assert (conversation(road).version, conversation(road).last_inbound_at) == (1, before)
