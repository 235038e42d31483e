"""Stripe: hosted pages, so that no card number comes near us (T-52, SAQ A), charges of cards on file, and its books.

What is sent is in stripe_params.py, how answers are read in stripe_objects.py, what failures mean in stripe_errors.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import stripe

from bot.processors import stripe_books, stripe_charges, stripe_methods, stripe_pages
from bot.processors.base import (
    ChargeRequest,
    CheckoutPage,
    CheckoutRequest,
    EntryRow,
    PaymentEvent,
    PayoutRow,
    ProcessorError,
    RefundRequest,
    SavedMethod,
    SetupRequest,
)
from bot.processors.stripe_errors import verdicts
from bot.processors.stripe_events import read_event
from bot.processors.stripe_params import session_params, setup_params
from bot.processors.stripe_signature import verify_signature
from bot.processors.stripe_wire import Api, fetch

TIMEOUT = aiohttp.ClientTimeout(total=25, connect=6)

stripe.enable_telemetry = False  # the SDK would tell Stripe of the machine that it runs on


@dataclass(frozen=True, slots=True, repr=False)
class StripeAccount:
    secret_key: str
    webhook_secret: str
    base_url: str  # https://api.stripe.com, or any server that speaks the same


def wall_clock() -> datetime:
    return datetime.now(UTC)


class StripeProcessor:
    """Payments by Stripe. One per event loop; close it.

    ``clock`` dates what is fetched. The age of a signature is judged by ``wall``, the machine's time, because that is
    what Stripe signs: a rehearsal may set our own clock to another day.
    """

    name = "stripe"

    def __init__(self, account: StripeAccount, clock: Callable[[], datetime] = wall_clock,
                 wall: Callable[[], datetime] = wall_clock, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        self._account = account
        self._wall = wall
        self._http = stripe.AIOHTTPClient(timeout=timeout)
        client = stripe.StripeClient(
            account.secret_key, http_client=self._http, max_network_retries=1,
            base_addresses={"api": account.base_url.rstrip("/")})
        self._api = Api(client.v1, clock)

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the hosted page; the same key and content give the same page again."""
        with verdicts():
            return await stripe_pages.open_page(self._api, session_params(request), request.idempotency_key)

    async def open_setup(self, request: SetupRequest) -> CheckoutPage:
        """Make the page on which a card is given; the same key and content give the same page again."""
        with verdicts():
            return await stripe_pages.open_page(self._api, setup_params(request), request.idempotency_key)

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        with verdicts():
            return await stripe_pages.fetch_page(self._api, session_ref)

    async def expire_page(self, session_ref: str) -> PaymentEvent:
        with verdicts():
            return await stripe_pages.expire_page(self._api, session_ref)

    async def charge(self, request: ChargeRequest) -> PaymentEvent:
        with verdicts():
            return await stripe_charges.charge(self._api, request)

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        with verdicts():
            return await stripe_charges.fetch_charge(self._api, processor_ref)

    async def find_charges(self, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
        with verdicts():
            return await stripe_charges.find_charges(self._api, payment_id, since)

    async def cancel_charge(self, processor_ref: str, idempotency_key: str) -> PaymentEvent:
        with verdicts():
            return await stripe_charges.cancel(self._api, processor_ref, idempotency_key)

    async def refund(self, request: RefundRequest) -> PaymentEvent:
        with verdicts():
            return await stripe_charges.refund(self._api, request)

    async def find_refund(self, refund_id: str, processor_ref: str) -> PaymentEvent | None:
        with verdicts():
            return await stripe_charges.find_refund(self._api, refund_id, processor_ref)

    async def describe_method(self, method_ref: str) -> SavedMethod:
        with verdicts():
            return await stripe_methods.describe(self._api, method_ref)

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        with verdicts():
            return await stripe_pages.complete(self._api, event)

    async def remove_method(self, method_ref: str) -> None:
        with verdicts():
            await stripe_methods.remove(self._api, method_ref)

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        """Stripe's balance transactions made in [since, until), oldest first."""
        with verdicts():
            async for row in stripe_books.entries(stripe_books.Books(self._api.v1), since, until):
                yield row

    async def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        """Payouts made in [since, until), oldest first."""
        with verdicts():
            async for row in stripe_books.payouts(stripe_books.Books(self._api.v1), since, until):
                yield row

    async def balance_minor(self, currency: str) -> int:
        with verdicts():
            return stripe_books.balance_minor(await fetch(self._api.v1.balance.retrieve_async()), currency)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Verify and read a webhook. ProcessorError("refused", ...) for a signature that is wrong, old or from
        the future, and for a body that is no event.
        """
        named = {name.lower(): value for name, value in headers.items()}
        verify_signature(body, named.get("stripe-signature", ""), self._account.webhook_secret, self._wall())
        try:
            return read_event(json.loads(body))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError):
            raise ProcessorError("refused", "unreadable_event") from None

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # Stripe's is untyped
