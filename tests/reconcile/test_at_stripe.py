"""The real adapter against the stand-in server: events get lost, and after ``reconcile`` both sides are equal."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing import ledger, payments
from billing.payment_status import TOOK_MONEY
from billing.reconciling_verdicts import Summary
from billing.store.tables import Payment, Practice, SetupRequest, Transfer
from billing.store.tables_money import Difference, Payout, ProcessorEntry
from billing.verify import verify
from bot.processors.base import SetupRequest as SetupAsked
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.reconcile import reconcile, reconcile_due
from bot.road import Road
from bot.standins import stripe as standin
from bot.write import Store
from tests.conftest import TUESDAY, Clock
from tests.contracts.stripe_servers import KEY, SECRET, Server
from tests.payments.world import ANNA, PRACTICE, anna
from tests.reconcile.books import rows_in

#: Kinds of test methods; the bank account answers when it is told to.
CARD, BANK = "pm_card_visa", "pm_usBankAccount_processing"
SETUP = "set_0123456789abcdefghjk"
BY_BANK = {"allowed_payment_method_types[0]": "us_bank_account", "mandate_data[customer_acceptance][type]": "offline"}


@dataclass
class Town:
    """A practice, its processor, and nobody who carries news from the one to the other unless told to."""

    road: Road
    server: Server
    processor: StripeProcessor
    clock: Clock
    made: list[str] = field(default_factory=list)

    async def charge(self, amount: int, method: str = CARD) -> str:
        """A payment that Stripe took; we hear nothing of it. Returns the PaymentIntent."""
        payment_id = f"pay_{len(self.made):020d}"
        await self.road.store.awrite(partial(asked, payment_id=payment_id, amount=amount, now=self.clock()))
        intent = await self.server.post("/v1/payment_intents", {
            "amount": str(amount), "currency": "usd", "payment_method": method, "confirm": "true",
            "return_url": "https://pay.example/back", "metadata[payment_id]": payment_id,
            **(BY_BANK if method == BANK else {})})
        self.made.append(str(intent["id"]))
        return str(intent["id"])

    async def hear(self, intent: str) -> None:
        """News of one payment gets through."""
        event = await self.processor.fetch_charge(intent)
        await self.road.store.awrite(lambda s: payments.apply_event(s, PRACTICE, event, self.clock()))

    async def reconcile(self) -> Summary:
        self.clock.advance(minutes=2)
        now = self.clock()
        return await reconcile(self.road, self.processor, PRACTICE, since=TUESDAY - timedelta(days=2), until=now,
                               by="ana")

    def statuses(self) -> list[str]:
        return self.road.store.read(lambda s: list(s.scalars(select(Payment.status).order_by(Payment.id))))

    def rows(self) -> list[int]:
        return [self.road.store.read(partial(rows_in, table=table))
                for table in (ProcessorEntry, Payout, Transfer, Difference)]


def asked(session: Session, payment_id: str, amount: int, now: datetime) -> None:
    session.add(Payment(
        id=payment_id, practice_id=PRACTICE, guarantor_id=ANNA, amount_minor=amount, currency="USD",
        processor="stripe", tender="card", status="pending", instruction=[], balance_version=0, language="en",
        idempotency_key=payment_id, recorded_by="patient", created_at=now))
    session.flush()


@pytest.fixture
async def town(store: Store, practice: Practice, clock: Clock) -> AsyncIterator[Town]:
    store.write(partial(anna, now=clock()))
    options = standin.StripeOptions(clock=lambda: clock().timestamp())
    running = await standin.start(standin.make_app(options))
    processor = StripeProcessor(StripeAccount(KEY, SECRET, running.url), clock)
    yield Town(Road(store, clock, "here", "https://pay.example"), Server("standin", running.url), processor, clock)
    await processor.close()
    await running.stop()


def equal(summary: Summary) -> None:
    assert [d.sentence for d in summary.open] == []
    assert summary.processor_minor == summary.ledger_minor is not None


async def test_everything_got_lost_and_is_found(town: Town) -> None:
    """Charges, a refund in part, disputes won and lost, a fee, a payout: not one event arrives, and after one run
    every payment is what Stripe says, the balances are equal, and a second run finds nothing.
    """
    made = [await town.charge(amount) for amount in (10_000, 2_000, 3_000, 4_000)]
    await town.server.post("/v1/refunds", {"payment_intent": made[1], "amount": "500"})
    for intent, won in ((made[2], True), (made[3], False)):
        dispute = (await town.server.order("dispute", payment_intent=intent))["dispute"]
        await town.server.order("dispute/decide", dispute=dispute, won=won)
    await town.server.order("fee", amount=250)
    town.clock.advance(days=3)
    assert (await town.server.order("payout"))["payout"]
    summary = await town.reconcile()
    equal(summary)
    assert town.statuses()[:2] == ["succeeded", "partly_refunded"]
    assert {d.kind for d in summary.repaired} == {"missed_event"}
    assert town.road.store.read(verify).problems == []
    before = town.rows()
    again = await town.reconcile()
    equal(again)
    assert (again.repaired, town.rows()) == ((), before)


async def test_what_was_heard_needs_no_repair(town: Town) -> None:
    """News that arrived leaves nothing to do but fees and payouts."""
    for amount in (10_000, 2_000):
        await town.hear(await town.charge(amount))
    summary = await town.reconcile()
    equal(summary)
    assert summary.repaired == ()
    assert sum(k.fee_minor for k in summary.kinds) == town.road.store.read(
        lambda s: ledger.balance(s, PRACTICE, ledger.wide("fees")))


async def test_a_payout_that_fails_brings_the_money_back(town: Town) -> None:
    await town.charge(10_000)
    town.clock.advance(days=3)
    paid = (await town.server.order("payout", status="in_transit"))["payout"]
    equal(await town.reconcile())
    assert town.road.store.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide("bank"))) > 0
    await town.server.order("payout/decide", payout=paid, paid=False)
    equal(await town.reconcile())
    assert town.road.store.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide("bank"))) == 0
    assert town.road.store.read(lambda s: s.get_one(Payout, (PRACTICE, paid)).status) == "failed"


async def test_a_strangers_charge_is_named_and_explains_the_balance(town: Town) -> None:
    """Money of another shop on the same Stripe account: one difference, not two."""
    await town.server.post("/v1/payment_intents", {
        "amount": "700", "currency": "usd", "payment_method": CARD, "confirm": "true",
        "return_url": "https://pay.example/back"})
    await town.charge(10_000)
    summary = await town.reconcile()
    assert [(d.kind, d.processor_minor) for d in summary.open] == [("stranger", 700)]
    assert (summary.processor_minor or 0) - (summary.ledger_minor or 0) == 700


async def test_a_charge_that_does_not_answer_is_left_for_the_next_run(town: Town) -> None:
    """The books are listed, the charge itself cannot be asked about: nothing is guessed, the next run ends it."""
    intent = await town.charge(10_000)
    await town.server.order("fault", path=f"/v1/payment_intents/{intent}", mode="500", times=50)
    summary = await town.reconcile()
    assert (summary.unanswered, town.statuses()) == (1, ["pending"])
    await town.server.order("fault", path=f"/v1/payment_intents/{intent}", mode="none")
    equal(await town.reconcile())
    assert town.statuses() == ["succeeded"]


async def test_a_bank_debit_is_followed_to_its_end(town: Town) -> None:
    """Paid days later, or turned down, without a word to us: the first is found in the books, the second by asking."""
    good, bad = [await town.charge(5_000, BANK) for _ in range(2)]
    for intent in (good, bad):
        await town.hear(intent)
    assert town.statuses() == ["pending", "pending"]
    await town.server.order("bank", payment_intent=good, code=None)
    await town.server.order("bank", payment_intent=bad, code="R01")
    town.clock.advance(days=2)
    summary = await town.reconcile()
    equal(summary)
    assert town.statuses() == ["succeeded", "failed"]
    assert len(summary.repaired) == 2  # nothing silently


async def test_a_debit_at_the_bank_is_no_difference_even_of_a_payment_that_was_cancelled(town: Town) -> None:
    """The page was given up while its debit was under way: as long as the bank works, run after run, nothing is wrong;
    turned down, nothing ever was; paid, the money is found and becomes the patient's.
    """
    good, bad = [await town.charge(5_000, BANK) for _ in range(2)]
    town.road.store.write(lambda s: s.execute(update(Payment).values(status="cancelled")))
    for _ in range(3):
        summary = await town.reconcile()
        assert ([d.sentence for d in summary.open], summary.waiting) == ([], 2)
        assert summary.ledger_minor is not None
        assert summary.processor_minor == summary.ledger_minor + 10_000
        town.clock.advance(days=2)
    await town.server.order("bank", payment_intent=bad, code="R01")
    await town.server.order("bank", payment_intent=good, code=None)
    summary = await town.reconcile()
    equal(summary)
    assert town.statuses() == ["succeeded", "failed"]  # it was at the bank after all, until it came back
    assert len(summary.repaired) == 2


async def test_a_page_for_giving_a_card_that_ran_out_is_asked_about_once(town: Town) -> None:
    """Its webhook may be lost; asked, it is over, and nobody asks again."""
    now = town.clock()
    page = await town.processor.open_setup(SetupAsked(
        setup_id=SETUP, practice_id=PRACTICE, currency="USD", language="en", success_url="https://pay.example/ok",
        cancel_url="https://pay.example/no", expires_at=now + timedelta(hours=2), idempotency_key=f"{SETUP}:1"))
    await town.road.store.awrite(lambda s: s.add(SetupRequest(
        id=SETUP, practice_id=PRACTICE, guarantor_id=ANNA, purpose="card", status="open", attempt=1,
        session_ref=page.session_ref, session_url=page.url, expires_at=page.expires_at, language="en",
        created_at=now)))
    assert await reconcile_due(town.road, town.processor) == 0
    town.clock.advance(hours=25)
    assert await reconcile_due(town.road, town.processor) == 1
    assert town.road.store.read(lambda s: s.get_one(SetupRequest, SETUP).status) == "expired"
    assert await reconcile_due(town.road, town.processor) == 0


Act = Callable[[Town, random.Random], Coroutine[Any, Any, None]]


async def _charge(town: Town, dice: random.Random) -> None:
    intent = await town.charge(dice.choice((500, 1_999, 4_550, 10_000)))
    if dice.random() < 0.5:
        await town.hear(intent)


async def _refund(town: Town, dice: random.Random) -> None:
    if town.made:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as client, client.post(
                f"{town.server.url}/v1/refunds", data={"payment_intent": dice.choice(town.made),
                                                       "amount": str(dice.choice((100, 250, 500)))}):
            pass  # more than is left is refused, and so is a disputed charge


async def _dispute(town: Town, dice: random.Random) -> None:
    if not town.made:
        return
    async with aiohttp.ClientSession() as client, client.post(
            f"{town.server.url}/_standin/dispute", json={"payment_intent": dice.choice(town.made)}) as answer:
        opened = (await answer.json()).get("dispute") if answer.status == 200 else None
    if opened and dice.random() < 0.7:
        await town.server.order("dispute/decide", dispute=opened, won=dice.random() < 0.5)


async def _payout(town: Town, dice: random.Random) -> None:
    town.clock.advance(days=dice.randint(0, 3))
    await town.server.order("payout")


async def _hear(town: Town, dice: random.Random) -> None:
    if town.made:
        await town.hear(dice.choice(town.made))


async def _run(town: Town, dice: random.Random) -> None:
    await town.reconcile()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_was_lost_both_sides_are_equal_after_a_run(town: Town, seed: int) -> None:
    """Random charges, refunds, disputes, payouts and news that sometimes arrives, late or twice."""
    dice = random.Random(seed)
    acts: tuple[Act, ...] = (_charge, _charge, _refund, _dispute, _payout, _hear, _run)
    for _ in range(14):
        town.clock.advance(minutes=dice.randint(1, 300))
        await dice.choice(acts)(town, dice)
    equal(await town.reconcile())
    assert town.road.store.read(verify).problems == []
    held = town.road.store.read(lambda s: [p.status for p in s.scalars(select(Payment))])
    assert all(status in TOOK_MONEY for status in held)
    assert town.clock().tzinfo is UTC
