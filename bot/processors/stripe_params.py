"""Everything that Stripe is told, derived from our requests alone: a repeat must send the same.

What leaves for Stripe is an amount, the practice's name and our opaque ids (T-53): Stripe signs no business associate
agreement, so it learns nothing of the patient, the visit or the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from billing.policy.payments import allowed_metadata
from bot.processors.base import ChargeRequest, CheckoutRequest, RefundRequest, SetupRequest

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams
    from stripe.params.checkout import SessionCreateParams
    from stripe.params.checkout._session_create_params import SessionCreateParamsPaymentMethodOptions as MethodOptions

DESCRIPTOR_SUFFIX = "PAYMENT"

#: Parameters of a charge without which it is the same charge: left out for a server that does not know them.
COSMETIC = frozenset({"description", "statement_descriptor_suffix", "automatic_payment_methods", "return_url",
                      "allowed_payment_method_types"})


def session_params(request: CheckoutRequest) -> SessionCreateParams:
    """A hosted page on which one payment is made. Raises MetadataRefused for an id that is none of ours."""
    ids = allowed_metadata({"payment_id": request.payment_id})
    params: SessionCreateParams = {
        "mode": "payment",
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
        **_of_any_page(request),
    }
    if request.saves_method:
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
    if request.customer_ref:
        params["customer"] = request.customer_ref
    elif request.saves_method:
        params["customer_creation"] = "always"
    return params


def setup_params(request: SetupRequest) -> SessionCreateParams:
    """A hosted page on which a card is given and nothing is paid. Raises MetadataRefused."""
    ids = allowed_metadata({"setup_id": request.setup_id})
    params: SessionCreateParams = {
        "mode": "setup",
        "currency": request.currency.lower(),
        "client_reference_id": request.setup_id,
        "metadata": dict(ids),
        "setup_intent_data": {"metadata": dict(ids)},
        **_of_any_page(request),
    }
    if request.customer_ref:
        params["customer"] = request.customer_ref
    else:
        params["customer_creation"] = "always"  # whose card would it be else, when it is charged later?
    return params


def _of_any_page(request: CheckoutRequest | SetupRequest) -> SessionCreateParams:
    params: SessionCreateParams = {
        "allowed_payment_method_types": _types(request.bank_debits),
        "locale": "es" if request.language == "es" else "en",
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.bank_debits:
        params["payment_method_options"] = _bank_options()
    return params


def charge_params(request: ChargeRequest) -> PaymentIntentCreateParams:
    """A charge of a card on file, confirmed in the same call. Raises MetadataRefused.

    With nobody there (off-session) Stripe declines what would need the patient, with authentication_required; with the
    patient there it answers with a page of their bank, which sends them back to ``return_url``.
    """
    params: PaymentIntentCreateParams = {
        "amount": request.amount_minor,
        "currency": request.currency.lower(),
        "customer": request.customer_ref,
        "payment_method": request.method_ref,
        "confirm": True,
        "off_session": request.practice_starts,
        "metadata": allowed_metadata({"payment_id": request.payment_id}),
        "description": request.description,
        "allowed_payment_method_types": ["us_bank_account" if request.method_kind == "bank" else "card"],
    }
    if request.method_kind == "card":
        params["statement_descriptor_suffix"] = DESCRIPTOR_SUFFIX
    if request.practice_starts:
        # Stripe confirms nothing that might redirect without a page to come back to, and here nobody would.
        params["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
    else:
        params["return_url"] = request.return_url
    return params


def refund_params(request: RefundRequest) -> RefundCreateParams:
    """Money back on a payment (pi_...) or, where only that is known, on a charge. Raises MetadataRefused."""
    ids = allowed_metadata({"payment_id": request.payment_id, "refund_id": request.refund_id})
    if is_charge(request.processor_ref):
        return {"charge": request.processor_ref, "amount": request.amount_minor, "metadata": ids}
    return {"payment_intent": request.processor_ref, "amount": request.amount_minor, "metadata": ids}


def is_charge(processor_ref: str) -> bool:
    """Whether this is the id of a charge; we keep the payment intent's wherever Stripe tells it."""
    return processor_ref.startswith(("ch_", "py_"))


def _types(bank_debits: bool) -> list[Literal["card", "us_bank_account"] | str]:
    """Cards and bank accounts alone: instalment lenders would make the practice a seller of medical credit (T-54)."""
    return ["card", "us_bank_account"] if bank_debits else ["card"]


def _bank_options() -> MethodOptions:
    """Stripe validates the account, at once by the bank's own log-in or by two small deposits (T-49: Nacha's rule
    for the first use of an account on the web).
    """
    return {"us_bank_account": {"financial_connections": {"permissions": ["payment_method"]},
                                "verification_method": "automatic"}}
