"""Stripe's objects in our words: pure functions over JSON, the same for an event's object and for a fetched one.

Every field may be missing or null, and whatever may be expanded may be an id or an object.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from billing.policy.retries import BANK_CODES, may_be_repeated
from bot.processors.base import PaymentEvent, SavedMethod

Json = Mapping[str, Any]

#: Reasons of a dispute with which a bank takes a debit back (ACH returns): nobody can contest them.
RETURNED = frozenset({"bank_cannot_process", "check_returned", "debit_not_authorized", "incorrect_account_details",
                      "insufficient_funds"})


def event_from(event_id: str, kind: str, fields: Json, created: int) -> PaymentEvent:
    """``fields`` by the names of PaymentEvent; what is absent is unknown."""
    named = {name: value for name, value in fields.items() if name in _OPTIONAL and value}
    return PaymentEvent(
        event_id=event_id, kind=kind, payment_id=fields.get("payment_id"), amount_minor=int(fields.get("amount") or 0),
        currency=str(fields.get("currency") or "").upper(), session_ref=str(fields.get("session_ref") or ""),
        processor_ref=str(fields.get("processor_ref") or ""), reason=str(fields.get("reason") or ""),
        occurred_at=datetime.fromtimestamp(created, UTC), **named)


_OPTIONAL = frozenset({"method", "setup_id", "refund_id", "refund_ref", "dispute_ref", "evidence_due_at", "fee_minor",
                       "next_url", "tender", "inquiry"})


# Checkout sessions --------------------------------------------------------------------------------------------------

def read_session(session: Json) -> tuple[str, dict[str, Any]]:
    """A session as it stands. A completed one may still wait for a bank: only payment_status "paid" is money."""
    fields = session_fields(session)
    status = session.get("status")
    if session.get("mode") == "setup":
        kinds = {"complete": "method_saved", "expired": "setup_expired"}
        return kinds.get(str(status), "ignored"), fields
    if session.get("payment_status") == "paid":
        return "paid", fields
    if status == "expired":
        return "expired", fields
    return ("processing" if status == "complete" else "ignored"), fields


def session_fields(session: Json) -> dict[str, Any]:
    found = {"session_ref": session.get("id"), "currency": session.get("currency")}
    if session.get("mode") == "setup":
        return {**found, "setup_id": session.get("client_reference_id") or our(session, "setup_id")}
    return {**found, "payment_id": session.get("client_reference_id") or our(session, "payment_id"),
            "amount": session.get("amount_total"), "processor_ref": id_of(session.get("payment_intent")),
            "tender": _only_tender(session.get("payment_method_types"))}


# Payment and setup intents ------------------------------------------------------------------------------------------

def read_intent(intent: Json) -> tuple[str, dict[str, Any]]:
    """A payment intent as it stands. One without a method and without an error has not been tried: "ignored"."""
    fields = intent_fields(intent)
    match intent.get("status"):
        case "succeeded":
            return "paid", {**fields, "amount": intent.get("amount_received") or intent.get("amount"),
                            "method": kept_method(intent)}
        case "processing" | "requires_capture":
            return "processing", fields
        case "canceled":
            return "cancelled", {**fields, "reason": intent.get("cancellation_reason")}
        case "requires_action" | "requires_confirmation":
            return "needs_patient", {**fields, "next_url": next_url(intent)}
        case "requires_payment_method" if intent.get("last_payment_error"):
            return "failed", {**fields, "reason": decline_of(intent.get("last_payment_error"))}
        case _:
            return "ignored", fields


def intent_fields(intent: Json) -> dict[str, Any]:
    return {"payment_id": our(intent, "payment_id"), "amount": intent.get("amount"),
            "currency": intent.get("currency"), "processor_ref": intent.get("id"), "tender": _tender_of(intent)}


def kept_method(intent: Json) -> SavedMethod | None:
    """The method that was kept with this payment, if one was; mostly its ids alone."""
    customer, method = id_of(intent.get("customer")), intent.get("payment_method")
    if not customer or not method or intent.get("setup_future_usage") != "off_session":
        return None
    return read_method(method, customer)


def read_setup(setup: Json) -> tuple[str, dict[str, Any]]:
    """A setup intent as it stands: a bank account may wait for two small deposits to be named."""
    fields: dict[str, Any] = {"setup_id": our(setup, "setup_id"), "next_url": next_url(setup)}
    match setup.get("status") if fields["setup_id"] else "not ours":
        case "succeeded":
            method = setup.get("payment_method")
            return "method_saved", {**fields, "method": read_method(method, id_of(setup.get("customer")))}
        case "canceled":
            return "setup_expired", {**fields, "reason": setup.get("cancellation_reason")}
        case "processing" | "requires_action":
            return "processing", fields
        case _:
            return "ignored", fields


def next_url(intent: Json) -> str:
    """Where the patient's bank asks them, or where they name the two small deposits."""
    action = intent.get("next_action") or {}
    redirect, deposits = action.get("redirect_to_url") or {}, action.get("verify_with_microdeposits") or {}
    return str(redirect.get("url") or deposits.get("hosted_verification_url") or "")


