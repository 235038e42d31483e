"""What Stripe is told: documented parameters, opaque ids, amounts, neutral words, and nothing of a patient (T-53)."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe._request_options import RequestOptions
from typing_extensions import TypedDict, get_type_hints, is_typeddict

from billing.policy.payments import METADATA_KEYS
from bot.processors.base import ChargeRequest, CheckoutRequest, ProcessorError, RefundRequest, SetupRequest
from bot.processors.stripe import StripeProcessor
from bot.processors.stripe_params import charge_params, refund_params, session_params, setup_params
from tests.contracts.stripe_servers import KEY, Script, listing

CLOSED = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
PAY, REF, SET = "pay_0123456789abcdefghjk", "ref_0123456789abcdefghjk", "set_0123456789abcdefghjk"
AT = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)

PAGE = CheckoutRequest(
    payment_id=PAY, practice_id="prac_maple", amount_minor=12_345, currency="USD", language="es",
    description="Maple Clinic: payment", success_url="https://bills.example/l/t/done",
    cancel_url="https://bills.example/l/t", expires_at=AT, idempotency_key=f"{PAY}:1")
SETUP = SetupRequest(
    setup_id=SET, practice_id="prac_maple", currency="USD", language="en",
    success_url="https://bills.example/l/t/done", cancel_url="https://bills.example/l/t", expires_at=AT,
    idempotency_key=f"{SET}:1")
CHARGE = ChargeRequest(
    payment_id=PAY, practice_id="prac_maple", amount_minor=5_000, currency="USD", customer_ref="cus_1",
    method_ref="pm_1", method_kind="card", description="Maple Clinic: payment", practice_starts=True,
    return_url="https://bills.example/l/t", idempotency_key=f"{PAY}:1")
REFUND = RefundRequest(REF, PAY, "pi_1", 500, f"{REF}:1")

PAGES = [PAGE, replace(PAGE, bank_debits=True), replace(PAGE, saves_method=True),
         replace(PAGE, saves_method=True, customer_ref="cus_1", bank_debits=True), replace(PAGE, customer_ref="cus_1")]
SETUPS = [SETUP, replace(SETUP, bank_debits=True, customer_ref="cus_1")]
CHARGES = [CHARGE, replace(CHARGE, practice_starts=False), replace(CHARGE, method_kind="bank")]
REFUNDS = [REFUND, replace(REFUND, processor_ref="ch_1")]


def documented(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> TypeAdapter[Any]:
    """The SDK's typed parameters, every nested object closed to keys that are not in them."""
    found: ModuleType = importlib.import_module(module)
    for key, declared in vars(found).items():
        if key.startswith(name) and is_typeddict(declared):
            monkeypatch.setattr(declared, "__pydantic_config__", CLOSED, raising=False)
    # StripeContext is imported for type checkers only; the options that inherit it never go over the wire.
    hints = get_type_hints(getattr(found, name), localns={"StripeContext": str, "Mapping": Mapping},
                           include_extras=True)
    wire = {key: hint for key, hint in hints.items() if key not in RequestOptions.__annotations__}
    closed = TypedDict("closed", wire)  # type: ignore[misc]  # made of the SDK's own hints
    closed.__pydantic_config__ = CLOSED  # type: ignore[attr-defined]  # where pydantic looks
    return TypeAdapter(closed)


SESSION = ("stripe.params.checkout._session_create_params", "SessionCreateParams")
INTENT = ("stripe.params._payment_intent_create_params", "PaymentIntentCreateParams")
BACK = ("stripe.params._refund_create_params", "RefundCreateParams")
SENT: list[tuple[tuple[str, str], Any]] = [
    *((SESSION, session_params(one)) for one in PAGES), *((SESSION, setup_params(one)) for one in SETUPS),
    *((INTENT, charge_params(one)) for one in CHARGES), *((BACK, refund_params(one)) for one in REFUNDS)]


