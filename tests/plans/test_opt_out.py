"""Somebody on autopay stops texts: nothing is charged until a person has asked what was meant (T-48)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import apply, cases, chats, consents, plans
from billing.command_context import Context
from billing.commands import RecordOptOut
from billing.phones import address_hash
from billing.store.tables import Case, ContactPoint, Conversation, Inbox
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import ANNA, NEW, PHONE, PRACTICE, TALK, Life, begin

FIRST = date(2026, 12, 3)
HASH = ("sms", PHONE)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def hashed(channel: str = "sms", address: str = PHONE) -> str:
    return address_hash(PRACTICE, channel, address)


def stop(life: Life) -> None:
    context = Context(PRACTICE, TALK, PHONE, hashed(), "sms", None, "en", life.clock())
    life.do(lambda s: apply.carry_out(s, RecordOptOut("STOP"), context))


def resume(life: Life, plan_id: str) -> None:
    def act(session: object) -> None:
        from sqlalchemy import select
        from sqlalchemy.orm import Session
        assert isinstance(session, Session)
        case = session.scalars(select(Case).where(Case.kind == "autopay_opt_out")).one()
        cases.close(session, PRACTICE, str(case.number), by="ana", resolution="only the texts", now=life.clock())
        plans.resume(session, PRACTICE, plan_id, by="ana", reason="she meant the texts", now=life.clock())

    life.do(act)


def test_stop_pauses_every_autopay_plan_of_the_number_with_one_case(life: Life) -> None:
    first = life.sign(count=2)
    second = life.offer(life.terms(visits=(NEW,), count=1))
    life.agree(second)
    stop(life)
    assert [(life.plan(p).status, life.plan(p).pause_reason) for p in (first, second)] == [("paused", "opt_out")] * 2
    stop(life)
    assert life.cases() == ["autopay_opt_out"]
    life.through(FIRST + timedelta(days=10))
    assert life.payments() == []


def test_a_plan_by_link_goes_on(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    stop(life)
    assert (life.plan(plan_id).status, life.cases()) == ("active", [])


def test_a_charge_that_was_written_down_is_not_made_after_a_stop(life: Life) -> None:
    from billing import saved_charges
    from billing.store.tables import Payment
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (payment_id,) = life.charges("created")
    stop(life)
    asked = life.do(lambda s: saved_charges.ask(s, s.get_one(Payment, payment_id), "sending", life.clock()))
    assert not asked.ruling.sends


def test_after_a_person_asked_the_plan_goes_on_but_not_without_a_notice(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.tick()
    stop(life)
    resume(life, plan_id)
    life.through(FIRST + timedelta(days=5))
    assert life.plan(plan_id).status == "active"
    assert (life.payments(), life.told("plan_notice")) == ([], [])
    assert life.cases()[-1] == "plan_notice"  # a letter or a call, by a person


def test_notices_move_to_another_channel_that_is_allowed(life: Life) -> None:
    plan_id = life.sign(count=4)

    def join_telegram(session: object) -> None:
        from sqlalchemy.orm import Session
        assert isinstance(session, Session)
        session.add(ContactPoint(id="con_tg", practice_id=PRACTICE, guarantor_id=ANNA, channel="telegram",
                                 address="777", address_hash=hashed("telegram", "777"), status="ok", source="link",
                                 created_at=life.clock()))
        session.add(Conversation(id="conv_tg", practice_id=PRACTICE, channel="telegram", address="777",
                                 address_hash=hashed("telegram", "777"), language="en", state={}, guarantor_id=ANNA,
                                 created_at=life.clock()))

    life.do(join_telegram)
    stop(life)
    resume(life, plan_id)
    life.through(FIRST)
    assert life.news().count("plan_notice") == 1
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_stop_that_came_by_the_carrier_is_seen_before_the_charge(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    life.do(lambda s: consents.record_revoked(s, PRACTICE, "sms", hashed(), wording="refused by the provider (21610)",
                                              medium="text", recorded_by="provider", now=life.clock()))
    life.through(FIRST)
    assert (life.payments(), life.plan(plan_id).pause_reason) == ([], "opt_out")
    assert life.cases() == ["autopay_opt_out"]


def test_the_patient_may_say_what_was_meant(life: Life) -> None:
    plan_id = life.sign(count=4)
    stop(life)
    life.change(plan_id, "pay_by_link", wording="no more charges")
    assert (life.plan(plan_id).status, life.plan(plan_id).collects) == ("active", "link")


def test_without_a_consent_to_texts_the_notice_goes_to_the_chat_that_was_linked(life: Life) -> None:
    """No STOP was sent: the phone may be answered, but not written to first (T-01). The chat may."""
    plan_id = life.sign(count=4)
    life.do(lambda s: consents.void(s, PRACTICE, "sms", hashed(), wording="consent withdrawn on paper",
                                    recorded_by="ana", now=life.clock()))

    def join_telegram(session: Session) -> None:
        talk = Conversation(id="conv_tg", practice_id=PRACTICE, channel="telegram", address="777",
                            address_hash=hashed("telegram", "777"), language="en", state={}, guarantor_id=ANNA,
                            created_at=life.clock())
        session.add(talk)
        session.flush()
        token = chats.make_link(session, PRACTICE, ANNA, 30, life.clock())
        assert chats.join(session, PRACTICE, token, "777", hashed("telegram", "777"), life.clock()) == ANNA

    life.do(join_telegram)
    life.through(FIRST)
    talks = life.do(lambda s: [row.payload["conversation_id"] for row in s.scalars(
        select(Inbox).where(Inbox.source == "event").order_by(Inbox.id)) if row.payload["kind"] == "plan_notice"])
    assert talks == ["conv_tg"]
    assert (life.payments(), life.plan(plan_id).status) == ([("succeeded", 25_00, "autopay", 1)], "active")
