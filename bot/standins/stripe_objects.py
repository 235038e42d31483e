"""Stripe's objects as API 2026-10-28 returns them: every documented field, null where it does not apply."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import merge_metadata, new_id
from bot.standins.stripe_cards import Card, card_details

NO_BILLING: Row = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def intent_object(now: int, params: Row) -> Row:
    """A PaymentIntent of create's own parameters (amount, currency, customer, metadata ...)."""
    identifier = new_id("pi")
    method = params.get("payment_method")
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": params.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method") or "automatic_async",
        "client_secret": f"{identifier}_secret_standin",
        "confirmation_method": params.get("confirmation_method") or "automatic",
        "created": now,
        "currency": params["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merge_metadata({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types") or ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": params.get("shipping"),
        "source": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": params.get("transfer_group"),
    }


def charge_object(now: int, intent: Row, card: Card, billing: Row | None) -> Row:
    """A charge of the whole PaymentIntent, succeeded or failed as the card says."""
    good = card.code is None
    amount = intent["amount"]
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if good else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None,
        "billing_details": {**NO_BILLING, **(billing or {})},
        "calculated_statement_descriptor": f"STANDIN* {suffix}" if suffix else "STANDIN",
        "captured": good,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": card.code,
        "failure_message": card.message or None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(card),
        "paid": good,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"type": "card", "card": card_details(card, 12, 2034)},
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": suffix,
        "status": "succeeded" if good else "failed",
        "transfer": None,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _outcome(card: Card) -> Row:
    good = card.code is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if good else "05",
        "network_status": "approved_by_network" if good else "declined_by_network",
        "reason": card.decline_code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if good else "The bank did not return any further details.",
        "type": "authorized" if good else "issuer_declined",
    }


def fee_minor(amount_minor: int) -> int:
    """2.9 % and 30 cents, rounded half up, in whole cents."""
    return (amount_minor * 29 + 500) // 1000 + 30


def balance_transaction(now: int, kind: str, source: str, amount: int, currency: str) -> Row:
    """`kind` charge or refund; a refund's amount is negative and its fee is not given back."""
    fee = fee_minor(amount) if kind == "charge" else 0
    detail = {"amount": fee, "application": None, "currency": currency, "description": "Fees", "type": "stripe_fee"}
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + 2 * 86_400,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def refund_object(now: int, charge: Row, amount: int, params: Row) -> Row:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": None,
        "metadata": merge_metadata({}, params.get("metadata")),
        "next_action": None,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "presentment_details": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def customer_object(now: int, params: Row) -> Row:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "address": params.get("address"),
        "balance": params.get("balance") or 0,
        "business_name": params.get("business_name"),
        "created": now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "individual_name": params.get("individual_name"),
        "invoice_prefix": "STANDIN",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merge_metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": params.get("shipping"),
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": None,
    }


def session_object(now: int, params: Row, total: int, currency: str, base: str) -> Row:
    """An open Checkout Session of create's own parameters; `total` in minor units."""
    identifier = new_id("cs")
    customer, words = params.get("customer"), params.get("custom_text") or {}
    return {
        **_NO_SUCH_PART,
        "id": identifier,
        "object": "checkout.session",
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": now,
        "currency": currency,
        "custom_text": {name: words.get(name) for name in _CUSTOM_TEXTS},
        "customer": customer,
        "customer_creation": None if customer else params.get("customer_creation") or "if_required",
        "customer_email": params.get("customer_email"),
        "expires_at": params.get("expires_at") or now + 24 * 3600,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": merge_metadata({}, params.get("metadata")),
        "mode": "payment",
        "origin_context": params.get("origin_context"),
        "payment_method_collection": "if_required",
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": params.get("allowed_payment_method_types") or ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "submit_type": params.get("submit_type"),
        "success_url": params.get("success_url"),
        "ui_mode": "hosted_page",
        "url": f"{base}/c/pay/{identifier}",
    }


_CUSTOM_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
# What a session has by name but a card payment on the hosted page never fills.
_NO_SUCH_PART: Row = {
    "adaptive_pricing": {"enabled": False},
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "custom_fields": [],
    "discounts": [],
    "invoice_creation": {"enabled": False, "invoice_data": {}},
    "phone_number_collection": {"enabled": False},
    "shipping_options": [],
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    **dict.fromkeys(
        [
            *("after_expiration", "branding_settings", "client_secret", "collected_information", "consent"),
            *("consent_collection", "currency_conversion", "customer_account", "customer_details"),
            *("excluded_payment_method_types", "integration_identifier", "invoice", "managed_payments"),
            *("name_collection", "optional_items", "payment_intent", "payment_link"),
            *("payment_method_configuration_details", "permissions", "presentment_details", "recovered_from"),
            *("redirect_on_completion", "return_url", "saved_payment_method_options", "setup_intent"),
            *("shipping_address_collection", "shipping_cost", "subscription", "tax_id_collection", "wallet_options"),
        ]
    ),
}


def line_item(given: Row, currency: str, amount: int) -> Row:
    """A line of a session: `amount` is the price of one, in minor units."""
    total = amount * given["quantity"]
    product = given["price_data"].get("product_data") or {}
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": product.get("name"),
        "metadata": merge_metadata({}, given.get("metadata")),
        "price": {
            "id": new_id("price"),
            "object": "price",
            "active": False,
            "currency": currency,
            "livemode": False,
            "metadata": {},
            "nickname": None,
            "product": given["price_data"].get("product") or new_id("prod"),
            "recurring": None,
            "type": "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        },
        "quantity": given["quantity"],
    }
