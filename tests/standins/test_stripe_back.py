"""Money that goes back at the Stripe stand-in: refunds, disputes, inquiries."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.standins.stripe_scene import Shop

DAY = 86_400


async def test_refunds_in_parts_and_never_too_much(shop: Shop) -> None:
    """Parts add up, carry our ids and are listed by payment; one cent more than is left is refused."""
    made = await shop.charge(10_000, metadata={"payment_id": "p-1"})
    refunds = shop.client.v1.refunds
    first = await refunds.create_async({"payment_intent": made.id, "amount": 4_000, "metadata": {"refund_id": "r-1"}})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await refunds.create_async({"payment_intent": made.id, "amount": 6_001})
    second = await refunds.create_async({"payment_intent": made.id})
    assert (first.status, second.amount) == ("succeeded", 6_000)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await refunds.create_async({"payment_intent": made.id, "amount": 1})
    assert caught.value.code == "charge_already_refunded"
    listed = (await refunds.list_async({"payment_intent": made.id})).data
    assert [one.metadata.to_dict() for one in listed if one.metadata is not None] == [{}, {"refund_id": "r-1"}]
    await shop.settle()
    assert [one["amount_refunded"] for one in shop.told("charge.refunded")] == [4_000, 10_000]
    assert [one["refunded"] for one in shop.told("charge.refunded")] == [False, True]
    assert [one["metadata"] for one in shop.told("charge.refunded")] == [{"payment_id": "p-1"}] * 2


@pytest.mark.parametrize(("method", "first", "last"), [("pm_card_pendingRefund", "pending", "succeeded"),
                                                      ("pm_card_refundFail", "succeeded", "failed")])  # fmt: skip
async def test_a_refund_can_wait_or_fail_afterwards(shop: Shop, method: str, first: str, last: str) -> None:
    """Stripe's two test cards: pending and then done; done and then failed, with the money back in the balance."""
    made = await shop.charge(10_000, method)
    refund = await shop.client.v1.refunds.create_async({"payment_intent": made.id, "amount": 2_500})
    assert refund.status == first
    shop.clock.forward(DAY)
    ended = await shop.client.v1.refunds.retrieve_async(refund.id)
    assert ended.status == last
    entries = (await shop.client.v1.balance_transactions.list_async({"source": refund.id})).data
    assert sum(entry.net for entry in entries) == (0 if last == "failed" else -2_500)
    await shop.settle()
    assert [one["status"] for one in shop.told("refund.updated")] == [last]
    assert len(shop.told("refund.failed")) == (last == "failed")
    charge = (await shop.client.v1.charges.list_async()).data[0]
    assert charge.amount_refunded == (0 if last == "failed" else 2_500)


async def test_a_refund_is_left_pending_and_decided_on_demand(shop: Shop) -> None:
    """A "pending" fault holds the next refund; /_standin/refund ends it, with Stripe's failure_reason."""
    made = await shop.charge(10_000)
    await shop.control("fault", path="/v1/refunds", mode="pending")
    refund = await shop.client.v1.refunds.create_async({"payment_intent": made.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    shop.clock.forward(30 * DAY)
    assert (await shop.client.v1.refunds.retrieve_async(refund.id)).status == "pending"
    await shop.control("refund", refund=refund.id, status="failed", failure_reason="lost_or_stolen_card")
    failed = await shop.client.v1.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert failed.failure_balance_transaction is not None


@pytest.mark.parametrize(("won", "net"), [(True, -1_500), (False, -11_500)])
async def test_a_dispute_takes_the_money_until_it_is_decided(shop: Shop, won: bool, net: int) -> None:
    """Withdrawn with a fee; won money comes back, the fee does not; a disputed charge cannot be refunded."""
    made = await shop.charge(10_000, metadata={"payment_id": "p-1"})
    opened = await shop.control("dispute", payment_intent=made.id, reason="product_not_received")
    dispute = await shop.client.v1.disputes.retrieve_async(opened["dispute"])
    assert (dispute.status, dispute.amount, dispute.payment_intent) == ("needs_response", 10_000, made.id)
    assert dispute.evidence_details.due_by == shop.clock.now() + 14 * DAY
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await shop.client.v1.refunds.create_async({"payment_intent": made.id})
    assert caught.value.code == "charge_disputed"
    await shop.control("dispute/decide", dispute=dispute.id, won=won)
    entries = (await shop.client.v1.balance_transactions.list_async({"source": dispute.id})).data
    assert sum(entry.net for entry in entries) == net
    assert [entry.reporting_category for entry in reversed(entries)] == ["dispute", "dispute_reversal"][: 1 + won]
    await shop.settle()
    told = [kind.removeprefix("charge.dispute.") for kind in shop.told() if "dispute" in kind]
    assert told == ["created", "funds_withdrawn", "closed"] + ["funds_reinstated"] * won
    assert [one["status"] for one in shop.told("charge.dispute.closed")] == ["won" if won else "lost"]


async def test_evidence_is_staged_then_handed_in(shop: Shop) -> None:
    """submit=false only keeps it; handing it in is under_review; the test words decide."""
    made = await shop.charge(10_000)
    opened = (await shop.control("dispute", payment_intent=made.id))["dispute"]
    disputes = shop.client.v1.disputes
    staged: Any = await disputes.update_async(opened, {"evidence": {"service_date": "2026-10-01"}, "submit": False})
    assert (staged.status, staged.evidence.service_date) == ("needs_response", "2026-10-01")
    handed: Any = await disputes.update_async(opened, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (handed.status, handed.evidence_details.submission_count) == ("under_review", 1)
    assert handed.evidence.service_date == "2026-10-01"
    assert (await disputes.retrieve_async(opened)).status == "won"
    with pytest.raises(stripe.InvalidRequestError):
        await disputes.close_async(opened)


async def test_the_disputed_test_card_and_the_inquiry(shop: Shop) -> None:
    """...0259 is disputed as fraudulent after its charge; ...1976 is only asked about, and still refundable."""
    await shop.charge(10_000, "pm_card_createDispute")
    asked = await shop.charge(10_000, "pm_card_createDisputeInquiry")
    disputes = (await shop.client.v1.disputes.list_async()).data
    assert {(one.reason, one.status) for one in disputes} == {
        ("fraudulent", "needs_response"), ("fraudulent", "warning_needs_response"),
    }  # fmt: skip
    withdrawn = (await shop.client.v1.balance_transactions.list_async({"type": "adjustment"})).data
    assert [entry.amount for entry in withdrawn] == [-10_000]
    assert (await shop.client.v1.refunds.create_async({"payment_intent": asked.id})).status == "succeeded"
    inquiry = next(one for one in disputes if one.status.startswith("warning"))
    closed = await shop.client.v1.disputes.close_async(inquiry.id)
    assert closed.status == "warning_closed"


async def test_a_given_up_dispute_is_lost(shop: Shop) -> None:
    """close: lost at once, told by an event, part amounts too."""
    made = await shop.charge(10_000)
    opened = (await shop.control("dispute", payment_intent=made.id, amount=3_000))["dispute"]
    assert (await shop.client.v1.disputes.close_async(opened)).status == "lost"
    await shop.settle()
    assert [one["amount"] for one in shop.told("charge.dispute.closed")] == [3_000]
