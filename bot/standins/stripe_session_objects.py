"""Customers and Checkout Sessions as API 2026-10-28 returns them: every documented field, null where it is empty."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import merge_metadata, new_id


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


def session_object(now: int, params: Row, total: int | None, currency: str | None, base: str) -> Row:
    """An open Checkout Session of create's own parameters; `total` in minor units, None for a setup."""
    setup = params["mode"] == "setup"
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
        "mode": params["mode"],
        "origin_context": params.get("origin_context"),
        "payment_method_collection": "always" if setup else "if_required",
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": params.get("allowed_payment_method_types") or ["card"],
        "payment_status": "no_payment_required" if setup else "unpaid",
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
