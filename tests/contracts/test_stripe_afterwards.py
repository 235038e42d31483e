"""What banks and networks do with a payment afterwards: debits that take days, disputes, late refunds, payouts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.processors.base import EntryRow, PaymentEvent, ProcessorError
from bot.processors.stripe import StripeProcessor
from bot.processors.stripe_events import read_event
from tests.contracts.stripe_servers import KEY, Server, carrying
from tests.contracts.test_stripe_promises import charge_of, just_before, refund_of


def needs(promise: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", carrying(promise), indirect=True)


async def paid_with(server: Server, adapter: StripeProcessor, test_method: str) -> PaymentEvent:
    customer, method = await server.keep_test_method(test_method)
    return await adapter.charge(await charge_of(server, customer_ref=customer, method_ref=method))


async def debited(server: Server, adapter: StripeProcessor, test_method: str) -> PaymentEvent:
    customer, method = await server.keep_test_method(test_method)
    return await adapter.charge(await charge_of(server, customer_ref=customer, method_ref=method, method_kind="bank"))


async def news(server: Server, kind: str) -> list[PaymentEvent]:
    """The server's own events, in our words."""
    async with (aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as client,
                client.get(f"{server.url}/v1/events", params={"limit": "100", "type": kind}) as answer):
        rows: list[dict[str, Any]] = (await answer.json())["data"]
    return [read_event(row) for row in rows]


async def books(adapter: StripeProcessor) -> list[EntryRow]:
    return [row async for row in adapter.entries(just_before(), datetime.now(UTC) + timedelta(seconds=2))]


@needs("banks")
async def test_a_bank_debit_is_no_money_until_the_bank_says_so(server: Server, adapter: StripeProcessor) -> None:
    sent = await debited(server, adapter, "pm_usBankAccount_success")
    assert (sent.kind, sent.tender) == ("processing", "bank")
    assert (await adapter.fetch_charge(sent.processor_ref)).kind == "processing"
    await server.order("bank", payment_intent=sent.processor_ref)
    paid = await adapter.fetch_charge(sent.processor_ref)
    assert (paid.kind, paid.amount_minor, paid.payment_id) == ("paid", 5_000, sent.payment_id)
    [told] = await news(server, "payment_intent.succeeded")
    assert (told.kind, told.payment_id, told.tender) == ("paid", sent.payment_id, "bank")
    _, method = await server.keep_test_method("pm_usBankAccount_success")
    assert (await adapter.describe_method(method)).kind == "bank"


@needs("banks")
async def test_a_debit_that_comes_back_in_time_failed_with_the_banks_reason(
        server: Server, adapter: StripeProcessor) -> None:
    sent = await debited(server, adapter, "pm_usBankAccount_insufficientFunds")
    assert sent.kind == "processing"
    await server.order("bank", payment_intent=sent.processor_ref)
    failed = await adapter.fetch_charge(sent.processor_ref)
    assert (failed.kind, failed.reason) == ("failed", "insufficient_funds")


@needs("banks")
async def test_a_debit_that_comes_back_late_is_returned(server: Server, adapter: StripeProcessor) -> None:
    sent = await debited(server, adapter, "pm_usBankAccount_success")
    await server.order("bank", payment_intent=sent.processor_ref)
    await server.order("dispute", payment_intent=sent.processor_ref, reason="insufficient_funds")
    told = await news(server, "charge.dispute.*")
    assert told and {(event.kind, event.reason, event.processor_ref) for event in told} == {
        ("returned", "insufficient_funds", sent.processor_ref)}


