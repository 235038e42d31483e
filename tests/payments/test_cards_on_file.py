"""Cards on file: kept once, described by what the patient knows, removed everywhere, and never seen by us whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import checkout, methods, payments, saved_charges, setups
from billing.apply import carry_out
from billing.checkout import AlreadyOpen, NotNow, Opening
from billing.command_context import Context
from billing.commands import AskCard, ChargeSavedCard, CommandRefused, RemoveCard, RequestPayment
from billing.store.tables import Authorization, Payment, PaymentMethod, Practice, ProcessorCall, SetupRequest
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.test_events import paid, tell
from tests.payments.world import ANNA, OLD, OLD_MINOR, PRACTICE, TALK, Card, Event


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def setup(store: Store, now: datetime, purpose: str = "card") -> str:
    return store.write(lambda s: setups.make(
        s, practice_id=PRACTICE, guarantor_id=ANNA, purpose=purpose, plan_id=None, conversation_id=TALK,
        language="en", now=now).id)


def context(now: datetime, inbox_id: int = 5) -> Context:
    return Context(PRACTICE, TALK, "+12125550123", "hash", "sms", inbox_id, "en", now)


def saved(setup_id: str | None, **more: Any) -> Event:
    return Event("method_saved", None, setup_id=setup_id, method=Card(), session_ref="cs_1", **more)


def test_a_card_given_on_its_page_is_kept_once_and_the_patient_hears_of_it(anna: Store, now: datetime) -> None:
    one = setup(anna, now)
    for _ in range(2):
        assert tell(anna, now, saved(one)) is None
    row = anna.read(lambda s: s.scalars(select(PaymentMethod)).one())
    assert (row.brand, row.last4, row.status) == ("visa", "4242", "active")
    assert anna.read(lambda s: s.get_one(SetupRequest, one).status) == "done"
    assert anna.read(world.news) == [("card_kept", "")]
    assert anna.write(lambda s: setups.begin(s, PRACTICE, one, now)) == NotNow("done")


def test_a_card_that_the_event_does_not_describe_waits_for_its_description(anna: Store, now: datetime) -> None:
    one = setup(anna, now)
    tell(anna, now, replace(saved(one), method=Card(brand="", last4="", expires_on=None)))
    assert anna.read(lambda s: list(methods.usable(s, ANNA))) == []
    tell(anna, now, saved(one))
    assert [row.last4 for row in anna.read(lambda s: list(methods.usable(s, ANNA)))] == ["4242"]


def test_a_press_repeats_its_attempt_and_a_page_that_ran_out_is_followed_by_another(
        anna: Store, now: datetime, clock: Clock) -> None:
    one = setup(anna, now)
    first = anna.write(lambda s: setups.begin(s, PRACTICE, one, now))
    assert isinstance(first, setups.Opening) and first.idempotency_key == f"{one}:1"
    assert anna.write(lambda s: setups.begin(s, PRACTICE, one, now)) == first
    anna.write(lambda s: setups.opened(s, PRACTICE, one, 1, "cs_1", "https://pay.example/1"))
    assert anna.write(lambda s: setups.begin(s, PRACTICE, one, now)) == AlreadyOpen("https://pay.example/1")
    tell(anna, now, Event("setup_expired", None, setup_id=one, session_ref="cs_0"))
    assert anna.read(lambda s: s.get_one(SetupRequest, one).status) == "open"
    tell(anna, now, Event("setup_expired", None, setup_id=one, session_ref="cs_1"))
    assert anna.read(lambda s: s.get_one(SetupRequest, one).status) == "expired"
    later = clock.advance(hours=2)
    again = anna.write(lambda s: setups.begin(s, PRACTICE, one, later))
    assert isinstance(again, setups.Opening) and again.attempt == 2
    anna.write(lambda s: setups.refused(s, PRACTICE, one, 2, "x", later))
    assert anna.write(lambda s: setups.begin(s, PRACTICE, one, later)).attempt == 3  # type: ignore[union-attr]  # else it fails
    assert anna.write(lambda s: setups.begin(s, PRACTICE, "set_none", later)) == NotNow("not_found")


def test_a_card_kept_with_a_payment_is_kept_only_when_the_patient_asked(anna: Store, now: datetime) -> None:
    def ask(session: Session, saves: bool, yes: str) -> str:
        command = RequestPayment(ANNA, 500, ((OLD, 500),), world.version(session), "en", saves_method=saves)
        return payments.request(session, command, payments.RequestContext(
            PRACTICE, maple_clinic(), now, TALK, yes)).id

    first = anna.write(lambda s: ask(s, False, "1"))
    tell(anna, now, paid(first, 500, method=Card()))
    assert anna.read(lambda s: list(methods.usable(s, ANNA))) == []
    second = anna.write(lambda s: ask(s, True, "2"))
    step = anna.write(lambda s: checkout.begin(s, PRACTICE, second, now))
    assert isinstance(step, Opening) and step.saves_method
    tell(anna, now, paid(second, 500, processor_ref="pi_2"))
    tell(anna, now, paid(second, 500, processor_ref="pi_2", method=Card()))  # the same, with what it had left out
    assert [row.last4 for row in anna.read(lambda s: list(methods.usable(s, ANNA)))] == ["4242"]
    assert [kind for kind, _ in anna.read(world.news)] == ["payment_paid", "payment_paid", "card_kept"]


def test_a_removed_card_stays_removed_whatever_is_told_later(anna: Store, now: datetime) -> None:
    card = anna.write(lambda s: world.card(s, now))
    anna.write(lambda s: carry_out(s, RemoveCard(ANNA, card, "forget my card"), context(now)))
    tell(anna, now, saved(setup(anna, now)))
    tell(anna, now, Event("method_gone", None, method=Card()))
    row = anna.read(lambda s: s.get_one(PaymentMethod, card))
    assert (row.status, row.removed_by) == ("removed", "patient")
    assert anna.read(lambda s: [r.kind for r in s.scalars(select(ProcessorCall))]) == ["remove_method"]
    with pytest.raises(CommandRefused):
        anna.write(lambda s: carry_out(s, RemoveCard("acct_bob", card, "x"), context(now)))


def test_a_card_that_the_processor_lost_is_gone_here_without_a_call(anna: Store, now: datetime) -> None:
    card = anna.write(lambda s: world.card(s, now))
    tell(anna, now, Event("method_gone", None, method=Card()))
    assert anna.read(lambda s: s.get_one(PaymentMethod, card).status) == "removed"
    assert anna.read(lambda s: list(s.scalars(select(ProcessorCall)))) == []


def test_the_exact_words_of_a_yes_are_kept_with_the_charge(anna: Store, now: datetime) -> None:
    card = anna.write(lambda s: world.card(s, now))

    def yes(session: Session) -> str | None:
        return carry_out(session, ChargeSavedCard(
            ANNA, card, OLD_MINOR, ((OLD, OLD_MINOR),), world.version(session), "en",
            "Charge $100.00 to your Visa ending in 4242?", "7"), context(now))

    one = anna.write(yes)
    given = anna.read(lambda s: s.scalars(select(Authorization)).one())
    assert (given.purpose, given.payment_id, given.most_minor, given.last4) == ("once", one, OLD_MINOR, "4242")
    assert (given.words, given.words_version, given.message_id) == (
        "Charge $100.00 to your Visa ending in 4242?", "7", "inbox:5")
    assert anna.read(lambda s: s.scalars(select(ProcessorCall)).one().request) == {
        "amount_minor": OLD_MINOR, "currency": "USD", "customer_ref": "cus_1", "method_ref": "pm_1",
        "method_kind": "card", "description": "Maple Clinic: payment", "practice_starts": False}


def test_a_charge_without_words_that_allow_it_is_withheld(anna: Store, now: datetime) -> None:
    card = anna.write(lambda s: world.card(s, now))

    def wild(session: Session) -> Payment:
        return saved_charges.start(
            session, practice_id=PRACTICE, guarantor_id=ANNA, method_id=card, amount_minor=500, split=((OLD, 500),),
            currency="USD", way="autopay", idempotency_key="k", now=now, conversation_id=TALK, language="en")

    one = anna.write(wild)
    assert anna.write(wild).id == one.id
    ruling = anna.read(lambda s: saved_charges.ask(s, world.payment(s, one.id), "sending", now).ruling)
    assert (ruling.sends, ruling.rule) == (False, "T-48")


def test_a_yes_to_a_balance_that_moved_is_refused_and_a_practice_without_saved_cards_asks_for_none(
        anna: Store, now: datetime) -> None:
    card = anna.write(lambda s: world.card(s, now))
    with pytest.raises(CommandRefused) as caught:
        anna.write(lambda s: carry_out(s, ChargeSavedCard(
            ANNA, card, 500, ((OLD, 500),), 99, "en", "w", "1"), context(now)))
    assert caught.value.refused.reason == "stale_balance"

    def off(session: Session) -> None:
        session.get_one(Practice, PRACTICE).settings = maple_clinic(payments={"saved_cards": False}).model_dump(
            mode="json")

    anna.write(off)
    for command in (AskCard(ANNA, "card", "en"), AskCard(ANNA, "nonsense", "en")):
        with pytest.raises(CommandRefused) as caught:
            anna.write(lambda s, c=command: carry_out(s, c, context(now)))  # type: ignore[misc]  # a lambda with a default
        assert caught.value.refused.reason == "outside_policy"


def test_asking_for_a_card_gives_a_link_good_for_a_day(anna: Store, now: datetime) -> None:
    from billing import links

    token = anna.write(lambda s: carry_out(s, AskCard(ANNA, "card", "en"), context(now)))
    assert token is not None
    found = anna.read(lambda s: links.open(s, token, now))
    assert found is not None and (found.purpose, found.expires_at - now) == ("card", timedelta(days=1))
