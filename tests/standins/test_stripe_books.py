"""The books of the Stripe stand-in: no cent appears or goes without an entry, and payouts take what is there."""

from __future__ import annotations

import random
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.standins.stripe import StripeOptions
from tests.standins.receiver import Receiver
from tests.standins.stripe_scene import KEY, RETURN, MovableClock, Shop, open_shop

DAY = 86_400
METHODS = ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_createDispute", "pm_card_refundFail",
           "pm_card_pendingRefund", "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds",
           "pm_usBankAccount_dispute")  # fmt: skip


async def held(shop: Shop) -> tuple[int, int]:
    """(available, pending) in cents."""
    balance = await shop.client.v1.balance.retrieve_async()
    return sum(one.amount for one in balance.available), sum(one.amount for one in balance.pending)


async def entries(shop: Shop, **filters: Any) -> list[Any]:
    first = await shop.client.v1.balance_transactions.list_async({"limit": 7, **filters})
    return [entry async for entry in first.auto_paging_iter()]


async def test_a_charge_is_pending_then_available_then_paid_out(shop: Shop) -> None:
    """Two days pending, then available; an automatic payout takes all of it and names its entries."""
    await shop.charge(10_000)
    assert await held(shop) == (0, 9_680)
    assert (await shop.control("payout"))["payout"] is None
    shop.clock.forward(2 * DAY)
    assert [entry.status for entry in await entries(shop)] == ["available"]
    await shop.charge(5_000)
    assert await held(shop) == (9_680, 4_825)
    made = await shop.control("payout")
    payout = await shop.client.v1.payouts.retrieve_async(made["payout"])
    assert (payout.amount, payout.status, payout.automatic) == (9_680, "paid", True)
    within = await entries(shop, payout=payout.id)
    assert [(entry.type, entry.net) for entry in within] == [("payout", -9_680), ("charge", 9_680)]
    assert await held(shop) == (0, 4_825)
    await shop.settle()
    assert shop.told()[-2:] == ["payout.created", "payout.paid"]


async def test_a_payout_arrives_by_the_clock_or_comes_back(shop: Shop) -> None:
    """In transit until its arrival date; one that fails, even after it was paid, is in the balance again."""
    await shop.charge(10_000, "pm_card_bypassPending")
    made = await shop.control("payout", status="in_transit")
    payout = await shop.client.v1.payouts.retrieve_async(made["payout"])
    assert payout.status == "in_transit" and payout.arrival_date > shop.clock.now()
    shop.clock.forward(2 * DAY)
    assert (await shop.client.v1.payouts.retrieve_async(payout.id)).status == "paid"
    await shop.control("payout/decide", payout=payout.id, paid=False, failure_code="account_closed")
    failed = await shop.client.v1.payouts.retrieve_async(payout.id)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert (await entries(shop))[0].reporting_category == "payout_reversal"
    assert await held(shop) == (9_680, 0)
    again = await shop.control("payout")
    assert again["amount"] == 9_680
    listed = await shop.client.v1.payouts.list_async({"created": {"gt": payout.created}})
    assert [one.id for one in listed.data] == [again["payout"]]
    assert [one.id for one in (await shop.client.v1.payouts.list_async({"status": "failed"})).data] == [payout.id]


async def test_a_manual_payout_has_no_list_of_entries(shop: Shop) -> None:
    """Never more than is available; Stripe does not say what a manual payout was made of."""
    await shop.charge(10_000, "pm_card_bypassPending")
    made = await shop.control("payout", amount=4_000)
    async with shop.http.post(f"{shop.running.url}/_standin/payout", json={"amount": 9_000}) as answer:
        assert answer.status == 400
    assert await held(shop) == (5_680, 0)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await entries(shop, payout=made["payout"])
    assert caught.value.param == "payout"


async def test_entries_are_listed_by_time_type_and_page(shop: Shop) -> None:
    """created bounds are exact to the second, pages neither repeat nor lose, fees have their own type."""
    for _ in range(10):
        await shop.charge(1_000)
        shop.clock.forward(100)
    await shop.control("fee", amount=250, description="Radar")
    every = await entries(shop)
    assert len({entry.id for entry in every}) == len(every) == 11
    third, sixth = every[-3].created, every[-6].created
    assert len(await entries(shop, created={"gte": third, "lt": sixth})) == 3
    assert len(await entries(shop, created={"gt": third, "lte": sixth})) == 3
    (fee,) = await entries(shop, type="stripe_fee")
    assert (fee.net, fee.reporting_category, fee.source) == (-250, "fee", None)


