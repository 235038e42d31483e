"""Cards and bank accounts that Stripe keeps."""

from __future__ import annotations

from dataclasses import replace

import stripe

from bot.processors.base import PaymentEvent, ProcessorError, SavedMethod
from bot.processors.stripe_errors import RAISED
from bot.processors.stripe_objects import read_method
from bot.processors.stripe_wire import Api, fetch


async def describe(api: Api, method_ref: str) -> SavedMethod:
    method = read_method(await fetch(api.v1.payment_methods.retrieve_async(method_ref)))
    if method is None:
        raise ProcessorError("unknown", "no_method")
    return method


async def described(api: Api, event: PaymentEvent) -> PaymentEvent:
    """The event with its card in full. That something is paid does not wait for what the card is called."""
    if event.method is None or event.method.last4:
        return event
    try:
        known = await describe(api, event.method.method_ref)
    except RAISED:
        if event.kind == "method_saved":
            raise
        return event
    method = replace(known, customer_ref=event.method.customer_ref or known.customer_ref)
    return replace(event, method=method, tender=event.tender or known.kind)


async def remove(api: Api, method_ref: str) -> None:
    """Forget a card. Stripe refuses for one that is nobody's already, or that it never had: both are gone."""
    try:
        await fetch(api.v1.payment_methods.detach_async(method_ref))
    except stripe.InvalidRequestError:
        if await _is_kept(api, method_ref):
            raise


async def _is_kept(api: Api, method_ref: str) -> bool:
    try:
        method = await fetch(api.v1.payment_methods.retrieve_async(method_ref))
    except stripe.InvalidRequestError as error:
        return error.http_status != 404
    return bool(method.get("customer"))