@pytest.mark.parametrize(("declared", "params"), SENT)
def test_every_parameter_is_one_that_the_sdk_documents(declared: tuple[str, str], params: Any,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    documented(monkeypatch, *declared).validate_python(params)


@pytest.mark.parametrize(("declared", "strange"), [
    (SESSION, {"payment_method_types": ["card"]}),  # gone from this version of the interface
    (SESSION, {"payment_intent_data": {"nonsense": "x"}}),
    (SESSION, {"line_items": [{"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 1, "product_data": {
        "name": "x", "patient": "y"}}}]}),
    (INTENT, {"amount": 1, "currency": "usd", "automatic_payment_methods": {"enabled": True, "x": 1}}),
    (BACK, {"patient": "x"}),
])
def test_that_check_sees_a_strange_parameter_however_deep(
        declared: tuple[str, str], strange: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        documented(monkeypatch, *declared).validate_python(strange)


def test_cards_and_bank_accounts_are_all_that_a_page_takes() -> None:
    for params in [*map(session_params, PAGES), *map(setup_params, SETUPS)]:
        assert set(params["allowed_payment_method_types"]) <= {"card", "us_bank_account"}
        banks = "us_bank_account" in params["allowed_payment_method_types"]
        assert banks == ("us_bank_account" in params.get("payment_method_options", {}))  # validated: T-49


def test_a_card_is_kept_only_where_the_patient_asked_and_always_for_somebody() -> None:
    for request in PAGES:
        params: Any = session_params(request)
        assert (params["payment_intent_data"].get("setup_future_usage") == "off_session") == request.saves_method
        if request.saves_method:
            assert params.get("customer") or params["customer_creation"] == "always"
            assert not ("customer" in params and "customer_creation" in params)  # Stripe refuses both


def test_off_session_means_that_nobody_is_there() -> None:
    for request in CHARGES:
        params = charge_params(request)
        assert params["off_session"] is request.practice_starts and params["confirm"] is True
        assert ("return_url" in params) is not request.practice_starts


# Everything that goes over the wire ---------------------------------------------------------------------------------

#: All that any value may be: a number, yes or no, an id, our page, the neutral words, Stripe's own constants.
TOLD = re.compile(
    r"\d{1,12}|true|false|(pay|ref|set)_[0-9a-z]{20}|(cus|pm|pi|ch|po|du|re)_\d+|https://bills\.example/l/t(/done)?"
    r"|Maple Clinic: payment|PAYMENT|usd|en|es|payment|setup|card|us_bank_account|payment_method|automatic|always|never"
    r"|off_session|data\.source")
PLANTED = ("Maria Planted", "1961-02-03", "+12125550123", "MRN-77", "chemotherapy")


async def everything(told: StripeProcessor) -> None:
    """Every call of the Protocol, each in every shape."""
    calls: list[Any] = [
        *map(told.open_checkout, PAGES), *map(told.open_setup, SETUPS), *map(told.charge, CHARGES),
        *map(told.refund, REFUNDS), told.fetch_checkout("cs_1"), told.expire_page("cs_1"), told.fetch_charge("pi_1"),
        told.fetch_charge("ch_1"), told.find_charges(PAY, AT), told.cancel_charge("pi_1", f"{PAY}:2"),
        told.find_refund(REF, "pi_1"), told.describe_method("pm_1"), told.remove_method("pm_1"),
        told.balance_minor("USD")]
    for call in calls:
        await call
    assert [row async for row in told.entries(AT, AT)] == [] and [row async for row in told.payouts(AT, AT)] == []


@pytest.fixture
async def heard(script: Script, told: StripeProcessor) -> Script:
    page = {"id": "cs_1", "url": "https://stripe.example/c", "expires_at": 1_794_000_000, "status": "expired"}
    intent = {"id": "pi_1", "status": "succeeded", "amount": 1, "currency": "usd", "created": 1}
    back = {"id": "re_1", "status": "succeeded", "amount": 1, "currency": "usd"}
    empty = dict.fromkeys([f"GET /v1/{name}" for name in (
        "payment_intents", "charges", "refunds", "payouts", "balance_transactions")], listing())
    script.answers |= empty | {
        "POST /v1/checkout/sessions": page, "GET /v1/checkout/sessions/cs_1": page,
        "POST /v1/checkout/sessions/cs_1/expire": page, "POST /v1/payment_intents": intent,
        "GET /v1/payment_intents/pi_1": intent, "POST /v1/payment_intents/pi_1/cancel": intent,
        "GET /v1/charges/ch_1": {"id": "ch_1", "payment_intent": "pi_1"}, "POST /v1/refunds": back,
        "GET /v1/payment_methods/pm_1": {"id": "pm_1"}, "POST /v1/payment_methods/pm_1/detach": {"id": "pm_1"},
        "GET /v1/balance": {}}
    await everything(told)
    return script


async def test_no_value_of_any_call_is_anything_but_ids_amounts_and_neutral_words(heard: Script) -> None:
    assert len(heard.heard) >= 24
    for one in heard.heard:
        strange = {name: value for name, value in one.params.items() if not TOLD.fullmatch(value)}
        assert strange == {}, one.path
        assert re.fullmatch(r"(/v1)?(/[a-z_]+|/(cs|pi|ch|pm)_1)+", one.path)


async def test_metadata_holds_our_ids_and_no_other_key(heard: Script) -> None:
    named = {name for one in heard.heard for name in one.params if "metadata" in name}
    assert {name.rpartition("metadata")[2].strip("[]") for name in named} <= METADATA_KEYS and named


async def test_headers_name_the_library_and_not_the_machine(heard: Script) -> None:
    for one in heard.heard:
        assert one.headers["Authorization"] == f"Bearer {KEY}"
        assert one.headers["Stripe-Version"].startswith("2026-10-28")
        assert "X-Stripe-Client-Telemetry" not in one.headers
        assert not {"platform", "uname", "telemetry_id"} & set(json.loads(one.headers["X-Stripe-Client-User-Agent"]))


async def test_every_post_that_moves_money_carries_the_key_that_was_written_down(heard: Script) -> None:
    keys = {one.path: one.headers.get("Idempotency-Key") for one in heard.heard if one.method == "POST"}
    assert keys["/v1/payment_intents"] == f"{PAY}:1" and keys["/v1/refunds"] == f"{REF}:1"
    assert keys["/v1/payment_intents/pi_1/cancel"] == f"{PAY}:2"


@pytest.mark.parametrize("planted", PLANTED)
async def test_planted_health_information_in_an_id_stops_the_call_before_it_leaves(
        planted: str, script: Script, told: StripeProcessor) -> None:
    for call in (told.open_checkout(replace(PAGE, payment_id=planted)),
                 told.open_setup(replace(SETUP, setup_id=planted)),
                 told.charge(replace(CHARGE, payment_id=planted)), told.refund(replace(REFUND, refund_id=planted)),
                 told.refund(replace(REFUND, payment_id=planted))):
        with pytest.raises(ProcessorError) as caught:
            await call
        assert caught.value.kind == "configuration" and planted not in str(caught.value)
    assert script.heard == []


async def test_the_practices_own_id_is_not_told_at_all(heard: Script) -> None:
    assert "prac_maple" not in json.dumps([(one.path, one.params) for one in heard.heard])
