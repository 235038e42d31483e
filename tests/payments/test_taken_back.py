"""A yes to a charge of the card on file can be taken back until the moment of charging (T-48: in any words)."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import charging, processor_calls, saved_charges
from billing.apply import carry_out
from billing.command_context import Context
from billing.commands import ChargeSavedCard, Command, RecordOptOut, TakeBackYes
from billing.payment_requests import RequestContext
from billing.phones import address_hash
from billing.processor_calls import Order
from billing.store.tables import Authorization, Payment
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world
from tests.payments.world import ANNA, OLD, PRACTICE, TALK
from tests.plans.world import PHONE, VISA, Life, begin


@pytest.fixture
def life(sqlite_store: Store, clock: Clock) -> Life:
    return begin(sqlite_store, clock)


def yes(life: Life) -> str:
    command = ChargeSavedCard(ANNA, VISA, 100_00, ((OLD, 100_00),), life.do(world.version), "en",
                              "Charge your Visa ending in 4242 $100.00?", "1")
    context = RequestContext(PRACTICE, life.policy, life.clock(), TALK, "inbox:5")
    return life.do(lambda s: saved_charges.by_yes(s, command, context).id)


def say(life: Life, command: Command) -> None:
    context = Context(PRACTICE, TALK, PHONE, address_hash(PRACTICE, "sms", PHONE), "sms", 6, "en", life.clock())
    life.do(lambda s: carry_out(s, command, context))


def call(life: Life) -> Order | None:
    """The worker claims what is due and asks whether it may be made."""
    def claim(session: Session) -> str:
        return processor_calls.claim(session, "w", life.clock(), 5)[0]

    call_id = life.do(claim)
    return life.do(lambda s: charging.begin(s, call_id, "w", "https://back.example", life.clock()))


def stands(life: Life, payment_id: str) -> tuple[str, str | None]:
    row = life.do(lambda s: s.get_one(Payment, payment_id))
    return row.status, row.failure


@pytest.mark.parametrize("claimed", [False, True], ids=["before-the-claim", "after-the-claim"])
def test_a_yes_taken_back_before_its_call_is_never_charged(life: Life, claimed: bool) -> None:
    payment_id = yes(life)
    call_id = life.do(lambda s: processor_calls.claim(s, "w", life.clock(), 5))[0] if claimed else ""
    say(life, TakeBackYes(ANNA, payment_id, "wait, no"))
    assert stands(life, payment_id) == ("cancelled", "withheld:taken_back")
    order = (life.do(lambda s: charging.begin(s, call_id, "w", "https://back.example", life.clock())) if claimed
             else call(life))
    assert order is None
    assert life.do(world.news) == [], "the answer to their text has said so already"
    given = life.do(lambda s: s.scalars(select(Authorization)).one())
    assert (given.revoked_by, given.revoked_words) == ("patient", "wait, no")


def test_a_charge_that_may_have_been_made_is_looked_for_and_not_repeated(life: Life) -> None:
    payment_id = yes(life)
    order = call(life)
    assert order is not None and order.act == "call"
    say(life, TakeBackYes(ANNA, payment_id, "wait, no"))
    assert stands(life, payment_id)[0] == "created", "it may have been made"
    life.do(lambda s: charging.failed(s, order, "unknown", "timeout", life.clock()))
    life.clock.advance(minutes=5)
    again = call(life)
    assert again is not None and (again.act, again.withheld) == ("look_up", "T-48")


def test_stop_takes_back_the_yes_that_came_just_before_it(life: Life) -> None:
    """STOP may have meant the charge: nothing is taken on a guess."""
    payment_id = yes(life)
    say(life, RecordOptOut("STOP"))
    assert stands(life, payment_id) == ("cancelled", "withheld:taken_back")
    assert call(life) is None


def test_only_the_account_that_said_yes_takes_it_back_and_what_was_paid_stays_paid(life: Life) -> None:
    payment_id = yes(life)
    say(life, TakeBackYes("acct_other", payment_id, "no"))
    assert stands(life, payment_id)[0] == "created"
    life.happen(payment_id, "paid")
    say(life, TakeBackYes(ANNA, payment_id, "no"))
    assert stands(life, payment_id) == ("succeeded", None)
