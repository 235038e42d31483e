"""Every way in which a call to Stripe goes wrong has its row in FAULTS, and the adapter keeps to that row."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest

from bot.processors.base import ChargeRequest, PaymentEvent, ProcessorError, RefundRequest
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.processors.stripe_errors import BY_NAME, FAULTS, Fault
from tests.contracts.stripe_servers import KEY, SECRET, Script, refusal

CHARGE = ChargeRequest(
    payment_id="pay_0123456789abcdefghjk", practice_id="prac_maple", amount_minor=5_000, currency="USD",
    customer_ref="cus_1", method_ref="pm_1", method_kind="card", description="Maple Clinic: payment",
    practice_starts=True, return_url="https://bills.example/l/t", idempotency_key="pay_0123456789abcdefghjk:1")
REFUND = RefundRequest("ref_0123456789abcdefghjk", "pay_0123456789abcdefghjk", "pi_1", 5_000, "ref_1:1")


def intent(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status, "amount": 5_000, "currency": "usd",
            "created": 1_793_000_000, "metadata": {"payment_id": CHARGE.payment_id}, **more}


def decline(code: str, decline_code: str | None) -> tuple[int, Any]:
    more = {"decline_code": decline_code} if decline_code else {}
    return refusal(402, code, "card_error", payment_intent=intent("requires_payment_method"), charge="ch_1", **more)


#: What the server does -> the row of FAULTS that it is.
WIRE: dict[str, tuple[Any, str]] = {
    "no answer": ("hang", "timed_out"),
    "a dropped connection": ("drop", "dropped"),
    "a page of HTML": ((200, "<html>"), "unreadable"),
    "half an answer": ((200, '{"id": "pi_1", "amou'), "unreadable"),
    "a proxy's time-out": ((408, "<html>"), "unreadable"),
    "500": (refusal(500, kind="api_error"), "server_error"),
    "500 of a proxy": ((502, "<html>"), "server_error"),
    "503": (refusal(503, kind="api_error"), "server_error"),
    "409 key in use": (refusal(409, "idempotency_key_in_use", "idempotency_error"), "conflict"),
    "409 lock": (refusal(409, "lock_timeout"), "conflict"),
    "400 key with other content": (refusal(400, kind="idempotency_error"), "key_reused"),
    "429": (refusal(429, "rate_limit"), "rate_limited"),
    "400 rate limit of old": (refusal(400, "rate_limit"), "rate_limited"),
    "402 declined": (decline("card_declined", "insufficient_funds"), "declined"),
    "402 with a code alone": (decline("expired_card", None), "declined"),
    "402 the patient is needed": (decline("authentication_required", "authentication_required"),
                                  "authentication_required"),
    "402 the patient is needed, by decline code": (decline("card_declined", "authentication_required"),
                                                   "authentication_required"),
    "200 the patient is needed": (intent("requires_action", next_action={
        "type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/3ds"}}), "needs_patient"),
    "200 a bank works on it": (intent("processing"), "bank_works_on_it"),
    "400": (refusal(400, "amount_too_small", param="amount"), "bad_request"),
    "400 and no more": (refusal(400), "bad_request"),
    "404": (refusal(404, "resource_missing", param="payment_method"), "bad_request"),
    "401": (refusal(401), "bad_key"),
    "403": (refusal(403), "bad_key"),
}


@pytest.fixture
async def hurried(script: Script) -> Any:
    processor = StripeProcessor(StripeAccount(KEY, SECRET, script.url),
                                timeout=aiohttp.ClientTimeout(total=0.5, connect=0.4))
    yield processor
    await processor.close()


def keeps_to(row: Fault, met: PaymentEvent | ProcessorError) -> None:
    if isinstance(met, PaymentEvent):
        assert (row.verdict, row.event) == ("answer", met.kind)
        assert (met.payment_id, met.amount_minor, met.currency) == (CHARGE.payment_id, 5_000, "USD")
        assert met.processor_ref == "pi_1"
    else:
        assert row.verdict == met.kind
        assert "Planted" not in str(met) and re.fullmatch(r"\w+", met.code)


async def met_by(act: Any) -> PaymentEvent | ProcessorError:
    try:
        found: PaymentEvent = await act
    except ProcessorError as error:
        return error
    return found


@pytest.mark.parametrize("wire", WIRE)
async def test_a_charge_ends_as_its_row_of_the_table_says(wire: str, script: Script, hurried: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"], name = WIRE[wire]
    keeps_to(BY_NAME[name], await met_by(hurried.charge(CHARGE)))


async def test_a_charge_that_could_not_be_sent_may_be_made_again(unused_tcp_port: int) -> None:
    processor = StripeProcessor(StripeAccount(KEY, SECRET, f"http://127.0.0.1:{unused_tcp_port}"))
    keeps_to(BY_NAME["not_connected"], await met_by(processor.charge(CHARGE)))
    await processor.close()


async def test_an_id_that_says_something_never_leaves(script: Script, hurried: StripeProcessor) -> None:
    foreign = ChargeRequest(**{name: getattr(CHARGE, name) for name in CHARGE.__slots__}
                            | {"payment_id": "Maria Planted 1961-02-03"})
    keeps_to(BY_NAME["not_opaque"], await met_by(hurried.charge(foreign)))
    assert script.heard == []


def test_every_row_of_the_table_is_seen_here() -> None:
    assert {name for _, name in WIRE.values()} | {"not_connected", "not_opaque"} == set(BY_NAME)
    assert len(BY_NAME) == len(FAULTS)


def test_what_perhaps_took_effect_is_never_called_undone_and_the_reverse() -> None:
    """The one mistake that charges twice, and the one that loses a payment."""
    for row in FAULTS:
        assert (row.took_effect == "perhaps") == (row.verdict == "unknown"), row.name
        assert (row.verdict == "answer") == bool(row.event), row.name


@pytest.mark.parametrize("wire", ["no answer", "500", "409 lock"])
async def test_money_is_asked_for_once_per_call(wire: str, script: Script, hurried: StripeProcessor) -> None:
    """The SDK's silent repeat that met a closed door would call a charge unmade that the first try had made."""
    for path in ("/v1/payment_intents", "/v1/refunds"):
        script.answers[f"POST {path}"] = WIRE[wire][0]
    await met_by(hurried.charge(CHARGE))
    await met_by(hurried.refund(REFUND))
    assert script.paths() == ["POST /v1/payment_intents", "POST /v1/refunds"]


