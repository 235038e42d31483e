"""Idempotency keys, misdelivered events, faults and restarts of the Stripe stand-in, by Stripe's own SDK."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import stripe

from bot.standins.journal import replay
from tests.standins.stripe_scene import RETURN, Shop, open_shop, order


def _body(error: stripe.StripeError) -> Any:
    body: Any = error.json_body
    return body["error"]


def _code(error: stripe.StripeError) -> Any:
    return _body(error)["code"]


async def test_a_key_replays_its_first_answer(shop: Shop) -> None:
    """Same key, same parameters: the same object and Idempotent-Replayed; one session, one journal entry of it."""
    first = await shop.checkout(key="statement-7")
    second = await shop.checkout(key="statement-7")
    assert second.id == first.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len((await shop.client.v1.checkout.sessions.list_async()).data) == 1


async def test_a_key_with_other_parameters_is_a_conflict(shop: Shop) -> None:
    """Same key, other amount: idempotency_error, and nothing is made."""
    await shop.checkout(key="statement-7")
    with pytest.raises(stripe.IdempotencyError) as caught:
        await shop.checkout(key="statement-7", line_items=[order(amount=500)])
    assert caught.value.http_status == 400
    assert len((await shop.client.v1.checkout.sessions.list_async()).data) == 1


async def test_a_key_in_flight_is_a_409(shop: Shop) -> None:
    """While the first request is being worked on the second gets 409 idempotency_key_in_use."""
    slow = await open_shop(shop.options_with(latency_ms=200), shop.receiver)
    try:
        both = await asyncio.gather(slow.checkout(key="k"), slow.checkout(key="k"), return_exceptions=True)
        errors = [one for one in both if isinstance(one, stripe.StripeError)]
        assert [(error.http_status, _code(error)) for error in errors] == [(409, "idempotency_key_in_use")]
    finally:
        await slow.close()


async def test_a_key_is_forgotten_after_24_hours(shop: Shop) -> None:
    """Replayed at 23 h 59, a new session at 24 h: whoever repeats later charges twice."""
    first = await shop.checkout(key="k")
    shop.clock.forward(24 * 3600 - 60)
    assert (await shop.checkout(key="k")).id == first.id
    shop.clock.forward(60)
    assert (await shop.checkout(key="k")).id != first.id


async def test_a_decline_is_remembered_under_its_key(shop: Shop) -> None:
    """An API decline is a 402 with the PaymentIntent inside, and the same key gives the same decline."""
    asked: Any = {"amount": 2500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    asked |= RETURN
    seen = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            await shop.client.v1.payment_intents.create_async(asked, {"idempotency_key": "k"})
        assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
        seen.append(_body(caught.value)["payment_intent"]["id"])
    assert seen[0] == seen[1]
    assert len((await shop.client.v1.payment_intents.list_async()).data) == 1


async def test_events_come_again_late_and_shuffled(shop: Shop) -> None:
    """Hold, release reversed, redeliver by type and lose one: the event's id stays the same."""
    await shop.events("hold")
    await shop.charge(5_000)
    assert shop.receiver.got == []
    assert (await shop.events("release", order="reversed"))["released"] == 3
    await shop.settle()
    types = [json.loads(one.raw)["type"] for one in shop.receiver.got]
    assert types == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]
    await shop.events("redeliver", type="charge.succeeded", copies=2)
    await shop.settle()
    ids = [json.loads(one.raw)["id"] for one in shop.receiver.got]
    assert ids[3:] == [ids[1], ids[1]]
    await shop.events("drop_next", count=3)
    await shop.charge(5_000)
    await shop.settle()
    assert len(shop.receiver.got) == 5
    assert len((await shop.client.v1.events.list_async({"type": "charge.succeeded"})).data) == 2


async def test_a_refused_event_is_retried(shop: Shop) -> None:
    """A webhook that answers 500 gets the same event again."""
    shop.receiver.answers = [500, 503]
    await shop.client.v1.customers.create_async({"name": "One"})
    await shop.settle()
    assert len(shop.receiver.got) == 3
    assert len({json.loads(one.raw)["id"] for one in shop.receiver.got}) == 1


@pytest.mark.parametrize(
    ("mode", "error", "made"),
    [
        ("500", stripe.APIError, 0),
        ("429", stripe.RateLimitError, 0),
        ("409", stripe.APIError, 0),
        ("drop_before", stripe.APIConnectionError, 0),
        ("drop_after", stripe.APIConnectionError, 1),
    ],
)
async def test_faults_on_demand(shop: Shop, mode: str, error: type[stripe.StripeError], made: int) -> None:
    """A fault happens once; repeating the same key afterwards always ends at one session."""
    await shop.control("fault", path="/v1/checkout/sessions", mode=mode, times=1)
    with pytest.raises(error):
        await shop.checkout(key="k")
    assert len((await shop.client.v1.checkout.sessions.list_async()).data) == made
    await shop.checkout(key="k")
    assert len((await shop.client.v1.checkout.sessions.list_async()).data) == 1


async def test_a_saved_500_comes_back_under_its_key(shop: Shop) -> None:
    """As Stripe documents: an executed request's 500 is replayed, only a new key gets through."""
    await shop.control("fault", path="/v1/checkout/sessions", mode="500_saved")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await shop.checkout(key="k")
    assert (await shop.checkout(key="k-2")).status == "open"


async def test_a_restart_continues_from_the_journal(shop: Shop) -> None:
    """Sessions, charges, keys and undelivered events survive; the same key after the restart makes nothing new."""
    session = await shop.checkout(key="k")
    await shop.events("hold")
    await shop.pay(session.url, "4242424242424242")
    await shop.close()
    again = await open_shop(shop.options, shop.receiver)
    try:
        await again.settle()
        assert "checkout.session.completed" in [json.loads(one.raw)["type"] for one in shop.receiver.got]
        replayed = await again.checkout(key="k")
        assert replayed.id == session.id
        assert (await again.client.v1.checkout.sessions.retrieve_async(session.id)).payment_status == "paid"
        assert len((await again.client.v1.charges.list_async()).data) == 1
    finally:
        await again.close()
    assert shop.options.journal is not None
    tables = replay(shop.options.journal)
    assert [charge["amount"] for charge in tables["charges"].values()] == [12_345]
