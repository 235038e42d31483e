"""Texts to plans in the store: the same words through the real road, with the commands carried out by billing."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from billing.ids import new_id
from billing.store.tables import (
    Authorization,
    Case,
    Conversation,
    Instalment,
    Outbox,
    Payment,
    PaymentMethod,
    Plan,
    ProcessorCall,
)
from bot.accept import accept_message, keep
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.plans import world
from tests.plans.world import PHONE, PRACTICE, TALK, VISA

BOTH_VISITS = 14550  # cents


class Thread:
    """Anna at the console: she writes, and reads what comes back."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.life = world.begin(store, clock)
        self.road = Road(store, clock, "w1", "https://bills.example", {"console": ConsoleChannel(clock)})
        store.write(lambda session: setattr(session.get_one(Conversation, TALK), "channel", "console"))

    async def says(self, *lines: str) -> list[str]:
        """The answers to the last line."""
        for line in lines:
            self.clock.advance(minutes=1)
            before = len(self._sent())
            message = Inbound(new_id("in"), PHONE, "", line)
            await keep(self.road, partial(accept_message, channel="console", message=message,
                                          now=self.clock.now(), practice_id=PRACTICE))
            await drain(self.road)
        return [body for body, status in self._sent()[before:] if status in ("sent", "delivered")]

    def _sent(self) -> list[tuple[str, str]]:
        rows = self.store.read(lambda session: list(session.scalars(
            select(Outbox).order_by(Outbox.created_at, Outbox.reply_to, Outbox.sequence))))
        return [(row.body, row.status) for row in rows]

    def rows(self, table: type, **where: object) -> list[object]:
        return self.store.read(lambda session: session.query(table).filter_by(**where).all())

    async def proves(self) -> None:
        await self.says("balance", "02/29/1976 10001", "yes")


@pytest.fixture
async def thread(sqlite_store: Store, clock: Clock) -> Thread:
    made = Thread(sqlite_store, clock)
    await made.proves()
    return made


async def test_a_plan_of_three_is_agreed_to_by_text_and_its_words_are_kept(thread: Thread) -> None:
    said = await thread.says("in 3 payments", "1", "1")
    assert "never more than" in said[0] and "4242" in said[0]
    await thread.says("yes")
    (plan,) = thread.rows(Plan)
    assert isinstance(plan, Plan)
    assert (plan.status, plan.collects, plan.total_minor) == ("active", "autopay", BOTH_VISITS)
    (given,) = thread.rows(Authorization)
    assert isinstance(given, Authorization) and given.words == said[0]
    assert given.last4 is not None and given.last4 in given.words
    parts = thread.rows(Instalment)
    assert sum(part.amount_minor for part in parts if isinstance(part, Instalment)) == BOTH_VISITS


async def test_a_plan_of_six_is_offered_and_waits_for_its_page(thread: Thread) -> None:
    said = await thread.says("can i pay 25 a month", "1", "3", "yes")
    assert "https://bills.example" in said[0]
    (plan,) = thread.rows(Plan)
    assert isinstance(plan, Plan) and plan.status == "awaiting_authorization" and not thread.rows(Authorization)
    again = await thread.says("payment plan")
    assert "https://bills.example" in again[0]


async def test_don_t_charge_my_card_ends_the_charges_and_the_plan_goes_on_by_link(thread: Thread) -> None:
    await thread.says("in 3 payments", "1", "1", "yes")
    said = await thread.says("please don't charge my card any more")
    assert "link for each payment" in said[0]
    (plan,) = thread.rows(Plan)
    assert isinstance(plan, Plan) and (plan.status, plan.collects) == ("active", "link")
    assert all(isinstance(one, Authorization) and one.revoked_at for one in thread.rows(Authorization))


async def test_before_identity_the_word_holds_every_charge_and_afterwards_it_is_done(thread: Thread) -> None:
    await thread.says("in 3 payments", "1", "1", "yes")
    thread.clock.advance(minutes=40)
    said = await thread.says("don't charge my card")
    assert "We will not charge any card" in said[0]
    assert [one.kind for one in thread.rows(Case) if isinstance(one, Case)] == ["autopay_stop"]
    await thread.says("02/29/1976 10001")
    (plan,) = thread.rows(Plan)
    assert isinstance(plan, Plan) and plan.collects == "link"


async def test_a_plain_yes_charges_the_card_that_the_question_named_once(thread: Thread) -> None:
    said = await thread.says("pay all")
    assert "Visa ending" in said[0]
    charging = await thread.says("yes")
    assert "charging" in charging[0]
    (payment,) = thread.rows(Payment)
    assert isinstance(payment, Payment) and (payment.way, payment.amount_minor) == ("saved", BOTH_VISITS)
    assert [one.kind for one in thread.rows(ProcessorCall) if isinstance(one, ProcessorCall)] == ["charge"]


@pytest.mark.parametrize(("wish", "status"), [
    ("pause my plan", "paused"), ("cancel my plan", "cancelled"), ("skip this one", "active"),
    ("move it to the 20th", "active")])
async def test_what_is_wanted_of_a_plan_is_asked_once_and_done(thread: Thread, wish: str, status: str) -> None:
    await thread.says("in 3 payments", "1", "1", "yes")
    await thread.says(wish, "yes")
    (plan,) = thread.rows(Plan)
    assert isinstance(plan, Plan) and plan.status == status
    assert plan.version > 1


async def test_a_removed_card_is_charged_no_more(thread: Thread) -> None:
    await thread.says("in 3 payments", "1", "1", "yes")
    await thread.says("remove my card 4242", "yes")
    (card,) = thread.rows(PaymentMethod, last4="4242")
    (plan,) = thread.rows(Plan)
    assert isinstance(card, PaymentMethod) and card.id == VISA and card.status != "active"
    assert isinstance(plan, Plan) and plan.collects == "link"
