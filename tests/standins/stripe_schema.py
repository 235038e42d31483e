"""Derive the parameters that Stripe documents from the SDK's TypedDicts.

`python -m tests.standins.stripe_schema` rewrites bot/standins/stripe_params.json; a test compares the two, so an
SDK upgrade that adds or drops a parameter is noticed. The stand-in itself must not import the SDK.

Notation: a key ending in "!" is required; "s" string, "i" integer, "b" boolean, "n" number, "a|b" one of these;
[X] a list of X; {"*": X} any keys; {...} an object.
"""

from __future__ import annotations

import datetime
import json
import re
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typing_extensions
from stripe import params
from stripe._request_options import RequestOptions
from stripe.params import checkout

TARGET = Path(__file__).parents[2] / "bot" / "standins" / "stripe_params.json"

ENDPOINTS: dict[str, Any] = {
    "POST /v1/customers": params.CustomerCreateParams,
    "GET /v1/customers": params.CustomerListParams,
    "GET /v1/customers/{id}": params.CustomerRetrieveParams,
    "POST /v1/customers/{id}": params.CustomerUpdateParams,
    "POST /v1/checkout/sessions": checkout.SessionCreateParams,
    "GET /v1/checkout/sessions": checkout.SessionListParams,
    "GET /v1/checkout/sessions/{id}": checkout.SessionRetrieveParams,
    "POST /v1/checkout/sessions/{id}": checkout.SessionUpdateParams,
    "POST /v1/checkout/sessions/{id}/expire": checkout.SessionExpireParams,
    "GET /v1/checkout/sessions/{id}/line_items": checkout.SessionLineItemListParams,
    "POST /v1/payment_intents": params.PaymentIntentCreateParams,
    "GET /v1/payment_intents": params.PaymentIntentListParams,
    "GET /v1/payment_intents/search": params.PaymentIntentSearchParams,
    "GET /v1/payment_intents/{id}": params.PaymentIntentRetrieveParams,
    "POST /v1/payment_intents/{id}/confirm": params.PaymentIntentConfirmParams,
    "POST /v1/payment_intents/{id}/cancel": params.PaymentIntentCancelParams,
    "POST /v1/refunds": params.RefundCreateParams,
    "GET /v1/refunds": params.RefundListParams,
    "GET /v1/refunds/{id}": params.RefundRetrieveParams,
    "GET /v1/charges": params.ChargeListParams,
    "GET /v1/charges/{id}": params.ChargeRetrieveParams,
    "POST /v1/payment_intents/{id}": params.PaymentIntentUpdateParams,
    "GET /v1/customers/{id}/payment_methods": params.CustomerListPaymentMethodsParams,
    "GET /v1/customers/{id}/payment_methods/{second}": params.CustomerRetrievePaymentMethodParams,
    "POST /v1/payment_methods": params.PaymentMethodCreateParams,
    "GET /v1/payment_methods": params.PaymentMethodListParams,
    "GET /v1/payment_methods/{id}": params.PaymentMethodRetrieveParams,
    "POST /v1/payment_methods/{id}": params.PaymentMethodUpdateParams,
    "POST /v1/payment_methods/{id}/attach": params.PaymentMethodAttachParams,
    "POST /v1/payment_methods/{id}/detach": params.PaymentMethodDetachParams,
    "GET /v1/mandates/{id}": params.MandateRetrieveParams,
    "POST /v1/setup_intents": params.SetupIntentCreateParams,
    "GET /v1/setup_intents": params.SetupIntentListParams,
    "GET /v1/setup_intents/{id}": params.SetupIntentRetrieveParams,
    "POST /v1/setup_intents/{id}/confirm": params.SetupIntentConfirmParams,
    "POST /v1/setup_intents/{id}/cancel": params.SetupIntentCancelParams,
    "POST /v1/refunds/{id}": params.RefundUpdateParams,
    "GET /v1/disputes": params.DisputeListParams,
    "GET /v1/disputes/{id}": params.DisputeRetrieveParams,
    "POST /v1/disputes/{id}": params.DisputeUpdateParams,
    "POST /v1/disputes/{id}/close": params.DisputeCloseParams,
    "GET /v1/balance": params.BalanceRetrieveParams,
    "GET /v1/payouts": params.PayoutListParams,
    "GET /v1/payouts/{id}": params.PayoutRetrieveParams,
    "GET /v1/events": params.EventListParams,
    "GET /v1/events/{id}": params.EventRetrieveParams,
    "GET /v1/balance_transactions": params.BalanceTransactionListParams,
    "GET /v1/balance_transactions/{id}": params.BalanceTransactionRetrieveParams,
}

FOR_TYPE_CHECKERS = {"StripeContext": str, "Mapping": Mapping}
NOT_ON_THE_WIRE = set(RequestOptions.__annotations__)
SCALARS = {int: "i", str: "s", bool: "b", float: "n", Decimal: "n", datetime.datetime: "i"}
WRAPPERS = (typing.Required, typing.NotRequired, typing_extensions.Required, typing_extensions.NotRequired)


def object_schema(declared: Any) -> dict[str, Any]:
    """Every documented key of a TypedDict, in the notation above."""
    # The SDK imports these for type checkers only; what they annotate never goes over the wire.
    hints = typing_extensions.get_type_hints(declared, localns=FOR_TYPE_CHECKERS, include_extras=True)
    schema = {}
    for name, hint in sorted(hints.items()):
        if name in NOT_ON_THE_WIRE:
            continue
        required = name in declared.__required_keys__
        # The generator of the SDK renames Python's reserved words with a trailing underscore.
        schema[name.rstrip("_") + ("!" if required else "")] = type_schema(hint)
    return schema


def type_schema(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin in WRAPPERS:
        return type_schema(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return union_schema(list(get_args(hint)))
    if origin in (Literal, typing_extensions.Literal):
        return "|".join(str(value) for value in get_args(hint))
    if origin is list:
        return [type_schema(get_args(hint)[0])]
    if origin is dict:
        return {"*": type_schema(get_args(hint)[1])}
    if hint in SCALARS:
        return SCALARS[hint]
    if typing_extensions.is_typeddict(hint):
        return object_schema(hint)
    raise TypeError(f"no notation for {hint!r}")


def union_schema(members: list[Any]) -> Any:
    """Objects win over scalars, an enumeration over the plain string that the SDK adds beside it."""
    kept = [m for m in members if m is not type(None) and getattr(m, "__name__", "") != "UntypedStripeObject"]
    kept = [m for m in kept if get_origin(m) is None or getattr(get_origin(m), "__name__", "") != "UntypedStripeObject"]
    found = [type_schema(member) for member in kept]
    found = [schema for schema in found if schema != ""]
    structured = [schema for schema in found if not isinstance(schema, str)]
    enumerated = [schema for schema in found if isinstance(schema, str) and len(schema) > 1]
    if enumerated and "b" in found:
        return f"{enumerated[0]}|true|false"
    return (structured or enumerated or found)[0]


def derive() -> dict[str, Any]:
    return {endpoint: object_schema(declared) for endpoint, declared in ENDPOINTS.items()}


def render(schema: dict[str, Any]) -> str:
    """One endpoint a line, so that a change is readable in a diff."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in schema.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(render(derive()))
    print(TARGET.name, TARGET.stat().st_size, len(re.findall("\n", TARGET.read_text())))
