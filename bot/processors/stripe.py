"""Stripe Checkout: a hosted page per payment, so that no card number comes near us (T-52, SAQ A).

What leaves for Stripe is an amount, the practice's name and our opaque id of the payment (T-53): Stripe signs no
business associate agreement, so it learns nothing of the patient, the visit or the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import stripe

from billing.policy.payments import allowed_metadata
from bot.processors.base import CheckoutPage, CheckoutRequest, PaymentEvent, ProcessorError
from bot.processors.stripe_events import read_event, read_session

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

TOLERANCE = timedelta(minutes=5)
DESCRIPTOR_SUFFIX = "PAYMENT"
_TIMEOUT = aiohttp.ClientTimeout(total=25, connect=6)
#: Nothing had left for Stripe when these were raised.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

#: All that a call may raise: Stripe's own errors, the network's, and what reading a strange answer comes to.
_FAULTS = (stripe.StripeError, aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError,
           AttributeError)


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
                 wall: Callable[[], datetime] = wall_clock) -> None:
        self._account = account
        self._clock = clock
        self._wall = wall
        self._http = stripe.AIOHTTPClient(timeout=_TIMEOUT)
        self._client = stripe.StripeClient(
            account.secret_key, http_client=self._http, max_network_retries=1,
            base_addresses={"api": account.base_url.rstrip("/")})

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the hosted page; the same key and content give the same page again."""
        params = session_params(request)
        try:
            try:
                return await self._create(params, request.idempotency_key)
            except stripe.InvalidRequestError as error:
                if error.param != "expires_at":
                    raise
                # Stripe takes 30 minutes to 24 hours on its own clock: a repeat may come too late for that, and a
                # rehearsal's clock may show another day. Nothing was made, so the page gets Stripe's own time.
                params.pop("expires_at")
                return await self._create(params, f"{request.idempotency_key}:open")
        except _FAULTS as error:
            raise to_processor_error(error) from None

    async def _create(self, params: SessionCreateParams, key: str) -> CheckoutPage:
        session = await self._client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        page = session.to_dict(for_json=True)
        return CheckoutPage(str(page["id"]), str(page["url"]), datetime.fromtimestamp(int(page["expires_at"]), UTC))

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        try:
            session = await self._client.v1.checkout.sessions.retrieve_async(session_ref)
            return read_session(session.to_dict(for_json=True), self._clock())
        except _FAULTS as error:
            raise to_processor_error(error) from None

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Verify and read a webhook. ProcessorError("refused", ...) for a signature that is wrong, old or from
        the future, and for a body that is no event.
        """
        named = {name.lower(): value for name, value in headers.items()}
        verify_signature(body, named.get("stripe-signature", ""), self._account.webhook_secret, self._wall())
        try:
            return read_event(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ProcessorError("refused", "unreadable_event") from None

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


def session_params(request: CheckoutRequest) -> SessionCreateParams:
    """Everything that Stripe is told. Derived from the request alone: a repeat must send the same."""
    ids = allowed_metadata({"payment_id": request.payment_id})
    return {
        "mode": "payment",
        # Cards alone: instalment lenders would make the practice a seller of medical credit (T-54).
        "allowed_payment_method_types": ["card"],
        "line_items": [{
            "quantity": 1,
            "price_data": {
                "currency": request.currency.lower(), "unit_amount": request.amount_minor,
                "product_data": {"name": request.description},
            },
        }],
        "client_reference_id": request.payment_id,
        "metadata": dict(ids),
        "payment_intent_data": {
            "description": request.description, "metadata": dict(ids),
            "statement_descriptor_suffix": DESCRIPTOR_SUFFIX,
        },
        "locale": "es" if request.language == "es" else "en",
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }


def verify_signature(body: bytes, header: str, secret: str, now: datetime) -> None:
    """Raises ProcessorError("refused", ...). The age is checked here and not by the SDK, which asks the machine's
    clock instead of ours and lets any date in the future pass.
    """
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        signed_at = datetime.fromtimestamp(_timestamp(header), UTC)
    except (stripe.SignatureVerificationError, ValueError, OverflowError, OSError):
        raise ProcessorError("refused", "bad_signature") from None
    if abs(now - signed_at) > TOLERANCE:
        raise ProcessorError("refused", "signature_out_of_time")


def _timestamp(header: str) -> int:
    return int(next(part[2:] for part in header.split(",") if part.startswith("t=")))


def to_processor_error(error: Exception) -> ProcessorError:
    """The verdict on a failed call; carries Stripe's code and never its words, which may repeat what was sent."""
    if isinstance(error, ProcessorError):
        return error
    code = str(getattr(error, "code", None) or type(error).__name__)
    return ProcessorError(_kind_of(error), code)


def _kind_of(error: Exception) -> str:
    match error:
        case stripe.APIConnectionError():
            return "retry" if isinstance(error.__cause__, _NEVER_SENT) else "unknown"
        case stripe.RateLimitError():
            return "retry"
        case stripe.AuthenticationError() | stripe.PermissionError():
            return "configuration"
        case stripe.InvalidRequestError() | stripe.CardError():
            return "refused"
        case stripe.IdempotencyError():
            # The key is known with other content: asking again with this content can never succeed.
            return "refused"
        case stripe.StripeError() if error.http_status == 409:
            return "unknown"
        case stripe.StripeError() if error.http_status is not None and error.http_status < 500:
            return "refused"
        case _:
            # A lost or unreadable answer: the same key asked again gives the same page.
            return "unknown"


