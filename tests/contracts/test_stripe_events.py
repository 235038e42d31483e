"""Stripe's events in our words: every type, also with everything missing that may be missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.processors.base import PaymentEvent, ProcessorError, SavedMethod
from bot.processors.stripe import StripeProcessor
from bot.processors.stripe_events import READERS, read_event
from tests.contracts.stripe_servers import SECRET, Script
from tests.contracts.test_stripe import NOW, processor, signed, webhook

PAY, REF, SET = "pay_0123456789abcdefghjk", "ref_0123456789abcdefghjk", "set_0123456789abcdefghjk"
OURS = {"metadata": {"payment_id": PAY}, "currency": "usd"}
REFUND = {"id": "re_1", "amount": 5, "currency": "usd", "payment_intent": "pi_1",
          "metadata": {"payment_id": PAY, "refund_id": REF}}
DISPUTE = {"id": "du_1", "amount": 5, "currency": "usd", "payment_intent": "pi_1", "reason": "fraudulent"}
SETUP = {"id": "seti_1", "customer": "cus_1", "payment_method": "pm_1", "metadata": {"setup_id": SET}}
SETUP_PAGE = {"id": "cs_1", "mode": "setup", "client_reference_id": SET, "payment_status": "no_payment_required"}

EVENTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("checkout.session.completed", {"payment_status": "paid", "status": "complete", **OURS}, "paid"),
    ("checkout.session.completed", {"payment_status": "unpaid", "status": "complete", **OURS}, "processing"),
    ("checkout.session.completed", {"status": "complete", **SETUP_PAGE}, "method_saved"),
    ("checkout.session.async_payment_succeeded", {"payment_status": "paid", "status": "complete", **OURS}, "paid"),
    ("checkout.session.async_payment_failed", {"payment_status": "unpaid", **OURS}, "failed"),
    ("checkout.session.expired", {"status": "expired", "payment_status": "unpaid", **OURS}, "expired"),
    ("checkout.session.expired", {"status": "expired", **SETUP_PAGE}, "setup_expired"),
    ("payment_intent.succeeded", {"id": "pi_1", "amount_received": 5, **OURS}, "paid"),
    ("payment_intent.payment_failed", {"id": "pi_1", "last_payment_error": {"code": "c"}, **OURS}, "failed"),
    ("payment_intent.processing", {"id": "pi_1", "amount": 5, **OURS}, "processing"),
    ("payment_intent.canceled", {"id": "pi_1", "cancellation_reason": "automatic", **OURS}, "cancelled"),
    ("payment_intent.requires_action", {"id": "pi_1", **OURS}, "needs_patient"),
    ("charge.refunded", {"amount_refunded": 5, "payment_intent": {"id": "pi_1"}, **OURS}, "refunded"),
    ("charge.refund.updated", {**REFUND, "status": "succeeded"}, "refund_made"),
    ("refund.created", {**REFUND, "status": "pending"}, "refund_pending"),
    ("refund.created", {**REFUND, "status": "requires_action"}, "refund_pending"),
    ("refund.created", REFUND, "refund_pending"),
    ("refund.updated", {**REFUND, "status": "succeeded"}, "refund_made"),
    ("refund.updated", {**REFUND, "status": "canceled"}, "refund_failed"),
    ("refund.failed", {**REFUND, "status": "failed", "failure_reason": "lost_or_stolen_card"}, "refund_failed"),
    ("charge.dispute.created", {**DISPUTE, "status": "needs_response"}, "disputed"),
    ("charge.dispute.created", {**DISPUTE, "status": "warning_needs_response"}, "disputed"),
    ("charge.dispute.created", {**DISPUTE, "reason": "insufficient_funds", "status": "lost"}, "returned"),
    ("charge.dispute.created", {**DISPUTE, "reason": "debit_not_authorized", "status": "needs_response"}, "returned"),
    ("charge.dispute.updated", {**DISPUTE, "status": "under_review"}, "disputed"),
    ("charge.dispute.closed", {**DISPUTE, "status": "won"}, "dispute_won"),
    ("charge.dispute.closed", {**DISPUTE, "status": "warning_closed"}, "dispute_won"),
    ("charge.dispute.closed", {**DISPUTE, "status": "lost"}, "dispute_lost"),
    ("charge.dispute.closed", {**DISPUTE, "reason": "bank_cannot_process", "status": "lost"}, "returned"),
    ("charge.dispute.funds_withdrawn", {**DISPUTE, "status": "needs_response"}, "disputed"),
    ("charge.dispute.funds_withdrawn", {**DISPUTE, "reason": "incorrect_account_details"}, "returned"),
    ("charge.dispute.funds_reinstated", {**DISPUTE, "status": "won"}, "reinstated"),
    ("payment_method.detached", {"id": "pm_1", "customer": None}, "method_gone"),
    ("setup_intent.succeeded", SETUP, "method_saved"),
    ("setup_intent.succeeded", {**SETUP, "metadata": {}}, "ignored"),  # somebody else's at the same account
    ("setup_intent.canceled", SETUP, "setup_expired"),
    ("customer.created", {"id": "cus_1"}, "ignored"),
    ("a.type.of.tomorrow", {"id": "x_1"}, "ignored"),
)


def read(kind: str, thing: dict[str, Any], before: dict[str, Any] | None = None) -> PaymentEvent:
    event = json.loads(webhook(kind, **thing))
    if before is not None:
        event["data"]["previous_attributes"] = before
    return read_event(event)


@pytest.mark.parametrize(("kind", "thing", "expected"), EVENTS)
def test_each_type_of_event_in_our_words(kind: str, thing: dict[str, Any], expected: str) -> None:
    event = read(kind, thing)
    assert (event.kind, event.event_id, event.occurred_at) == (expected, "evt_1", NOW)
    if thing.get("metadata", {}).get("payment_id"):
        assert event.payment_id == PAY
    if kind.startswith("charge.dispute"):
        assert (event.dispute_ref, event.processor_ref, event.amount_minor) == ("du_1", "pi_1", 5)
    if "refund." in kind:
        assert (event.refund_id, event.refund_ref, event.processor_ref) == (REF, "re_1", "pi_1")


def test_every_reader_is_in_the_table_of_that_test() -> None:
    assert set(READERS) <= {kind for kind, _, _ in EVENTS}


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("thing", [{}, {"id": "x_1"}, {"id": "x_1", "metadata": None, "status": None,
                                                      "customer": None, "payment_method": None, "next_action": None,
                                                      "last_payment_error": None, "evidence_details": None,
                                                      "balance_transactions": None, "payment_method_types": None}])
def test_what_may_be_missing_may_be_missing(kind: str, thing: dict[str, Any]) -> None:
    event = read(kind, thing)
    assert event.event_id == "evt_1" and event.payment_id is None and event.amount_minor == 0


@pytest.mark.parametrize("body", [
    b"{}", b"[]", b"null", b"7", b'"text"', b'{"id":"evt_1","type":"charge.refunded"}',
    b'{"id":"evt_1","type":"charge.refunded","created":1,"data":{}}',
    b'{"id":"evt_1","type":"charge.refunded","created":"soon","data":{"object":{}}}',
    b'{"id":"evt_1","type":"charge.refunded","created":1e99,"data":{"object":{}}}',
    b'{"id":"evt_1","type":"charge.refunded","created":1,"data":{"object":[1]}}',
    b'{"id":"evt_1","type":"charge.refunded","created":1,"data":{"object":{"amount_refunded":"many"}}}',
    b"[" * 100_000,
])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(ProcessorError, match="refused"):
        processor().parse_event(body, signed(body, NOW, SECRET))


def test_a_dispute_says_until_when_it_may_be_answered_and_what_it_costs() -> None:
    due = datetime(2026, 11, 20, tzinfo=UTC)
    event = read("charge.dispute.created", {
        **DISPUTE, "status": "needs_response", "evidence_details": {"due_by": int(due.timestamp())},
        "balance_transactions": [{"amount": -5, "fee": 1_500}]})
    assert (event.evidence_due_at, event.fee_minor, event.inquiry) == (due, 1_500, False)
    none = read("charge.dispute.created", {**DISPUTE, "status": "needs_response", "evidence_details": {"due_by": 0}})
    assert none.evidence_due_at is None


@pytest.mark.parametrize(("kind", "status", "inquiry"), [
    ("charge.dispute.created", "warning_needs_response", True),
    ("charge.dispute.updated", "warning_under_review", True),
    ("charge.dispute.closed", "warning_closed", True), ("charge.dispute.created", "needs_response", False),
    ("charge.dispute.funds_withdrawn", "warning_needs_response", False), ("charge.dispute.closed", "won", False),
])
def test_an_inquiry_has_taken_no_money_and_says_so(kind: str, status: str, inquiry: bool) -> None:
    assert read(kind, {**DISPUTE, "status": status}).inquiry is inquiry


def test_a_payment_that_kept_its_card_says_which() -> None:
    paid = {"id": "pi_1", "amount_received": 5, "customer": "cus_1", "payment_method": "pm_1", **OURS}
    assert read("payment_intent.succeeded", paid).method is None
    kept = read("payment_intent.succeeded", {**paid, "setup_future_usage": "off_session"})
    assert kept.method == SavedMethod("cus_1", "pm_1", "card", "", "", None)


def test_a_card_that_is_gone_is_named_with_the_customer_that_had_it() -> None:
    card = {"brand": "visa", "last4": "4242", "exp_month": 2, "exp_year": 2028}
    event = read("payment_method.detached", {"id": "pm_1", "type": "card", "customer": None, "card": card},
                 {"customer": "cus_1"})
    assert event.method == SavedMethod("cus_1", "pm_1", "card", "visa", "4242", date(2028, 2, 29))


@pytest.mark.parametrize(("types", "tender"), [
    (["card"], "card"), (["us_bank_account"], "bank"), (["card", "link"], "card"), (["card", "us_bank_account"], ""),
    ([], ""), (None, ""),
])
def test_what_it_was_paid_with_is_said_only_where_it_is_known(types: list[str] | None, tender: str) -> None:
    assert read("payment_intent.succeeded", {"id": "pi_1", "payment_method_types": types, **OURS}).tender == tender


def test_where_the_patients_bank_asks() -> None:
    redirect = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/a"}}
    deposits = {"type": "verify_with_microdeposits",
                "verify_with_microdeposits": {"hosted_verification_url": "https://stripe.example/b"}}
    for action, url in ((redirect, "https://bank.example/a"), (deposits, "https://stripe.example/b"),
                        ({"type": "use_stripe_sdk"}, "")):
        assert read("payment_intent.requires_action", {"id": "pi_1", "next_action": action, **OURS}).next_url == url


# What an event leaves out is asked ----------------------------------------------------------------------------------

CARD = {"id": "pm_1", "type": "card", "customer": "cus_1",
        "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2031}}
KEPT = SavedMethod("cus_1", "pm_1", "card", "visa", "4242", date(2031, 12, 31))


async def test_a_card_that_was_kept_is_described_in_full(script: Script, told: StripeProcessor) -> None:
    script.answers["GET /v1/payment_methods/pm_1"] = CARD
    event = await told.complete(read("setup_intent.succeeded", SETUP))
    assert (event.kind, event.setup_id, event.event_id, event.method) == ("method_saved", SET, "evt_1", KEPT)
    assert await told.complete(event) == event and len(script.heard) == 1


async def test_a_finished_setup_page_is_asked_which_card(script: Script, told: StripeProcessor) -> None:
    script.answers |= {"GET /v1/payment_methods/pm_1": CARD,
                       "GET /v1/setup_intents/seti_1": {**SETUP, "status": "succeeded", "metadata": {}},
                       "GET /v1/checkout/sessions/cs_1": {**SETUP_PAGE, "status": "complete", "customer": "cus_1",
                                                          "setup_intent": "seti_1"}}
    event = await told.complete(read("checkout.session.completed", {**SETUP_PAGE, "status": "complete"}))
    assert (event.kind, event.setup_id, event.event_id, event.method) == ("method_saved", SET, "evt_1", KEPT)


async def test_a_bank_account_that_waits_for_its_two_deposits_is_not_kept_yet(script: Script,
                                                                             told: StripeProcessor) -> None:
    script.answers |= {
        "GET /v1/setup_intents/seti_1": {**SETUP, "status": "requires_action", "next_action": {
            "type": "verify_with_microdeposits",
            "verify_with_microdeposits": {"hosted_verification_url": "https://stripe.example/b"}}},
        "GET /v1/checkout/sessions/cs_1": {**SETUP_PAGE, "status": "complete", "setup_intent": "seti_1"}}
    event = await told.complete(read("checkout.session.completed", {**SETUP_PAGE, "status": "complete"}))
    assert (event.kind, event.method, event.next_url) == ("processing", None, "https://stripe.example/b")


async def test_that_it_is_paid_does_not_wait_for_the_card(script: Script, told: StripeProcessor) -> None:
    paid = {"id": "pi_1", "amount_received": 5, "customer": "cus_1", "payment_method": "pm_1",
            "setup_future_usage": "off_session", **OURS}
    script.answers["GET /v1/payment_methods/pm_1"] = (500, {})
    event = await told.complete(read("payment_intent.succeeded", paid))
    assert event.kind == "paid" and event.method == SavedMethod("cus_1", "pm_1", "card", "", "", None)


@pytest.mark.parametrize("expanded", [False, True])
async def test_a_paid_page_says_which_card_was_kept_expanded_or_not(expanded: bool, script: Script,
                                                                   told: StripeProcessor) -> None:
    intent = {"id": "pi_1", "status": "succeeded", "customer": "cus_1", "setup_future_usage": "off_session",
              "payment_method": CARD if expanded else "pm_1"}
    script.answers |= {"GET /v1/payment_methods/pm_1": CARD, "GET /v1/payment_intents/pi_1": intent,
                       "GET /v1/checkout/sessions/cs_1": {
                           "id": "cs_1", "mode": "payment", "payment_status": "paid", "status": "complete",
                           "customer": "cus_1", "payment_intent": intent if expanded else "pi_1", **OURS}}
    event = await told.fetch_checkout("cs_1")
    assert (event.kind, event.payment_id, event.method, event.processor_ref) == ("paid", PAY, KEPT, "pi_1")
