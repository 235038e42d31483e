"""Webhooks: verified, accepted once, committed, answered. What they mean is worked later (bot/receive.py)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from billing.store import payment_queries
from bot import arrivals
from bot.accept import UnknownNumber, keep_soon
from bot.channels.sms import parse_inbound, parse_status, receipt_kind
from bot.channels.twilio_signature import Secrets, is_genuine, public_url, read_form
from bot.processors.base import PaymentEvent, ProcessorError
from bot.web import counting
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring
from config.settings import Settings, reveal


def secrets_of(settings: Settings) -> Secrets:
    return Secrets(reveal(settings.twilio_auth_token) or "", reveal(settings.twilio_signature_key) or "")


async def read_signed_form(wiring: Wiring, request: Request) -> dict[str, str] | Response:
    """The form of a request that Twilio signed, or the refusal."""
    try:
        pairs = read_form(await read_body(request))
    except (TooLarge, ValueError):
        return PlainTextResponse("too large", 413)
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    url = public_url(wiring.road.public_url, raw_path.decode("ascii", "replace").split("?", 1)[0],
                     request.scope["query_string"].decode("ascii", "replace"))
    if not is_genuine(url, pairs, request.headers, secrets_of(wiring.settings)):
        return await counting.refuse_unsigned(wiring, request, "not signed by the account")
    return dict(pairs)


async def twilio_sms(wiring: Wiring, request: Request) -> Response:
    """A text from a patient. Answered with empty TwiML: our replies go out by the outbox."""
    form = await read_signed_form(wiring, request)
    if isinstance(form, Response):
        return form
    try:
        message = parse_inbound(form)
        await keep_soon(wiring.road, arrivals.of_message("sms", message, wiring.now()))
    except UnknownNumber:
        return PlainTextResponse("no practice has this number", 404)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    return Response("<Response/>", media_type="text/xml")


async def twilio_status(wiring: Wiring, request: Request) -> Response:
    """A delivery report; our id of the message is in the URL, which Twilio signed."""
    form = await read_signed_form(wiring, request)
    if isinstance(form, Response):
        return form
    try:
        receipt = parse_status(form, request.path_params["outbox_id"])
        await keep_soon(wiring.road, arrivals.of_receipt(
            "sms", receipt, receipt_kind(receipt.error_code), wiring.now(), number=form.get("From", "")))
    except UnknownNumber:
        return PlainTextResponse("about no message of ours", 404)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    return Response("<Response/>", media_type="text/xml")


async def stripe(wiring: Wiring, request: Request) -> Response:
    """A processor's event. What concerns no payment is answered and forgotten."""
    try:
        event = wiring.processor.parse_event(await read_body(request), request.headers)
    except TooLarge:
        return PlainTextResponse("too large", 413)
    except ProcessorError as error:
        return await counting.refuse_unsigned(wiring, request, error.code)
    if event.kind != "ignored":
        practice_id = await _practice_of(wiring, event)
        await keep_soon(wiring.road, arrivals.of_event(practice_id, wiring.processor.name, event, wiring.now()))
    return PlainTextResponse("kept")


async def _practice_of(wiring: Wiring, event: PaymentEvent) -> str:
    """The payment's practice; money of nobody's payment is looked into by the practice of this installation."""
    found = await wiring.road.store.aread(lambda session: payment_queries.practice_of_event(
        session, event.payment_id, event.session_ref, event.processor_ref, setup_id=event.setup_id,
        method_ref=event.method.method_ref if event.method else ""))
    return found or wiring.settings.practice
