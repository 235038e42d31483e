"""The Stripe processor against a server that speaks its interface: what is told, what is believed, what fails how."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import stripe as sdk

from bot.arrivals import event_of, event_payload
from bot.processors.base import CheckoutRequest, PaymentEvent, ProcessorError
from bot.processors.manual import ManualProcessor
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.processors.stripe_signature import verify_signature
from tests.contracts.conftest import Served

SECRET = "whsec_standin"
NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
IN_AN_HOUR = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


def checkout(**changes: Any) -> CheckoutRequest:
    return replace(CheckoutRequest(
        payment_id="pay_0123456789abcdefghjk", practice_id="prac_maple", amount_minor=12_345, currency="USD",
        language="es", description="Maple Clinic payment", success_url="https://bills.example/l/t/done",
        cancel_url="https://bills.example/l/t", expires_at=IN_AN_HOUR,
        idempotency_key="pay_0123456789abcdefghjk:1"), **changes)


async def error_of(act: Any) -> tuple[str, str]:
    with pytest.raises(ProcessorError) as caught:
        await act
    return caught.value.kind, caught.value.code


async def test_a_page_is_opened_once_per_key(stripe: Served) -> None:
    first = await stripe.adapter.open_checkout(checkout())
    again = await stripe.adapter.open_checkout(checkout())
    other = await stripe.adapter.open_checkout(checkout(idempotency_key="pay_0123456789abcdefghjk:2"))
    assert first == again and other.session_ref != first.session_ref
    assert first.url.startswith(stripe.url) and first.expires_at > datetime.now(UTC)


async def test_the_same_key_with_other_content_is_refused(stripe: Served) -> None:
    await stripe.adapter.open_checkout(checkout())
    assert (await error_of(stripe.adapter.open_checkout(checkout(amount_minor=1_000))))[0] == "refused"


async def test_a_clock_that_shows_another_day_still_gets_a_page(stripe: Served) -> None:
    long_past = datetime(2026, 1, 1, tzinfo=UTC)
    page = await stripe.adapter.open_checkout(checkout(expires_at=long_past))
    assert page.expires_at > datetime.now(UTC)
    assert page == await stripe.adapter.open_checkout(checkout(expires_at=long_past))


async def test_a_lost_answer_is_unknown_and_the_repeat_finds_the_page_that_was_made(stripe: Served) -> None:
    await stripe.order("fault", {"path": "*", "mode": "drop_after", "times": 2})  # the SDK repeats once by itself
    assert (await error_of(stripe.adapter.open_checkout(checkout())))[0] == "unknown"
    page = await stripe.adapter.open_checkout(checkout())
    assert page.session_ref == (await stripe.adapter.open_checkout(checkout())).session_ref


@pytest.mark.parametrize(("mode", "kind"), [("429", "retry"), ("500", "unknown"), ("409", "unknown")])
async def test_every_failure_has_its_verdict(stripe: Served, mode: str, kind: str) -> None:
    await stripe.order("fault", {"path": "*", "mode": mode, "times": 5})
    assert (await error_of(stripe.adapter.open_checkout(checkout())))[0] == kind


async def test_a_wrong_key_stops_the_processor_and_its_words_are_not_repeated(stripe: Served) -> None:
    stranger = StripeProcessor(StripeAccount("sk_test_wrong", SECRET, stripe.url))
    with pytest.raises(ProcessorError) as caught:
        await stranger.open_checkout(checkout())
    assert caught.value.kind == "configuration" and "sk_test" not in str(caught.value)
    await stranger.close()


async def test_a_server_that_is_not_there_was_told_nothing(unused_tcp_port: int) -> None:
    processor = StripeProcessor(StripeAccount("sk_test", SECRET, f"http://127.0.0.1:{unused_tcp_port}"))
    assert (await error_of(processor.open_checkout(checkout())))[0] == "retry"
    await processor.close()


async def test_an_open_page_is_not_paid_and_a_paid_one_is(stripe: Served) -> None:
    page = await stripe.adapter.open_checkout(checkout())
    assert (await stripe.adapter.fetch_checkout(page.session_ref)).kind == "ignored"
    form = {"number": "4242424242424242", "exp": "12/34", "cvc": "123", "zip": "10001", "name": "A", "email": "a@b.co"}
    async with aiohttp.ClientSession() as client, client.post(page.url, data=form, allow_redirects=False) as answer:
        assert answer.status == 303 and answer.headers["Location"] == "https://bills.example/l/t/done"
    event = await stripe.adapter.fetch_checkout(page.session_ref)
    assert (event.kind, event.payment_id, event.amount_minor, event.currency) == (
        "paid", "pay_0123456789abcdefghjk", 12_345, "USD")
    assert event.session_ref == page.session_ref and event.processor_ref.startswith("pi_")


async def test_an_unknown_session_is_refused(stripe: Served) -> None:
    assert (await error_of(stripe.adapter.fetch_checkout("cs_test_nothing")))[0] == "refused"


# Webhooks -----------------------------------------------------------------------------------------------------------

def signed(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    return {"Stripe-Signature": sdk.WebhookSignature.generate_signature_header(
        body.decode(), secret, int(at.timestamp()))}


def webhook(kind: str, **thing: Any) -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "created": int(NOW.timestamp()),
                       "data": {"object": thing}}).encode()


PAID = webhook("checkout.session.completed", id="cs_1", client_reference_id="pay_1", payment_status="paid",
               status="complete", amount_total=500, currency="usd", payment_intent="pi_1")


def processor(at: datetime = NOW) -> StripeProcessor:
    return StripeProcessor(StripeAccount("sk_test", SECRET, "http://127.0.0.1:9"), lambda: at, lambda: at)


def test_a_signed_event_is_read() -> None:
    event = processor().parse_event(PAID, signed(PAID, NOW))
    assert event == PaymentEvent("evt_1", "paid", "pay_1", 500, "USD", "cs_1", "pi_1", "", NOW)
    assert event_of(json.loads(json.dumps(event_payload(event)))) == event


@pytest.mark.parametrize("headers", [
    {}, {"Stripe-Signature": ""}, {"Stripe-Signature": "t=1,v1=00"}, {"Stripe-Signature": "v1=ab"},
    {"Stripe-Signature": "t=x,v1=ab"}, {"Stripe-Signature": "garbage"},
    signed(PAID, NOW, "whsec_other"), signed(b"{}", NOW),
    signed(PAID, NOW - timedelta(minutes=6)),
    signed(PAID, NOW + timedelta(minutes=6)),  # the SDK alone would let any date in the future pass
])
def test_a_missing_foreign_old_or_future_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ProcessorError, match="refused"):
        processor().parse_event(PAID, headers)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"\xff\xfe", b'{"id":"evt_1","type":"charge.refunded"}', b""])
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    headers = signed(body, NOW) if body != b"\xff\xfe" else {"Stripe-Signature": "t=1,v1=00"}
    with pytest.raises(ProcessorError, match="refused"):
        processor().parse_event(body, headers)


def test_without_a_webhook_secret_nothing_is_believed() -> None:
    with pytest.raises(ProcessorError, match="refused"):
        verify_signature(PAID, signed(PAID, NOW, "x")["Stripe-Signature"], "", NOW)


# The processor without a network ------------------------------------------------------------------------------------

async def test_the_manual_processor_opens_no_page_and_believes_no_event() -> None:
    manual = ManualProcessor()
    assert await error_of(manual.open_checkout(checkout())) == ("configuration", "no_online_payment")
    assert (await error_of(manual.fetch_checkout("x")))[0] == "configuration"
    with pytest.raises(ProcessorError, match="refused"):
        manual.parse_event(b"{}", {})
    await manual.close()


