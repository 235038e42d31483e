"""Stripe's events in our words: a table from event type to reader. Pure functions over the event's JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.processors import stripe_objects as objects
from bot.processors.base import PaymentEvent
from bot.processors.stripe_objects import Json, event_from, id_of, our

Fields = Mapping[str, Any]
Read = Callable[[Json, Json], tuple[str, Fields]]


def read_event(event: Json) -> PaymentEvent:
    """Read a verified event. Types that say nothing about a payment of ours are kind "ignored"."""
    read = READERS.get(str(event["type"]))
    kind, fields = ("ignored", {}) if read is None else read(event["data"]["object"], _before(event))
    return event_from(str(event["id"]), kind, fields, int(event["created"]))


def read_fetched(thing: Json, read: Callable[[Json], tuple[str, Fields]], at: datetime) -> PaymentEvent:
    """An object as it stands, as an event whose id changes only with what it says."""
    kind, fields = read(thing)
    said = ":".join(str(part) for part in (thing["id"], kind, fields.get("reason")) if part)
    return event_from(said, kind, fields, int(at.timestamp()))


def read_session(session: Json, at: datetime) -> PaymentEvent:
    """A Checkout session as it stands."""
    return read_fetched(session, objects.read_session, at)


def _before(event: Json) -> Json:
    """What the object's fields were before the event."""
    return event["data"].get("previous_attributes") or {}


def _now(read: Callable[[Json], tuple[str, Fields]]) -> Read:
    return lambda thing, before: read(thing)


def _session_failed(session: Json, before: Json) -> tuple[str, Fields]:
    return "failed", {**objects.session_fields(session), "reason": "async_payment_failed"}


def _session_expired(session: Json, before: Json) -> tuple[str, Fields]:
    return ("setup_expired" if session.get("mode") == "setup" else "expired"), objects.session_fields(session)


def _intent(status: str) -> Read:
    """The type of the event says which status it tells of; a late delivery may carry none, or another."""

    def read(intent: Json, before: Json) -> tuple[str, Fields]:
        return objects.read_intent({**intent, "status": status})

    return read


def _intent_failed(intent: Json, before: Json) -> tuple[str, Fields]:
    reason = objects.decline_of(intent.get("last_payment_error"))
    return "failed", {**objects.intent_fields(intent), "reason": reason}


def _setup(status: str) -> Read:
    def read(setup: Json, before: Json) -> tuple[str, Fields]:
        return objects.read_setup({**setup, "status": status})

    return read


def _refunded(charge: Json, before: Json) -> tuple[str, Fields]:
    """``amount_minor`` is all that was refunded so far, so that repeats and late deliveries add nothing."""
    return "refunded", {
        "payment_id": our(charge, "payment_id"), "amount": charge.get("amount_refunded"),
        "currency": charge.get("currency"),
        "processor_ref": id_of(charge.get("payment_intent")) or id_of(charge.get("id"))}


def _refund_failed(refund: Json, before: Json) -> tuple[str, Fields]:
    return objects.read_refund({**refund, "status": "failed"})


def _funds_withdrawn(dispute: Json, before: Json) -> tuple[str, Fields]:
    """The money is gone, whatever the dispute was when this was sent."""
    kind = "returned" if dispute.get("reason") in objects.RETURNED else "disputed"
    return kind, objects.dispute_fields(dispute)


def _funds_reinstated(dispute: Json, before: Json) -> tuple[str, Fields]:
    return "reinstated", objects.dispute_fields(dispute)


def _detached(method: Json, before: Json) -> tuple[str, Fields]:
    return "method_gone", {"method": objects.read_method(method, id_of(before.get("customer")))}


READERS: Mapping[str, Read] = {
    "checkout.session.completed": _now(objects.read_session),
    "checkout.session.async_payment_succeeded": _now(objects.read_session),
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent("succeeded"),
    "payment_intent.payment_failed": _intent_failed,
    "payment_intent.processing": _intent("processing"),
    "payment_intent.canceled": _intent("canceled"),
    "payment_intent.requires_action": _intent("requires_action"),
    "charge.refunded": _refunded,
    "charge.refund.updated": _now(objects.read_refund),
    "refund.created": _now(objects.read_refund),
    "refund.updated": _now(objects.read_refund),
    "refund.failed": _refund_failed,
    "charge.dispute.created": _now(objects.read_dispute),
    "charge.dispute.updated": _now(objects.read_dispute),
    "charge.dispute.closed": _now(objects.read_dispute),
    "charge.dispute.funds_withdrawn": _funds_withdrawn,
    "charge.dispute.funds_reinstated": _funds_reinstated,
    "payment_method.detached": _detached,
    "setup_intent.succeeded": _setup("succeeded"),
    "setup_intent.canceled": _setup("canceled"),
}
"""The types that an account's webhook endpoint is to be sent; every other is "ignored"."""
