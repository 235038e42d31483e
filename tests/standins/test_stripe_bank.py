"""US bank accounts at the Stripe stand-in: days of waiting, returns, late returns."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.standins.stripe_scene import Shop

BOTH: Any = {"allowed_payment_method_types": ["card", "us_bank_account"]}
DAYS = 86_400
TROUBLE = ("accountClosed", "noAccount", "insufficientFunds", "debitNotAuthorized", "weeklyLimitExceeded")


async def test_a_page_offers_the_bank_account_only_when_allowed(shop: Shop) -> None:
    """Two plain forms when both kinds are allowed; a page for cards alone takes no bank account."""
    both, card = await shop.checkout(**BOTH, locale="es"), await shop.checkout()
    async with shop.http.get(both.url) as answer:
        html = await answer.text()
    assert "Cuenta bancaria" in html and html.count("<form") == 2 and "<script" not in html
    async with shop.http.get(card.url) as answer:
        assert (await answer.text()).count("<form") == 1
    status, _, html = await shop.pay_by_bank(card.url)
    assert status == 200 and 'role="alert"' in html
    assert (await shop.client.v1.payment_intents.list_async()).data == []


@pytest.mark.parametrize(
    ("number", "paid", "ending", "code"),
    [("000123456789", "paid", "succeeded", None), ("000222222227", "unpaid", "failed", "insufficient_funds")],
)
async def test_a_bank_answers_days_later(shop: Shop, number: str, paid: str, ending: str, code: str | None) -> None:
    """Complete and unpaid while processing; four days on it is paid, or has come back with a code, by events too."""
    session = await shop.checkout(**BOTH)
    status, _, _ = await shop.pay_by_bank(session.url, number)
    assert status == 303
    fetch, expand = shop.client.v1.checkout.sessions.retrieve_async, {"expand": ["payment_intent.latest_charge"]}
    waiting = await fetch(session.id, expand)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    intent = waiting.payment_intent
    assert (intent.status, intent.amount_received, intent.latest_charge.status) == ("processing", 0, "pending")
    assert intent.latest_charge.payment_method_details.us_bank_account.last4 == number[-4:]
    shop.clock.forward(4 * DAYS)
    done = await fetch(session.id, expand)
    assert (done.payment_status, done.payment_intent.latest_charge.failure_code) == (paid, code)
    await shop.settle()
    assert shop.told()[-1] == f"checkout.session.async_payment_{ending}"
    assert [one["payment_status"] for one in shop.told("checkout.session.completed")] == ["unpaid"]
    if code:
        assert done.payment_intent.last_payment_error.code == code


async def test_a_bank_account_is_kept_and_debited_later(shop: Shop) -> None:
    """A setup page keeps the account under a mandate; a debit off session is processing, then succeeded."""
    session = await shop.setup(**BOTH, customer_creation="always")
    await shop.pay_by_bank(session.url)
    fetch = shop.client.v1.checkout.sessions.retrieve_async
    done = await fetch(session.id, {"expand": ["setup_intent.payment_method"]})
    method = done.setup_intent.payment_method
    bank = method.us_bank_account
    assert (bank.bank_name, bank.last4, bank.account_holder_type) == ("STRIPE TEST BANK", "6789", "individual")
    mandate = await shop.client.v1.mandates.retrieve_async(done.setup_intent.mandate)
    assert (mandate.status, mandate.payment_method) == ("active", method.id)
    made = await shop.charge_saved(done.customer, method.id)
    assert made.status == "processing"
    shop.clock.forward(4 * DAYS)
    assert (await shop.client.v1.payment_intents.retrieve_async(made.id)).status == "succeeded"


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_returned_debits_give_everything_back(shop: Shop, trouble: str) -> None:
    """A debit that comes back leaves only the bank's return fee; what Nacha forbids to repeat is blocked."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, f"pm_usBankAccount_{trouble}")
    await shop.charge_saved(customer.id, method.id, 20_000)
    shop.clock.forward(4 * DAYS)
    entries = (await shop.client.v1.balance_transactions.list_async()).data
    assert [entry.type for entry in entries] == ["stripe_fee", "payment_failure_refund", "payment"]
    assert sum(entry.net for entry in entries) == -400
    kept = await shop.client.v1.payment_methods.retrieve_async(method.id)
    if trouble in ("insufficientFunds", "weeklyLimitExceeded"):
        assert (await shop.charge_saved(customer.id, method.id)).status == "processing"
        return
    assert kept.us_bank_account.status_details.blocked.network_code.startswith("R")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await shop.charge_saved(customer.id, method.id)
    assert caught.value.code == "payment_method_bank_account_blocked"


