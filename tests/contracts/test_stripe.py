"""The Stripe processor against a server that speaks its interface: what is told, what is believed, what fails how."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import stripe as sdk
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe._request_options import RequestOptions
from stripe.params.checkout import _session_create_params
from typing_extensions import TypedDict, get_type_hints, is_typeddict

from billing.policy.payments import METADATA_KEYS
from bot.accept import event_of, event_payload
from bot.processors.base import CheckoutRequest, PaymentEvent, ProcessorError
from bot.processors.manual import ManualProcessor
from bot.processors.stripe import StripeAccount, StripeProcessor, session_params, verify_signature
from bot.processors.stripe_events import READERS, read_event
from tests.contracts.conftest import Served

SECRET = "whsec_standin"
NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
CLOSED = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
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


@pytest.fixture
def documented(monkeypatch: pytest.MonkeyPatch) -> TypeAdapter[Any]:
    """The SDK's typed parameters, every nested object closed to keys that are not in them."""
    for name, declared in vars(_session_create_params).items():
        if name.startswith("SessionCreateParams") and is_typeddict(declared):
            monkeypatch.setattr(declared, "__pydantic_config__", CLOSED, raising=False)
    # StripeContext is imported for type checkers only; the options that inherit it never go over the wire.
    hints = get_type_hints(_session_create_params.SessionCreateParams,
                           localns={"StripeContext": str, "Mapping": Mapping},
                           include_extras=True)
    wire = {name: hint for name, hint in hints.items() if name not in RequestOptions.__annotations__}
    closed = TypedDict("closed", wire)  # type: ignore[misc]  # made of the SDK's own hints
    closed.__pydantic_config__ = CLOSED  # type: ignore[attr-defined]  # where pydantic looks
    return TypeAdapter(closed)


def test_every_parameter_is_one_that_the_sdk_documents(documented: TypeAdapter[Any]) -> None:
    documented.validate_python(session_params(checkout()))


@pytest.mark.parametrize("strange", [
    {"payment_method_types": ["card"]},  # gone from this version of the interface
    {"payment_intent_data": {"nonsense": "x"}},
    {"line_items": [{"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 1, "product_data": {
        "name": "x", "patient": "y"}}}]},
])
def test_that_check_sees_a_strange_parameter_however_deep(
        documented: TypeAdapter[Any], strange: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        documented.validate_python({**session_params(checkout()), **strange})


def test_stripe_learns_an_opaque_id_and_the_practices_name_and_nothing_else() -> None:
    params: Any = session_params(checkout())
    assert set(params["metadata"]) <= METADATA_KEYS and set(params["payment_intent_data"]["metadata"]) <= METADATA_KEYS
    told = re.sub(r"pay_\w+|Maple Clinic payment|https://bills.example/\S*?\"|PAYMENT|payment_id", "",
                  json.dumps(params))
    assert not re.search(r"visit|patient|guarantor|diagnos|prac_", told, re.IGNORECASE)


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


@pytest.mark.parametrize(("kind", "thing", "expected"), [
    ("checkout.session.completed", {"payment_status": "unpaid", "status": "complete"}, "processing"),
    ("checkout.session.async_payment_succeeded", {"payment_status": "paid", "status": "complete"}, "paid"),
    ("checkout.session.async_payment_failed", {"payment_status": "unpaid"}, "failed"),
    ("checkout.session.expired", {"status": "expired", "payment_status": "unpaid"}, "expired"),
    ("payment_intent.succeeded", {"id": "pi_1", "amount_received": 5}, "paid"),
    ("payment_intent.payment_failed", {"id": "pi_1", "amount": 5, "last_payment_error": {"code": "c"}}, "failed"),
    ("payment_intent.processing", {"id": "pi_1", "amount": 5}, "processing"),
    ("charge.refunded", {"amount_refunded": 5, "payment_intent": {"id": "pi_1"}}, "refunded"),
    ("charge.dispute.created", {"amount": 5, "payment_intent": "pi_1"}, "disputed"),
    ("charge.dispute.funds_withdrawn", {"amount": 5, "payment_intent": "pi_1"}, "disputed"),
    ("charge.dispute.funds_reinstated", {"amount": 5, "payment_intent": "pi_1"}, "reinstated"),
    ("customer.created", {"id": "cus_1"}, "ignored"),
])
def test_each_type_of_event_in_our_words(kind: str, thing: dict[str, Any], expected: str) -> None:
    event = read_event(json.loads(webhook(kind, currency="usd", metadata={"payment_id": "pay_9"}, **thing)))
    assert event.kind == expected
    assert kind == "customer.created" or event.payment_id == "pay_9"


def test_every_reader_is_in_the_table_of_that_test() -> None:
    assert len(READERS) == 11


# The processor without a network ------------------------------------------------------------------------------------

async def test_the_manual_processor_opens_no_page_and_believes_no_event() -> None:
    manual = ManualProcessor()
    assert await error_of(manual.open_checkout(checkout())) == ("configuration", "no_online_payment")
    assert (await error_of(manual.fetch_checkout("x")))[0] == "configuration"
    with pytest.raises(ProcessorError, match="refused"):
        manual.parse_event(b"{}", {})
    await manual.close()


