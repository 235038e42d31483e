"""Stripe's events in our words: a table from event type to reader. Pure functions over the event's JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.processors.base import PaymentEvent

Json = Mapping[str, Any]


def read_event(event: Json) -> PaymentEvent:
    """Read a verified event. Types that say nothing about a payment of ours are kind "ignored"."""
    thing: Json = event["data"]["object"]
    read = READERS.get(str(event["type"]), _ignored)
    kind, fields = read(thing)
    return _event(str(event["id"]), kind, fields, int(event["created"]))


def read_session(session: Json, at: datetime) -> PaymentEvent:
    """A Checkout session as it stands, as an event whose id changes only with what it says."""
    kind, fields = _session_now(session)
    return _event(f"{session['id']}:{kind}", kind, fields, int(at.timestamp()))


def _event(event_id: str, kind: str, fields: Json, created: int) -> PaymentEvent:
    return PaymentEvent(
        event_id=event_id, kind=kind, payment_id=fields.get("payment_id"), amount_minor=int(fields.get("amount") or 0),
        currency=str(fields.get("currency") or "").upper(), session_ref=str(fields.get("session_ref") or ""),
        processor_ref=str(fields.get("processor_ref") or ""), reason=str(fields.get("reason") or ""),
        occurred_at=datetime.fromtimestamp(created, UTC))


def _session(session: Json) -> dict[str, Any]:
    return {"payment_id": session.get("client_reference_id") or _our_id(session),
            "amount": session.get("amount_total"), "currency": session.get("currency"),
            "session_ref": session.get("id"), "processor_ref": _id_of(session.get("payment_intent"))}


def _session_now(session: Json) -> tuple[str, Json]:
    """A completed session may still wait for a bank: only payment_status "paid" is money."""
    fields = _session(session)
    if session.get("payment_status") == "paid":
        return "paid", fields
    if session.get("status") == "expired":
        return "expired", fields
    return ("processing" if session.get("status") == "complete" else "ignored"), fields


def _session_failed(session: Json) -> tuple[str, Json]:
    return "failed", {**_session(session), "reason": "async_payment_failed"}


def _session_expired(session: Json) -> tuple[str, Json]:
    return "expired", _session(session)


def _intent(intent: Json, amount: object) -> dict[str, Any]:
    return {"payment_id": _our_id(intent), "amount": amount,
            "currency": intent.get("currency"), "processor_ref": intent.get("id")}


def _intent_paid(intent: Json) -> tuple[str, Json]:
    return "paid", _intent(intent, intent.get("amount_received", intent.get("amount")))


def _intent_failed(intent: Json) -> tuple[str, Json]:
    error = intent.get("last_payment_error") or {}
    reason = error.get("decline_code") or error.get("code") or "declined"
    return "failed", {**_intent(intent, intent.get("amount")), "reason": reason}


def _intent_processing(intent: Json) -> tuple[str, Json]:
    return "processing", _intent(intent, intent.get("amount"))


def _refunded(charge: Json) -> tuple[str, Json]:
    """``amount_minor`` is all that was refunded so far, so that repeats and late deliveries add nothing."""
    return "refunded", {
        "payment_id": _our_id(charge), "amount": charge.get("amount_refunded"),
        "currency": charge.get("currency"), "processor_ref": _id_of(charge.get("payment_intent"))}


def _dispute(kind: str) -> Callable[[Json], tuple[str, Json]]:
    def read(dispute: Json) -> tuple[str, Json]:
        return kind, {
            "payment_id": _our_id(dispute), "amount": dispute.get("amount"),
            "currency": dispute.get("currency"), "processor_ref": _id_of(dispute.get("payment_intent")),
            "reason": dispute.get("reason")}

    return read


def _ignored(thing: Json) -> tuple[str, Json]:
    return "ignored", {}


def _our_id(thing: Json) -> str | None:
    """Our payment's id, as bot/processors/stripe.py wrote it down at Stripe."""
    return (thing.get("metadata") or {}).get("payment_id")


def _id_of(value: object) -> str | None:
    """An id, or the id of an expanded object."""
    if isinstance(value, Mapping):
        return str(value.get("id") or "") or None
    return str(value) if value else None


READERS: Mapping[str, Callable[[Json], tuple[str, Json]]] = {
    "checkout.session.completed": _session_now,
    "checkout.session.async_payment_succeeded": _session_now,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent_paid,
    "payment_intent.payment_failed": _intent_failed,
    "payment_intent.processing": _intent_processing,
    "charge.refunded": _refunded,
    "charge.dispute.created": _dispute("disputed"),
    "charge.dispute.funds_withdrawn": _dispute("disputed"),
    "charge.dispute.funds_reinstated": _dispute("reinstated"),
}
