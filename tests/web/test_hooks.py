"""A webhook is believed only when signed, kept before it is answered, and kept once however often it comes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe as sdk
from sqlalchemy import select

from billing.store.tables import Inbox
from bot.channels.twilio_signature import compute
from config.standins import STAND_IN_SECRETS
from tests.payments import world
from tests.web.conftest import Site
from tests.web.test_doors import payment_of

TOKEN, SHARED = STAND_IN_SECRETS["twilio_auth_token"], STAND_IN_SECRETS["twilio_signature_key"]
TEXT = {"MessageSid": "SM1", "From": "+12125550123", "To": "+12125550100", "Body": "why do I owe ¿esto?",
        "NumMedia": "0"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def call(site: Site, path: str, params: dict[str, str], *, secret: str = TOKEN, algorithm: str = "HMAC_SHA1",
               signature: str | None = None) -> tuple[int, str]:
    signed = compute(site.url + path, params.items(), secret, algorithm) if signature is None else signature
    headers = {**FORM, "X-Twilio-Signature": signed}
    if algorithm == "HMAC_SHA256":
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key=k1,algorithm={algorithm}"
    status, body, _ = await site.post(path, urlencode(params), headers=headers)
    return status, body


def inbox(site: Site) -> list[tuple[str, str, str, Any]]:
    rows = site.store.read(lambda s: s.scalars(select(Inbox).order_by(Inbox.id)).all())
    return [(row.source, row.external_id, row.kind, row.payload) for row in rows]


@pytest.mark.parametrize(("secret", "algorithm"), [(TOKEN, "HMAC_SHA1"), (SHARED, "HMAC_SHA256")])
async def test_a_signed_text_is_kept_once_and_answered_with_nothing_to_say(
        site: Site, secret: str, algorithm: str) -> None:
    for _ in range(3):
        assert await call(site, "/hooks/twilio/sms", TEXT, secret=secret, algorithm=algorithm) == (200, "<Response/>")
    (source, external_id, kind, payload), = inbox(site)
    assert (source, external_id, kind, payload["body"]) == ("sms", "SM1", "message", "why do I owe ¿esto?")


async def test_an_unsigned_or_altered_text_is_refused_and_not_kept(site: Site) -> None:
    good = compute(site.url + "/hooks/twilio/sms", TEXT.items(), TOKEN)
    assert (await call(site, "/hooks/twilio/sms", TEXT, signature=""))[0] == 403
    assert (await call(site, "/hooks/twilio/sms", {**TEXT, "Body": "PAY"}, signature=good))[0] == 403
    assert (await call(site, "/hooks/twilio/sms?x=1", TEXT, signature=good))[0] == 403
    assert (await site.post("/hooks/twilio/sms", urlencode(TEXT), headers=FORM))[0] == 403
    assert inbox(site) == []


async def test_a_text_to_a_number_of_no_practice_is_not_swallowed(site: Site) -> None:
    status, body = await call(site, "/hooks/twilio/sms", {**TEXT, "To": "+12125559999"})
    assert status == 404 and "2125559999" not in body
    assert (await call(site, "/hooks/twilio/sms", {"From": "+12125550123"}))[0] == 400


async def test_a_card_number_in_a_text_never_reaches_the_store(site: Site) -> None:
    await call(site, "/hooks/twilio/sms", {**TEXT, "Body": "my card is 4242 4242 4242 4242"})
    (_, _, _, payload), = inbox(site)
    assert "4242" not in payload["body"] and payload["card_number"] is True


async def test_each_status_of_a_message_is_one_report_with_our_id(site: Site) -> None:
    for status in ("sent", "delivered", "delivered"):
        params = {"MessageSid": "SM9", "MessageStatus": status, "From": "+12125550100", "To": "+12125550123"}
        assert (await call(site, "/hooks/twilio/status/out_1", params))[0] == 200
    assert [(external_id, p["status"], p["outbox_id"]) for _, external_id, _, p in inbox(site)] == [
        ("SM9:sent", "sent", "out_1"), ("SM9:delivered", "delivered", "out_1")]


async def test_a_report_for_another_message_needs_another_signature(site: Site) -> None:
    params = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": "+12125550100"}
    good = compute(site.url + "/hooks/twilio/status/out_1", params.items(), TOKEN)
    assert (await call(site, "/hooks/twilio/status/out_2", params, signature=good))[0] == 403


def stripe_event(site: Site, payment_id: str, kind: str = "checkout.session.completed") -> tuple[bytes, dict[str, str]]:
    from datetime import UTC, datetime

    session = {"id": "cs_1", "client_reference_id": payment_id, "payment_status": "paid", "status": "complete",
               "amount_total": world.OLD_MINOR, "currency": "usd", "payment_intent": "pi_1",
               "customer_details": {"name": "Anna Rivera", "email": "anna@example.org"}}
    body = json.dumps({"id": "evt_7", "object": "event", "type": kind, "created": int(site.clock().timestamp()),
                       "data": {"object": session}})
    stamp = int(datetime.now(UTC).timestamp())  # signatures are judged by the machine's time
    signed = sdk.WebhookSignature.generate_signature_header(body, STAND_IN_SECRETS["stripe_webhook_secret"], stamp)
    return body.encode(), {"Stripe-Signature": signed}


async def test_a_processors_event_is_kept_once_without_the_payers_name(site: Site) -> None:
    body, headers = stripe_event(site, payment_of(site))
    for _ in range(2):
        assert (await site.post("/hooks/stripe", body, headers=headers))[0] == 200
    (source, external_id, kind, payload), = inbox(site)
    assert (source, external_id, kind, payload["kind"]) == ("stripe", "evt_7", "processor", "paid")
    assert "Rivera" not in json.dumps(payload) and "anna" not in json.dumps(payload)


async def test_an_unsigned_event_is_refused_and_an_irrelevant_one_forgotten(site: Site) -> None:
    body, headers = stripe_event(site, "pay_1")
    assert (await site.post("/hooks/stripe", body))[0] == 403
    assert (await site.post("/hooks/stripe", body + b" ", headers=headers))[0] == 403
    other, signed = stripe_event(site, "pay_1", "customer.created")
    assert (await site.post("/hooks/stripe", other, headers=signed))[0] == 200
    assert inbox(site) == []


async def test_the_hooks_answer_to_nothing_but_post(site: Site) -> None:
    for path in ("/hooks/twilio/sms", "/hooks/twilio/status/x", "/hooks/stripe"):
        assert (await site.get(path))[0] == 405