async def test_the_bank_answers_on_demand(shop: Shop) -> None:
    """/_standin/bank ends a debit before its time, as told; a "decline" fault decides how the next one ends."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, "pm_usBankAccount_processing")
    first, second = [await shop.charge_saved(customer.id, method.id) for _ in range(2)]
    shop.clock.forward(30 * DAYS)
    assert (await shop.client.v1.payment_intents.retrieve_async(first.id)).status == "processing"
    assert (await shop.control("bank", payment_intent=first.id, code=None))["status"] == "succeeded"
    returned = await shop.control("bank", payment_intent=second.id, code="account_closed")
    assert returned["status"] == "requires_payment_method"
    good = await shop.saved(customer.id, "pm_usBankAccount_success")
    await shop.control("fault", path="/v1/payment_intents", mode="decline", decline_code="no_account")
    third = await shop.charge_saved(customer.id, good.id)
    shop.clock.forward(4 * DAYS)
    late = await shop.client.v1.payment_intents.retrieve_async(third.id)
    assert late.last_payment_error is not None and late.last_payment_error.code == "no_account"


@pytest.mark.parametrize(("reason", "fee"), [("insufficient_funds", 400), ("debit_not_authorized", 1_500)])
async def test_a_late_return_is_a_lost_dispute(shop: Shop, reason: str, fee: int) -> None:
    """A bank that takes a settled debit back: created, withdrawn and lost at once; no evidence is asked for."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, "pm_usBankAccount_success")
    made = await shop.charge_saved(customer.id, method.id, 20_000)
    shop.clock.forward(10 * DAYS)
    opened = await shop.control("dispute", payment_intent=made.id, reason=reason)
    dispute = await shop.client.v1.disputes.retrieve_async(opened["dispute"])
    assert (dispute.status, dispute.reason, dispute.evidence_details.due_by) == ("lost", reason, None)
    entry = (await shop.client.v1.balance_transactions.list_async({"type": "adjustment"})).data[0]
    assert (entry.amount, entry.fee, entry.reporting_category) == (-20_000, fee, "dispute")
    await shop.settle()
    told = [kind for kind in shop.told() if "dispute" in kind]
    assert told == [f"charge.dispute.{one}" for one in ("created", "funds_withdrawn", "closed")]


async def test_a_refund_of_a_waiting_debit_waits_with_it(shop: Shop) -> None:
    """Pending for the charge; it goes out once the bank has paid, and never when the debit comes back."""
    customer = await shop.customer()
    good = await shop.saved(customer.id, "pm_usBankAccount_success")
    bad = await shop.saved(customer.id, "pm_usBankAccount_insufficientFunds")
    refunds: list[Any] = []
    for method in (good, bad):
        made = await shop.charge_saved(customer.id, method.id, 20_000)
        refunds.append(await shop.client.v1.refunds.create_async({"payment_intent": made.id, "amount": 5_000}))
    assert {(one.status, one.pending_reason) for one in refunds} == {("pending", "charge_pending")}
    shop.clock.forward(4 * DAYS)
    states = [(await shop.client.v1.refunds.retrieve_async(one.id)).status for one in refunds]
    assert states == ["pending", "canceled"]
    types = [entry.type for entry in (await shop.client.v1.balance_transactions.list_async()).data]
    assert types.count("payment_refund") == 1
    shop.clock.forward(5 * DAYS)
    assert (await shop.client.v1.refunds.retrieve_async(refunds[0].id)).status == "succeeded"