async def one_step(shop: Shop, dice: random.Random, customer: str) -> None:
    """Something that people, banks or networks do."""
    intents = (await shop.client.v1.payment_intents.list_async({"limit": 100})).data
    paid = [one for one in intents if one.status in ("succeeded", "processing")]
    choice = dice.randrange(7)
    if choice <= 1 or not paid:
        method = await shop.saved(customer, dice.choice(METHODS))
        try:
            await shop.charge_saved(customer, method.id, dice.randrange(50, 100_000))
        except stripe.CardError:
            return
    elif choice == 2:
        one = dice.choice(paid)
        await refused(shop.client.v1.refunds.create_async(
            {"payment_intent": one.id, "amount": dice.randrange(1, one.amount + 1)}))  # fmt: skip
    elif choice == 3:
        await order(shop, "dispute", payment_intent=dice.choice(paid).id)
    elif choice == 4:
        disputes = (await shop.client.v1.disputes.list_async()).data
        if disputes:
            await order(shop, "dispute/decide", dispute=dice.choice(disputes).id, won=dice.random() < 0.5)
    elif choice == 5:
        made = await order(shop, "payout", status=dice.choice(["paid", "in_transit", "failed"]))
        assert made.get("payout") is None or made["amount"] > 0
    else:
        shop.clock.forward(dice.randrange(5 * DAY))


async def refused(call: Any) -> None:
    try:
        await call
    except stripe.InvalidRequestError:
        return


async def order(shop: Shop, path: str, **body: Any) -> Any:
    """An order that may make no sense now."""
    async with shop.http.post(f"{shop.running.url}/_standin/{path}", json=body) as answer:
        assert answer.status in (200, 400), await answer.text()
        return await answer.json()


async def every(service: Any) -> list[Any]:
    return [one async for one in (await service.list_async({"limit": 100})).auto_paging_iter()]


async def by_objects(shop: Shop) -> int:
    """The balance in cents as it follows from charges, refunds, disputes and payouts, not from the entries."""
    stripe_v1 = shop.client.v1
    charges = [one for one in await every(stripe_v1.charges) if one.status != "failed"]
    assert all(0 <= one.amount_refunded <= one.amount for one in charges)
    refunds = [one for one in await every(stripe_v1.refunds) if one.status in ("pending", "succeeded")]
    disputes = [one for one in await every(stripe_v1.disputes) if one.status in ("needs_response", "lost")]
    payouts = [one for one in await every(stripe_v1.payouts) if one.status != "failed"]
    fees = [entry.fee - (entry.amount if entry.type == "stripe_fee" else 0) for entry in await entries(shop)]
    gone = [one.amount for one in (*disputes, *payouts)]
    gone += [one.amount for one in refunds if one.balance_transaction]
    total: int = sum(one.amount for one in charges) - sum(gone) - sum(fees)
    return total


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**9))
async def test_the_balance_is_the_sum_of_the_entries(seed: int, tmp_path_factory: Any) -> None:
    """Whatever happens in whatever order: the balance is the sum of the entries, and what charges, refunds, disputes,
    payouts and fees come to; a stand-in started again from its journal says the same.
    """
    dice, clock = random.Random(seed), MovableClock()
    path = tmp_path_factory.mktemp("books") / "stripe.jsonl"
    shop = await open_shop(StripeOptions(api_key=KEY, clock=clock, journal=path), Receiver())
    customer = (await shop.customer()).id
    for _ in range(25):
        await one_step(shop, dice, customer)
        assert sum(await held(shop)) == sum(entry.net for entry in await entries(shop))
    before = await held(shop)
    assert await by_objects(shop) == sum(before)
    await shop.close()
    again = await open_shop(shop.options, Receiver())
    assert await held(again) == before
    paid_out = await order(again, "payout")
    assert paid_out["payout"] is None or paid_out["amount"] == before[0]
    await again.close()


async def test_years_of_charges_stay_quick_and_small(shop: Shop) -> None:
    """With keep_lines off nothing is kept but the tables, old events and keys are forgotten, and a list looks only at
    what it returns.
    """
    clock = MovableClock()
    many = await open_shop(StripeOptions(api_key=KEY, clock=clock, keep_lines=False), Receiver())
    asked: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, **RETURN}
    for number in range(90):
        clock.forward(DAY)
        await many.client.v1.payment_intents.create_async(asked, {"idempotency_key": f"k-{number}"})
    async with many.http.get(f"{many.running.url}/_standin/journal") as answer:
        assert await answer.json() == []
    recent = {event.created async for event in (await many.client.v1.events.list_async()).auto_paging_iter()}
    assert min(recent) >= clock.now() - 31 * DAY
    assert len(await entries(many)) == 90
    month = await many.client.v1.payment_intents.list_async({"created": {"gte": clock.now() - 30 * DAY}, "limit": 100})
    assert len(month.data) == 31
    await many.close()
