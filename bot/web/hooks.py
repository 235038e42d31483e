"""Webhooks: verified, accepted once, committed, answered. What they mean is worked later (bot/receive.py)."""

from __future__ import annotations

from functools import partial

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response

from billing.store import payment_queries, road_queries
from bot.accept import UnknownNumber, accept_event, accept_message, accept_receipt, keep
from bot.channels.sms import parse_inbound, parse_status, receipt_kind
from bot.channels.twilio_signature import Secrets, is_genuine, public_url, read_form
from bot.processors.base import PaymentEvent, ProcessorError
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
    url = public_url(wiring.road.public_url, raw_path.decode("ascii", "replace").split("?", 1)[0], request.url.query)
    if not is_genuine(url, pairs, request.headers, secrets_of(wiring.settings)):
        return PlainTextResponse("not signed by the account", 403)
    return dict(pairs)


async def twilio_sms(wiring: Wiring, request: Request) -> Response:
    """A text from a patient. Answered with empty TwiML: our replies go out by the outbox."""
    form = await read_signed_form(wiring, request)
    if isinstance(form, Response):
        return form
    try:
        message = parse_inbound(form)
        await keep(wiring.road, partial(accept_message, channel="sms", message=message, now=wiring.now()))
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
    outbox_id = request.path_params["outbox_id"]
    try:
        receipt = parse_status(form, outbox_id)
    except ValueError as error:
        return PlainTextResponse(str(error), 400)
    practice_id = await wiring.road.store.aread(
        lambda session: payment_queries.practice_of_message(session, outbox_id)
        or road_queries.practice_of_number(session, form.get("From", "")))
    if practice_id is None:
        return PlainTextResponse("about no message of ours", 404)
    await keep(wiring.road, partial(accept_receipt, practice_id=practice_id, channel="sms", receipt=receipt,
                                    error_kind=receipt_kind(receipt.error_code), now=wiring.now()))
    return Response("<Response/>", media_type="text/xml")


async def stripe(wiring: Wiring, request: Request) -> Response:
    """A processor's event. What concerns no payment is answered and forgotten."""
    try:
        event = wiring.processor.parse_event(await read_body(request), request.headers)
    except TooLarge:
        return PlainTextResponse("too large", 413)
    except ProcessorError as error:
        return PlainTextResponse(error.code, 403)
    if event.kind != "ignored":
        practice_id = await _practice_of(wiring, event)
        await keep(wiring.road, partial(accept_event, practice_id=practice_id, processor=wiring.processor.name,
                                        event=event, now=wiring.now()))
    return PlainTextResponse("kept")


async def _practice_of(wiring: Wiring, event: PaymentEvent) -> str:
    """The payment's practice; money of nobody's payment is looked into by the practice of this installation."""
    found = await wiring.road.store.aread(lambda session: payment_queries.practice_of_event(
        session, event.payment_id, event.session_ref, event.processor_ref, setup_id=event.setup_id,
        method_ref=event.method.method_ref if event.method else ""))
    return found or wiring.settings.practice