def decline_of(error: object) -> str:
    """The decline code, else the error code, of a last_payment_error or of a 402. The network's own word stands in
    for it where it says more: a bank's return code, or that this card must not be tried again (T-49, T-50).
    """
    said = error if isinstance(error, Mapping) else {}
    code, network = str(said.get("decline_code") or said.get("code") or "declined"), said.get("network_decline_code")
    if isinstance(network, str) and network.lower() in BANK_CODES and code.lower() not in BANK_CODES:
        return network
    if said.get("advice_code") == "do_not_try_again" and may_be_repeated(code):
        return "do_not_try_again"
    return code


# Methods ------------------------------------------------------------------------------------------------------------

def read_method(method: object, customer_ref: str | None = None) -> SavedMethod | None:
    """A payment method, or its id alone: then ``last4`` is "" and somebody has to ask."""
    ref = id_of(method)
    if not ref:
        return None
    thing: Json = method if isinstance(method, Mapping) else {}
    customer = customer_ref or id_of(thing.get("customer")) or ""
    kind = tender_named(thing.get("type"))
    bank, card = thing.get("us_bank_account") or {}, thing.get("card") or {}
    if kind == "bank":
        return SavedMethod(customer, ref, kind, str(bank.get("bank_name") or ""), str(bank.get("last4") or ""), None)
    brand = str(card.get("display_brand") or card.get("brand") or "")
    return SavedMethod(customer, ref, kind, brand, str(card.get("last4") or ""), _expiry(card))


def _expiry(card: Json) -> date | None:
    """The last day of the month that is on the card."""
    year, month = int(card.get("exp_year") or 0), int(card.get("exp_month") or 0)
    return date(year, month, calendar.monthrange(year, month)[1]) if year and 1 <= month <= 12 else None


def tender_named(kind: object) -> str:
    """Our word for a type of payment method; wallets are cards at Stripe too."""
    return "bank" if kind == "us_bank_account" else "card"


def _only_tender(types: object) -> str:
    """What it was paid with, where only one type was possible."""
    known = [kind for kind in types if kind in ("card", "us_bank_account")] if isinstance(types, list) else []
    return tender_named(known[0]) if len(known) == 1 else ""


def _tender_of(intent: Json) -> str:
    charge, method = intent.get("latest_charge"), intent.get("payment_method")
    details = (charge.get("payment_method_details") or {}) if isinstance(charge, Mapping) else {}
    kind = details.get("type") or (method.get("type") if isinstance(method, Mapping) else None)
    return tender_named(kind) if kind else _only_tender(intent.get("payment_method_types"))


# Refunds and disputes -----------------------------------------------------------------------------------------------

def read_refund(refund: Json) -> tuple[str, dict[str, Any]]:
    """One refund. A status that is not said, or not known, is no money yet."""
    kinds = {"succeeded": "refund_made", "failed": "refund_failed", "canceled": "refund_failed"}
    status = str(refund.get("status") or "")
    return kinds.get(status, "refund_pending"), {
        "payment_id": our(refund, "payment_id"), "refund_id": our(refund, "refund_id"), "refund_ref": refund.get("id"),
        "amount": refund.get("amount"), "currency": refund.get("currency"),
        "processor_ref": id_of(refund.get("payment_intent")) or id_of(refund.get("charge")),
        "reason": refund.get("failure_reason") or ("canceled" if status == "canceled" else "")}


def read_dispute(dispute: Json) -> tuple[str, dict[str, Any]]:
    """A dispute as it stands. An inquiry (status warning_...) has taken no money; a bank's return is final."""
    status, reason = str(dispute.get("status") or ""), str(dispute.get("reason") or "")
    fields = dispute_fields(dispute)
    if status in ("won", "warning_closed", "prevented"):
        return "dispute_won", {**fields, "inquiry": status != "won"}
    if reason in RETURNED:
        return "returned", fields
    if status == "lost":
        return "dispute_lost", fields
    return "disputed", {**fields, "inquiry": status.startswith("warning_")}


def dispute_fields(dispute: Json) -> dict[str, Any]:
    due_by = (dispute.get("evidence_details") or {}).get("due_by")  # 0: no answer is possible
    moved = [row for row in dispute.get("balance_transactions") or () if isinstance(row, Mapping)]
    return {
        "payment_id": our(dispute, "payment_id"), "amount": dispute.get("amount"), "currency": dispute.get("currency"),
        "processor_ref": id_of(dispute.get("payment_intent")) or id_of(dispute.get("charge")),
        "reason": dispute.get("reason"), "dispute_ref": dispute.get("id"),
        "evidence_due_at": datetime.fromtimestamp(int(due_by), UTC) if due_by else None,
        "fee_minor": sum(int(row.get("fee") or 0) for row in moved)}


# Ids ----------------------------------------------------------------------------------------------------------------

def our(thing: Json, key: str) -> str | None:
    """Our own id, as bot/processors/stripe_params.py wrote it down at Stripe."""
    found = (thing.get("metadata") or {}).get(key)
    return str(found) if found else None


def id_of(value: object) -> str | None:
    """An id, or the id of an expanded object."""
    if isinstance(value, Mapping):
        return str(value.get("id") or "") or None
    return str(value) if value else None
