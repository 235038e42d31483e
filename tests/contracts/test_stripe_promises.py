"""One suite of promises over servers that speak Stripe's interface: our stand-in, and one that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from billing.ids import new_id
from bot.processors.base import (
    ChargeRequest,
    CheckoutRequest,
    PaymentEvent,
    ProcessorError,
    RefundRequest,
    SetupRequest,
)
from bot.processors.stripe import StripeProcessor
from tests.contracts.stripe_servers import CANNOT, SECRET, Server, carrying

ALL = pytest.mark.parametrize("server", carrying("charges"), indirect=True)


def needs(promise: str) -> pytest.MarkDecorator:
    """Over the servers that carry it; CANNOT has the reasons of the others."""
    return pytest.mark.parametrize("server", carrying(promise), indirect=True)


def just_before() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


async def charge_of(server: Server, kind: str = "good", **changes: Any) -> ChargeRequest:
    customer, method = await server.keep_card(kind)
    payment_id = new_id("pay")
    return replace(ChargeRequest(
        payment_id=payment_id, practice_id="prac_maple", amount_minor=5_000, currency="USD", customer_ref=customer,
        method_ref=method, method_kind="card", description="Maple Clinic: payment", practice_starts=True,
        return_url="https://bills.example/l/t", idempotency_key=f"{payment_id}:1"), **changes)


def refund_of(paid: PaymentEvent, amount_minor: int) -> RefundRequest:
    refund_id = new_id("ref")
    assert paid.payment_id is not None
    return RefundRequest(refund_id, paid.payment_id, paid.processor_ref, amount_minor, f"{refund_id}:1")


async def verdict(act: Any) -> str:
    with pytest.raises(ProcessorError) as caught:
        await act
    return caught.value.kind


# Charges ------------------------------------------------------------------------------------------------------------

@ALL
async def test_a_good_card_is_charged_and_everybody_who_asks_hears_the_same(
        server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    paid = await adapter.charge(request)
    assert (paid.kind, paid.payment_id, paid.amount_minor, paid.currency, paid.tender) == (
        "paid", request.payment_id, 5_000, "USD", "card")
    assert paid.processor_ref.startswith("pi_")
    fetched = await adapter.fetch_charge(paid.processor_ref)
    found = await adapter.find_charges(request.payment_id, just_before())
    assert [(event.event_id, event.kind, event.amount_minor) for event in (fetched, *found)] == [
        (paid.event_id, "paid", 5_000)] * 2


@ALL
async def test_a_declined_card_is_an_answer_with_a_code(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server, "declined")
    failed = await adapter.charge(request)
    assert (failed.kind, failed.payment_id, failed.amount_minor) == ("failed", request.payment_id, 5_000)
    assert failed.reason in ("generic_decline", "card_declined") and failed.processor_ref.startswith("pi_")
    assert (await adapter.fetch_charge(failed.processor_ref)).kind == "failed"


@ALL
async def test_a_card_whose_bank_asks_waits_for_the_patient_and_can_be_given_up(
        server: Server, adapter: StripeProcessor) -> None:
    waiting = await adapter.charge(await charge_of(server, "asks", practice_starts=False))
    assert waiting.kind == "needs_patient"
    assert (await adapter.fetch_charge(waiting.processor_ref)).kind == "needs_patient"
    assert (await adapter.cancel_charge(waiting.processor_ref, "k1")).kind == "cancelled"
    assert (await adapter.fetch_charge(waiting.processor_ref)).kind == "cancelled"


@needs("off_session")
async def test_a_card_whose_bank_asks_fails_where_nobody_is_there(server: Server, adapter: StripeProcessor) -> None:
    failed = await adapter.charge(await charge_of(server, "asks"))
    assert (failed.kind, failed.reason) == ("failed", "authentication_required")


@needs("off_session")
async def test_a_patient_who_is_there_is_sent_to_their_bank(server: Server, adapter: StripeProcessor) -> None:
    waiting = await adapter.charge(await charge_of(server, "asks", practice_starts=False))
    assert waiting.next_url.startswith("http")


@ALL
async def test_what_is_paid_cannot_be_given_up_and_says_so(server: Server, adapter: StripeProcessor) -> None:
    paid = await adapter.charge(await charge_of(server))
    assert (await adapter.cancel_charge(paid.processor_ref, "k1")).kind == "paid"


@ALL
async def test_a_charge_is_found_among_a_hundred_others(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    await adapter.charge(request)
    for _ in range(105):
        await server.post("/v1/payment_intents", {"amount": "100", "currency": "usd"})
    assert len(await adapter.find_charges(request.payment_id, just_before())) == 1
    assert await adapter.find_charges(new_id("pay"), just_before()) == ()


@needs("keys")
async def test_the_same_key_charges_once(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    first, again = await adapter.charge(request), await adapter.charge(request)
    assert first.event_id == again.event_id
    assert len(await adapter.find_charges(request.payment_id, just_before())) == 1


@needs("keys")
async def test_the_same_key_gives_the_same_decline(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server, "declined")
    assert (await adapter.charge(request)).event_id == (await adapter.charge(request)).event_id


@needs("keys")
async def test_a_key_that_comes_with_other_content_is_unknown_and_nothing_is_charged(
        server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    await adapter.charge(request)
    assert await verdict(adapter.charge(replace(request, amount_minor=6_000))) == "unknown"
    assert [event.amount_minor for event in await adapter.find_charges(request.payment_id, just_before())] == [5_000]


@ALL
async def test_a_card_that_does_not_exist_is_refused(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    assert await verdict(adapter.charge(replace(request, method_ref="pm_nothing"))) == "refused"
    assert await verdict(adapter.fetch_charge("pi_nothing")) == "refused"


# Refunds ------------------------------------------------------------------------------------------------------------

@ALL
async def test_money_goes_back_in_parts_and_each_part_is_found_by_its_own_id(
        server: Server, adapter: StripeProcessor) -> None:
    paid = await adapter.charge(await charge_of(server))
    for amount_minor in (2_000, 500):
        request = refund_of(paid, amount_minor)
        made = await adapter.refund(request)
        assert (made.kind, made.refund_id, made.payment_id, made.amount_minor) == (
            "refund_made", request.refund_id, paid.payment_id, amount_minor)
        found = await adapter.find_refund(request.refund_id, paid.processor_ref)
        assert found is not None and (found.event_id, found.amount_minor) == (made.event_id, amount_minor)
    assert await adapter.find_refund(new_id("ref"), paid.processor_ref) is None


@ALL
async def test_a_payment_that_failed_gives_nothing_back(server: Server, adapter: StripeProcessor) -> None:
    failed = await adapter.charge(await charge_of(server, "declined"))
    assert await verdict(adapter.refund(refund_of(failed, 100))) == "refused"


@needs("keys")
async def test_the_same_key_refunds_once(server: Server, adapter: StripeProcessor) -> None:
    paid = await adapter.charge(await charge_of(server))
    request = refund_of(paid, 2_000)
    assert (await adapter.refund(request)).event_id == (await adapter.refund(request)).event_id


@needs("keys")
async def test_more_than_was_paid_is_not_given_back(server: Server, adapter: StripeProcessor) -> None:
    paid = await adapter.charge(await charge_of(server))
    assert await verdict(adapter.refund(refund_of(paid, 5_001))) == "refused"
    await adapter.refund(refund_of(paid, 5_000))
    assert (await adapter.refund(refund_of(paid, 5_000))).kind == "refund_failed"


# Cards --------------------------------------------------------------------------------------------------------------

@ALL
async def test_a_kept_card_is_known_by_its_brand_and_last_four_and_forgotten_twice_without_harm(
        server: Server, adapter: StripeProcessor) -> None:
    customer, method = await server.keep_card()
    known = await adapter.describe_method(method)
    assert (known.customer_ref, known.method_ref, known.kind, known.brand, known.last4) == (
        customer, method, "card", "visa", "4242")
    assert known.expires_on is not None and known.expires_on > date(2029, 1, 1)
    await adapter.remove_method(method)
    await adapter.remove_method(method)
    assert (await adapter.describe_method(method)).customer_ref == ""


@ALL
async def test_a_card_that_never_was_is_gone_already(server: Server, adapter: StripeProcessor) -> None:
    await adapter.remove_method("pm_nothing")
    assert await verdict(adapter.describe_method("pm_nothing")) == "refused"


# Books --------------------------------------------------------------------------------------------------------------

@ALL
async def test_the_books_hold_each_charge_and_refund_once_with_our_ids(
        server: Server, adapter: StripeProcessor) -> None:
    since = just_before()
    paid = await adapter.charge(await charge_of(server))
    back = await adapter.refund(refund_of(paid, 2_000))
    rows = [row async for row in adapter.entries(since, datetime.now(UTC) + timedelta(seconds=2))
            if row.payment_id == paid.payment_id]
    found = {row.kind: (row.amount_minor, row.currency, row.processor_ref, row.refund_id) for row in rows}
    assert len(rows) == 2 and found == {"charge": (5_000, "USD", paid.processor_ref, None),
                                        "refund": (-2_000, "USD", paid.processor_ref, back.refund_id)}
    assert all(row.net_minor == row.amount_minor - row.fee_minor for row in rows)


@ALL
async def test_books_of_another_year_are_empty(server: Server, adapter: StripeProcessor) -> None:
    await adapter.charge(await charge_of(server))
    window = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC))
    assert [row async for row in adapter.entries(*window)] == []
    assert [row async for row in adapter.payouts(*window)] == []


@needs("usd_balance")
async def test_the_balance_grows_by_what_the_books_say(server: Server, adapter: StripeProcessor) -> None:
    since, before = just_before(), await adapter.balance_minor("USD")
    await adapter.charge(await charge_of(server))
    nets = [row.net_minor async for row in adapter.entries(since, datetime.now(UTC) + timedelta(seconds=2))]
    assert await adapter.balance_minor("USD") == before + sum(nets) and nets


# Webhooks -----------------------------------------------------------------------------------------------------------

@pytest.fixture
async def inbox(server: Server) -> AsyncIterator[tuple[str, list[tuple[bytes, dict[str, str]]]]]:
    """Our own door: every event as it came."""
    came: list[tuple[bytes, dict[str, str]]] = []

    async def take(request: web.Request) -> web.Response:
        came.append((await request.read(), dict(request.headers)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    order = {"standin": ("/_standin/events", {"action": "endpoint", "url": url}),
             "localstripe": ("/_config/webhooks/ours", {"url": url, "secret": SECRET})}[server.name]
    async with aiohttp.ClientSession() as client, client.post(f"{server.url}{order[0]}", json=order[1]) as answer:
        assert answer.status == 200
    yield url, came
    await runner.cleanup()


@ALL
async def test_a_payment_is_told_by_a_signed_event_too(
        server: Server, adapter: StripeProcessor, inbox: tuple[str, list[tuple[bytes, dict[str, str]]]]) -> None:
    paid = await adapter.charge(await charge_of(server))
    told: list[PaymentEvent] = []
    for _ in range(60):
        told = [adapter.parse_event(body, headers) for body, headers in inbox[1]]
        if any(event.payment_id == paid.payment_id and event.kind == "paid" for event in told):
            break
        await asyncio.sleep(0.1)
    news = [(event.processor_ref, event.amount_minor) for event in told
            if event.payment_id == paid.payment_id and event.kind == "paid"]
    assert news == [(paid.processor_ref, 5_000)]
    body, headers = inbox[1][0]
    with pytest.raises(ProcessorError, match="refused"):
        adapter.parse_event(body + b" ", headers)


# Pages --------------------------------------------------------------------------------------------------------------

def page_of(**changes: Any) -> CheckoutRequest:
    payment_id = new_id("pay")
    return replace(CheckoutRequest(
        payment_id=payment_id, practice_id="prac_maple", amount_minor=5_000, currency="USD", language="en",
        description="Maple Clinic: payment", success_url="https://bills.example/l/t/done",
        cancel_url="https://bills.example/l/t", expires_at=datetime.now(UTC) + timedelta(hours=1),
        idempotency_key=f"{payment_id}:1"), **changes)


async def fill_in(url: str, number: str = "4242424242424242") -> None:
    form = {"number": number, "exp": "12/34", "cvc": "123", "zip": "10001", "name": "A", "email": "a@b.example"}
    async with aiohttp.ClientSession() as client, client.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == 303


@needs("pages")
async def test_a_card_kept_while_paying_is_charged_later_with_nobody_there(
        server: Server, adapter: StripeProcessor) -> None:
    page = await adapter.open_checkout(page_of(saves_method=True))
    await fill_in(page.url)
    paid = await adapter.fetch_checkout(page.session_ref)
    assert paid.kind == "paid" and paid.method is not None
    assert (paid.method.brand, paid.method.last4, paid.method.expires_on) == ("visa", "4242", date(2034, 12, 31))
    request = await charge_of(server, customer_ref=paid.method.customer_ref, method_ref=paid.method.method_ref)
    assert (await adapter.charge(request)).kind == "paid"


@needs("pages")
async def test_a_card_that_nobody_asked_to_keep_is_not_kept(server: Server, adapter: StripeProcessor) -> None:
    page = await adapter.open_checkout(page_of())
    await fill_in(page.url)
    paid = await adapter.fetch_checkout(page.session_ref)
    assert (paid.kind, paid.method) == ("paid", None)


@needs("pages")
async def test_a_card_is_given_without_paying(server: Server, adapter: StripeProcessor) -> None:
    setup_id = new_id("set")
    page = await adapter.open_setup(SetupRequest(
        setup_id=setup_id, practice_id="prac_maple", currency="USD", language="es",
        success_url="https://bills.example/l/t/done", cancel_url="https://bills.example/l/t",
        expires_at=datetime.now(UTC) + timedelta(hours=1), idempotency_key=f"{setup_id}:1"))
    assert (await adapter.fetch_checkout(page.session_ref)).kind == "ignored"
    await fill_in(page.url)
    saved = await adapter.fetch_checkout(page.session_ref)
    assert (saved.kind, saved.setup_id, saved.payment_id) == ("method_saved", setup_id, None)
    assert saved.method is not None and saved.method.customer_ref and saved.method.last4 == "4242"


@needs("pages")
async def test_a_closed_page_cannot_be_paid_and_a_paid_page_cannot_be_closed(
        server: Server, adapter: StripeProcessor) -> None:
    closed, paid = [await adapter.open_checkout(page_of()) for _ in range(2)]
    await fill_in(paid.url)
    assert (await adapter.expire_page(closed.session_ref)).kind == "expired"
    assert (await adapter.expire_page(closed.session_ref)).kind == "expired"
    assert (await adapter.expire_page(paid.session_ref)).kind == "paid"
    assert await verdict(adapter.expire_page("cs_test_nothing")) == "refused"


# What a server cannot carry -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("server", ["localstripe"], indirect=True)
async def test_what_the_independent_server_lacks_it_still_lacks(server: Server, adapter: StripeProcessor) -> None:
    """As soon as one of these fails, the promise can be asked of that server too."""
    assert set(CANNOT["localstripe"]) == {"pages", "keys", "off_session", "disputes", "banks", "late_refunds",
                                          "payouts", "usd_balance"}
    assert await server.status_of("POST", "/v1/payment_methods?type=us_bank_account") == 400
    assert await server.status_of("POST", "/v1/payouts?amount=5&currency=usd") == 400
    assert await server.status_of("POST", "/v1/checkout/sessions") == 404
    assert await server.status_of("GET", "/v1/disputes") == 404
    request = await charge_of(server)
    assert (await adapter.charge(request)).event_id != (await adapter.charge(request)).event_id
    assert (await adapter.charge(await charge_of(server, "asks"))).kind == "needs_patient"
    before = await adapter.balance_minor("EUR")
    await adapter.charge(await charge_of(server, currency="EUR"))
    assert await adapter.balance_minor("EUR") == before