@needs("disputes")
async def test_a_dispute_names_its_payment_in_the_event_and_in_the_books(
        server: Server, adapter: StripeProcessor) -> None:
    paid = await paid_with(server, adapter, "pm_card_visa")
    dispute = (await server.order("dispute", payment_intent=paid.processor_ref))["dispute"]
    [told] = await news(server, "charge.dispute.created")
    assert (told.kind, told.processor_ref, told.dispute_ref, told.amount_minor, told.inquiry) == (
        "disputed", paid.processor_ref, dispute, 5_000, False)
    assert told.evidence_due_at is not None and told.evidence_due_at > datetime.now(UTC)
    [row] = [row for row in await books(adapter) if row.kind == "dispute"]
    assert (row.payment_id, row.processor_ref, row.amount_minor) == (paid.payment_id, paid.processor_ref, -5_000)


@needs("disputes")
@pytest.mark.parametrize(("won", "kind"), [(True, "dispute_won"), (False, "dispute_lost")])
async def test_a_dispute_ends_one_way_or_the_other(won: bool, kind: str, server: Server,
                                                   adapter: StripeProcessor) -> None:
    paid = await paid_with(server, adapter, "pm_card_visa")
    dispute = (await server.order("dispute", payment_intent=paid.processor_ref))["dispute"]
    await server.order("dispute/decide", dispute=dispute, won=won)
    assert [event.kind for event in await news(server, "charge.dispute.closed")] == [kind]
    assert len(await news(server, "charge.dispute.funds_reinstated")) == won
    assert sum(row.amount_minor for row in await books(adapter) if row.kind.startswith("dispute")) == (
        0 if won else -5_000)


@needs("disputes")
async def test_an_inquiry_takes_no_money(server: Server, adapter: StripeProcessor) -> None:
    paid = await paid_with(server, adapter, "pm_card_visa")
    await server.order("dispute", payment_intent=paid.processor_ref, inquiry=True)
    [told] = await news(server, "charge.dispute.created")
    assert (told.kind, told.inquiry) == ("disputed", True)
    assert {row.kind for row in await books(adapter)} == {"charge"}


@needs("late_refunds")
@pytest.mark.parametrize(("status", "kind"), [("succeeded", "refund_made"), ("failed", "refund_failed")])
async def test_a_refund_that_waits_is_pending_until_it_is_made_or_fails(
        status: str, kind: str, server: Server, adapter: StripeProcessor) -> None:
    paid = await paid_with(server, adapter, "pm_card_pendingRefund")
    request = refund_of(paid, 2_000)
    waiting = await adapter.refund(request)
    assert waiting.kind == "refund_pending"
    await server.order("refund", refund=waiting.refund_ref, status=status)
    ended = await adapter.find_refund(request.refund_id, paid.processor_ref)
    assert ended is not None and (ended.kind, ended.refund_id) == (kind, request.refund_id)
    assert kind in {event.kind for event in await news(server, "refund.*")}


@needs("payouts")
async def test_a_payout_and_what_it_took_to_the_bank(server: Server, adapter: StripeProcessor) -> None:
    paid = await paid_with(server, adapter, "pm_card_bypassPending")
    payout = (await server.order("payout"))["payout"]
    rows = await books(adapter)
    assert {row.kind: row.payout_ref for row in rows} == {"charge": payout, "payout": payout}
    assert {row.payment_id for row in rows} == {paid.payment_id, None}
    [made] = [row async for row in adapter.payouts(just_before(), datetime.now(UTC) + timedelta(seconds=2))]
    assert (made.ref, made.amount_minor) == (payout, rows[0].net_minor)
    assert await adapter.balance_minor("USD") == sum(row.net_minor for row in rows) == 0


@needs("keys")
async def test_a_removed_card_cannot_be_charged(server: Server, adapter: StripeProcessor) -> None:
    request = await charge_of(server)
    await adapter.remove_method(request.method_ref)
    [gone] = await news(server, "payment_method.detached")
    assert gone.kind == "method_gone" and gone.method is not None
    assert (gone.method.customer_ref, gone.method.method_ref) == (request.customer_ref, request.method_ref)
    with pytest.raises(ProcessorError, match="refused"):
        await adapter.charge(replace(request, idempotency_key="another"))
