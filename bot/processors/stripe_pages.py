"""Stripe's hosted pages (Checkout sessions): opened, asked about, closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import stripe

from bot.processors.base import KEPT_FAILURE, CheckoutPage, PaymentEvent, ProcessorError
from bot.processors.stripe_errors import RAISED, fault_of
from bot.processors.stripe_events import read_session
from bot.processors.stripe_methods import described
from bot.processors.stripe_objects import Json, kept_method, read_setup
from bot.processors.stripe_wire import Api, fetch, fetch_object

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams


async def open_page(api: Api, params: SessionCreateParams, key: str) -> CheckoutPage:
    """Make the page; the same key and content give the same page again."""
    try:
        try:
            return await _create(api, params, key)
        except stripe.InvalidRequestError as error:
            if error.param != "expires_at":
                raise
            # Stripe takes 30 minutes to 24 hours on its own clock: a repeat may come too late for that, and a
            # rehearsal's clock may show another day. Nothing was made, so the page gets Stripe's own time.
            params.pop("expires_at")
            return await _create(api, params, f"{key}:open")
    except stripe.IdempotencyError:
        # A page moves no money by itself: the caller goes on to its next attempt, with the next key.
        raise ProcessorError("refused", "idempotency_error") from None
    except stripe.APIError as error:
        if fault_of(error) != "server_error":
            raise
        raise ProcessorError("unknown", KEPT_FAILURE) from None


async def _create(api: Api, params: SessionCreateParams, key: str) -> CheckoutPage:
    page = await fetch(api.v1.checkout.sessions.create_async(params, {"idempotency_key": key}))
    return CheckoutPage(str(page["id"]), str(page["url"]), datetime.fromtimestamp(int(page["expires_at"]), UTC))


async def fetch_page(api: Api, session_ref: str) -> PaymentEvent:
    """What became of a page, with the card that was kept, if one was."""
    return await _event(api, await fetch(api.v1.checkout.sessions.retrieve_async(session_ref)))


async def expire_page(api: Api, session_ref: str) -> PaymentEvent:
    """Close a page; of one that is closed already, what it came to. Raises if it is open and stays open."""
    try:
        session = await fetch(api.v1.checkout.sessions.expire_async(session_ref))
    except stripe.InvalidRequestError:
        stands = await fetch_page(api, session_ref)
        if stands.kind == "ignored":
            raise
        return stands
    return await _event(api, session)


async def complete(api: Api, event: PaymentEvent) -> PaymentEvent:
    """The event with its card in full. A finished setup page says only that it is finished: it is asked."""
    if event.kind == "method_saved" and event.method is None and event.session_ref:
        fetched = await fetch_page(api, event.session_ref)
        return replace(event, kind=fetched.kind, method=fetched.method, next_url=fetched.next_url)
    return event if event.kind == "method_gone" else await described(api, event)


async def _event(api: Api, session: Json) -> PaymentEvent:
    event = read_session(session, api.clock())
    if session.get("mode") == "setup":
        return await _setup_event(api, session, event) if event.kind == "method_saved" else event
    if event.kind not in ("paid", "processing") or not session.get("customer"):
        return event
    try:
        intent = await fetch_object(session.get("payment_intent"), api.v1.payment_intents.retrieve_async)
    except RAISED:
        return event  # that it is paid does not wait for the card; the payment's own event tells of that too
    return await described(api, replace(event, method=kept_method(intent)))


async def _setup_event(api: Api, session: Json, event: PaymentEvent) -> PaymentEvent:
    """A finished setup page whose bank account still waits for its two deposits is not saved yet."""
    setup = await fetch_object(session.get("setup_intent"), api.v1.setup_intents.retrieve_async)
    kind, fields = read_setup({**setup, "customer": setup.get("customer") or session.get("customer"),
                               "metadata": {"setup_id": event.setup_id}})
    return await described(api, replace(
        event, event_id=f"{session['id']}:{kind}", kind=kind, method=fields.get("method"),
        next_url=str(fields.get("next_url") or "")))
