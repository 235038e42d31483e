"""Two people pay one balance: the second is told where that can be; what arrives all the same is never dropped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import checkout, payments
from billing.checkout import NotNow, Opening
from billing.commands import CancelPayment, CommandRefused, RequestPayment
from billing.store.tables import Conversation, Payment, PaymentMethod, Practice, ProcessorCall
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.test_events import paid, tell
from tests.payments.test_orders import foot
from tests.payments.world import ANNA, NEW, NEW_MINOR, OLD, OLD_MINOR, PRACTICE, TALK, Event

SPOUSE = "conv_spouse"


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    def prepare(session: Session) -> None:
        world.anna(session, now)
        session.add(Conversation(id=SPOUSE, practice_id=PRACTICE, channel="sms", address="+12125550124",
                                 address_hash="hash2", language="en", state={}, guarantor_id=ANNA, created_at=now))

    store.write(prepare)
    return store


def ask(now: datetime, yes: str, split: tuple[tuple[str, int], ...] = ((OLD, OLD_MINOR),),
        talk: str = TALK) -> Callable[[Session], str]:
    def act(session: Session) -> str:
        command = RequestPayment(ANNA, sum(m for _, m in split), split, world.version(session), "en")
        return payments.request(session, command, payments.RequestContext(PRACTICE, maple_clinic(), now, talk, yes)).id

    return act


def open_page(store: Store, payment_id: str, now: datetime, ref: str = "cs_1") -> None:
    step = store.write(lambda s: checkout.begin(s, PRACTICE, payment_id, now))
    assert isinstance(step, Opening)
    store.write(lambda s: checkout.opened(s, PRACTICE, payment_id, step.attempt, ref, f"https://pay.example/{ref}"))


def closed(store: Store) -> list[str]:
    return store.read(lambda s: [row.request["session_ref"] for row in s.scalars(
        select(ProcessorCall).where(ProcessorCall.kind == "expire_page"))])


def statuses(store: Store) -> dict[str, str]:
    return store.read(lambda s: {row.id: row.status for row in s.scalars(select(Payment))})


def test_while_somebody_else_has_a_page_open_for_it_the_second_is_told(
        anna: Store, now: datetime, clock: Clock) -> None:
    first = anna.write(ask(now, "1"))
    open_page(anna, first, now)
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, "2", ((OLD, 5_000),), SPOUSE))
    assert caught.value.refused.reason == "paying"
    assert anna.write(ask(now, "3", ((NEW, NEW_MINOR),), SPOUSE)) != first  # another visit is nobody's business
    assert statuses(anna)[first] == "pending"
    later = clock.advance(hours=2)
    assert anna.write(ask(later, "4", ((OLD, 5_000),), SPOUSE))


def test_the_same_person_may_change_their_mind_and_the_first_page_is_closed(anna: Store, now: datetime) -> None:
    first = anna.write(ask(now, "1"))
    open_page(anna, first, now)
    second = anna.write(ask(now, "2", ((OLD, 5_000),)))
    assert (statuses(anna)[first], closed(anna)) == ("cancelled", ["cs_1"])
    tell(anna, now, paid(first, session_ref="cs_1"))  # a moment too late to close it
    assert isinstance(anna.write(lambda s: checkout.begin(s, PRACTICE, second, now)), NotNow)
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(world.cases) == ["payment_after_cancel"]


def test_both_pages_paid_the_second_sum_is_credit_and_a_case(anna: Store, now: datetime) -> None:
    first = anna.write(ask(now, "1"))
    open_page(anna, first, now)
    second = anna.write(ask(now, "2", ((OLD, 5_000),)))
    open_page(anna, second, now, "cs_2")
    tell(anna, now, paid(first, session_ref="cs_1"))
    tell(anna, now, paid(second, 5_000, session_ref="cs_2", processor_ref="pi_2"))
    # What the old visit did not need any more went to the next one that is due, the rest is credit.
    assert anna.read(world.balances) == {"credit": 450, "cash:stripe:card": OLD_MINOR + 5_000}
    assert "unapplied_credit" in anna.read(world.cases)
    anna.read(foot)


def test_a_page_that_is_being_made_while_its_request_is_ended_is_closed_at_once(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now, "1"))
    step = anna.write(lambda s: checkout.begin(s, PRACTICE, one, now))
    assert isinstance(step, Opening)
    anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "no"), now))
    assert closed(anna) == []  # nobody knows its name yet
    assert anna.write(lambda s: checkout.opened(s, PRACTICE, one, 1, "cs_1", "https://pay.example/1", now)) == ""
    assert closed(anna) == ["cs_1"]


def test_paid_at_the_desk_the_open_page_ends_and_the_desk_was_warned(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now, "1"))
    assert anna.read(lambda s: payments.desk_warning(s, ANNA, now)) == ""
    open_page(anna, one, now)
    assert anna.read(lambda s: payments.desk_warning(s, ANNA, now)) == "page_open"
    desk = lambda s: payments.record_desk_payment(  # noqa: E731 - one command, carried out twice
        s, PRACTICE, ANNA, amount_minor=OLD_MINOR, currency="USD", tender="cash", reference="R1", recorded_by="ana",
        now=now).id
    assert anna.write(desk) == anna.write(desk)
    assert (statuses(anna)[one], closed(anna)) == ("cancelled", ["cs_1"])
    tell(anna, now, Event("expired", one, session_ref="cs_1"))
    assert statuses(anna)[one] == "cancelled"
    assert anna.read(world.news) == []


def test_a_bank_at_work_on_it_is_somebody_paying(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now, "1"))
    tell(anna, now, Event("processing", one, OLD_MINOR, tender="bank"))
    assert anna.read(lambda s: payments.desk_warning(s, ANNA, now)) == "bank_at_work"
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, "2", ((OLD, 5_000),)))
    assert caught.value.refused.reason == "paying"


def test_a_card_that_is_being_charged_stops_the_link_and_a_second_yes(anna: Store, now: datetime) -> None:
    link = anna.write(ask(now, "1"))
    card = anna.write(lambda s: world.card(s, now))
    one = anna.write(lambda s: world.yes(s, now, card, policy=maple_clinic()).id)
    assert anna.write(lambda s: checkout.begin(s, PRACTICE, link, now)) == NotNow("paying")
    with pytest.raises(CommandRefused) as caught:
        anna.write(lambda s: world.yes(s, now, card, message="inbox:10", policy=maple_clinic()))
    assert caught.value.refused.reason == "paying"
    assert anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "no"), now).status) == "created"  # type: ignore[union-attr]  # it is there


def test_a_yes_in_the_thread_closes_the_persons_own_page_for_the_same(anna: Store, now: datetime) -> None:
    link = anna.write(ask(now, "1"))
    open_page(anna, link, now)
    card = anna.write(lambda s: world.card(s, now))
    anna.write(lambda s: world.yes(s, now, card, policy=maple_clinic()))
    assert (statuses(anna)[link], closed(anna)) == ("cancelled", ["cs_1"])


def test_another_accounts_card_or_a_removed_one_is_not_charged(anna: Store, now: datetime) -> None:
    def foreign(session: Session) -> str:
        world.account(session, "acct_bob", "B1", now)
        card = world.card(session, now)
        session.get_one(PaymentMethod, card).guarantor_id = "acct_bob"
        return card

    card = anna.write(foreign)
    with pytest.raises(CommandRefused) as caught:
        anna.write(lambda s: world.yes(s, now, card, policy=maple_clinic()))
    assert caught.value.refused.reason == "card_gone"


def test_a_debit_under_way_on_a_cancelled_payment_counts_before_its_money_arrives(anna: Store, now: datetime) -> None:
    """Its page was still open: nobody is asked for the same meanwhile, and staff hear of it once."""
    one = anna.write(ask(now, "1"))
    anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "no"), now))
    for _ in range(2):
        tell(anna, now, Event("processing", one, OLD_MINOR, tender="bank"))
    assert statuses(anna)[one] == "pending"
    assert anna.read(lambda s: payments.desk_warning(s, ANNA, now)) == "bank_at_work"
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, "2"))
    assert caught.value.refused.reason == "paying"
    anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "no"), now))
    assert statuses(anna)[one] == "pending", "a bank that works on it is not called back"
    tell(anna, now, Event("paid", one, OLD_MINOR, tender="bank"))
    assert (statuses(anna)[one], anna.read(world.cases)) == ("succeeded", ["payment_after_cancel"])