@pytest.mark.parametrize(("code", "decline_code", "reason"), [
    ("card_declined", "lost_card", "lost_card"), ("card_declined", "insufficient_funds", "insufficient_funds"),
    ("expired_card", None, "expired_card"), ("card_declined", None, "card_declined"),
    ("card_declined", "a_code_of_tomorrow", "a_code_of_tomorrow"),
])
async def test_a_decline_keeps_its_code(code: str, decline_code: str | None, reason: str, script: Script,
                                        told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = decline(code, decline_code)
    assert (await told.charge(CHARGE)).reason == reason


@pytest.mark.parametrize(("said", "reason"), [
    ({"decline_code": "generic_decline", "advice_code": "do_not_try_again"}, "do_not_try_again"),
    ({"decline_code": "lost_card", "advice_code": "do_not_try_again"}, "lost_card"),
    ({"decline_code": "generic_decline", "advice_code": "try_again_later"}, "generic_decline"),
    ({"network_decline_code": "R29"}, "R29"),
    ({"decline_code": "insufficient_funds", "network_decline_code": "51"}, "insufficient_funds"),
    ({"decline_code": "insufficient_funds", "network_decline_code": "R01"}, "insufficient_funds"),
])
async def test_the_networks_word_that_a_card_must_not_be_tried_again_is_not_lost(
        said: dict[str, str], reason: str, script: Script, told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = refusal(402, "card_declined", "card_error",
                                                         payment_intent=intent("requires_payment_method"), **said)
    assert (await told.charge(CHARGE)).reason == reason


async def test_a_decline_that_names_only_its_charge_is_followed_to_the_payment(script: Script,
                                                                              told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = refusal(402, "card_declined", "card_error", charge="ch_1")
    script.answers["GET /v1/charges/ch_1"] = {"id": "ch_1", "payment_intent": "pi_1"}
    assert (await told.charge(CHARGE)).processor_ref == "pi_1"
    del script.answers["GET /v1/charges/ch_1"]
    event = await told.charge(CHARGE)
    assert (event.kind, event.processor_ref) == ("failed", "ch_1")


BARE = {"amount", "currency", "customer", "payment_method", "confirm", "off_session", "metadata[payment_id]"}


async def test_a_trifle_that_a_server_does_not_know_is_left_out_and_the_key_stays(
        script: Script, told: StripeProcessor) -> None:
    unknown = refusal(400, "parameter_unknown", param="statement_descriptor_suffix")
    script.answers["POST /v1/payment_intents"] = [unknown, intent("succeeded")]
    assert (await told.charge(CHARGE)).kind == "paid"
    first, second = script.heard
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == CHARGE.idempotency_key
    assert set(first.params) - set(second.params) == {"statement_descriptor_suffix"}


async def test_a_server_that_only_says_no_is_told_what_it_must_know_and_no_more(
        script: Script, told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = [refusal(400), intent("succeeded")]
    assert (await told.charge(CHARGE)).kind == "paid"
    assert set(script.heard[1].params) == BARE and set(script.heard[0].params) > BARE


@pytest.mark.parametrize("answer", [
    refusal(400, "parameter_unknown", param="customer"), refusal(400, "amount_too_large"),
    refusal(400, payment_intent={"id": "pi_1"}),
])
async def test_what_is_no_trifle_is_refused_at_once(answer: Any, script: Script, told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = answer
    met = await met_by(told.charge(CHARGE))
    assert isinstance(met, ProcessorError) and met.kind == "refused" and len(script.heard) == 1


async def test_a_refusal_that_stripe_keeps_under_the_key_stays_a_refusal(script: Script,
                                                                        told: StripeProcessor) -> None:
    script.answers["POST /v1/payment_intents"] = [refusal(400), refusal(400, kind="idempotency_error")]
    met = await met_by(told.charge(CHARGE))
    assert isinstance(met, ProcessorError) and met.kind == "refused"
