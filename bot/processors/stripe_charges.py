"""Charges of cards on file, and refunds: made, asked about, looked for by our own ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import stripe

from bot.processors.base import ChargeRequest, PaymentEvent, RefundRequest
from bot.processors.stripe_errors import RAISED, body_of
from bot.processors.stripe_events import read_fetched
from bot.processors.stripe_methods import described
from bot.processors.stripe_objects import Json, decline_of, id_of, our, read_intent, read_refund
from bot.processors.stripe_params import COSMETIC, charge_params, is_charge, refund_params
from bot.processors.stripe_wire import Api, ask_leniently, every, fetch, fetch_object, once

#: Clocks differ: what was made "since" then by our clock may carry an earlier time by Stripe's.
_SKEW = timedelta(minutes=5)


async def charge(api: Api, request: ChargeRequest) -> PaymentEvent:
    """Charge a card on file. A decline is an answer; Stripe gives it again for the same key."""
    options = once(request.idempotency_key)
    try:
        intent = await ask_leniently(lambda params: api.v1.payment_intents.create_async(params, options),
                                     charge_params(request), COSMETIC)
    except stripe.CardError as error:
        return await _declined(api, body_of(error), request)
    event = _intent_event(api, intent)
    return replace(event, payment_id=request.payment_id, amount_minor=event.amount_minor or request.amount_minor,
                   tender=request.method_kind)


async def _declined(api: Api, said: Json, request: ChargeRequest) -> PaymentEvent:
    ref = id_of(said.get("payment_intent")) or await _intent_of(api, said.get("charge"))
    reason = decline_of(said)
    return PaymentEvent(f"{ref or request.idempotency_key}:failed:{reason}", "failed", request.payment_id,
                        request.amount_minor, request.currency.upper(), "", ref, reason, api.clock(),
                        tender=request.method_kind)


async def _intent_of(api: Api, charge_ref: object) -> str:
    """The payment intent of a charge, for a refusal that names only that; the charge itself if that is all there is."""
    try:
        found = await fetch_object(charge_ref, api.v1.charges.retrieve_async)
    except RAISED:
        return id_of(charge_ref) or ""
    return id_of(found.get("payment_intent")) or id_of(charge_ref) or ""


def _intent_event(api: Api, intent: Json) -> PaymentEvent:
    return read_fetched(intent, read_intent, api.clock())


async def fetch_charge(api: Api, processor_ref: str) -> PaymentEvent:
    """What became of a payment intent, also by the id of its charge."""
    ref = processor_ref
    if is_charge(ref):
        ref = id_of((await fetch(api.v1.charges.retrieve_async(ref))).get("payment_intent")) or ref
    intent = await fetch(api.v1.payment_intents.retrieve_async(ref))
    return await described(api, _intent_event(api, intent))


async def find_charges(api: Api, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
    """By listing: Stripe's search lags up to a minute behind, and in an outage longer."""
    params = {"created": {"gt": int((since - _SKEW).timestamp())}}
    found = [row async for row in every(api.v1.payment_intents.list_async, params) if _is_of(row, payment_id)]
    if not found:
        refs = {id_of(row.get("payment_intent")) async for row in every(api.v1.charges.list_async, params)
                if _is_of(row, payment_id)}
        found = [await fetch(api.v1.payment_intents.retrieve_async(ref)) for ref in refs if ref]
    newest = sorted(found, key=lambda row: int(row["created"]), reverse=True)
    return tuple(replace(_intent_event(api, row), payment_id=payment_id) for row in newest)


def _is_of(thing: Json, payment_id: str) -> bool:
    return our(thing, "payment_id") == payment_id


async def cancel(api: Api, processor_ref: str, key: str) -> PaymentEvent:
    """Give up a payment intent; of one that cannot be given up any more, what it came to."""
    try:
        return _intent_event(api, await fetch(api.v1.payment_intents.cancel_async(processor_ref, {}, once(key))))
    except stripe.InvalidRequestError:
        return await fetch_charge(api, processor_ref)


async def refund(api: Api, request: RefundRequest) -> PaymentEvent:
    """Give money back. Where nothing is left to give back: our own refund if it stands, else refund_failed."""
    try:
        made = await fetch(api.v1.refunds.create_async(refund_params(request), once(request.idempotency_key)))
    except stripe.InvalidRequestError as error:
        if error.code != "charge_already_refunded":
            raise
        stands = await find_refund(api, request.refund_id, request.processor_ref)
        return stands or _nothing_left(api, request, error.code)
    event = read_fetched(made, read_refund, api.clock())
    return replace(event, payment_id=request.payment_id, refund_id=request.refund_id,
                   processor_ref=event.processor_ref or request.processor_ref)


def _nothing_left(api: Api, request: RefundRequest, reason: str) -> PaymentEvent:
    return PaymentEvent(f"{request.refund_id}:refund_failed:{reason}", "refund_failed", request.payment_id,
                        request.amount_minor, "", "", request.processor_ref, reason, api.clock(),
                        refund_id=request.refund_id)


async def find_refund(api: Api, refund_id: str, processor_ref: str) -> PaymentEvent | None:
    """The refund of that payment which carries our id; of several, the one that was made last."""
    by = "charge" if is_charge(processor_ref) else "payment_intent"
    rows = [row async for row in every(api.v1.refunds.list_async, {by: processor_ref})
            if our(row, "refund_id") == refund_id]
    if not rows:
        return None
    last = max(rows, key=lambda row: int(row.get("created") or 0))
    event = read_fetched(last, read_refund, api.clock())
    return replace(event, processor_ref=event.processor_ref or processor_ref)
