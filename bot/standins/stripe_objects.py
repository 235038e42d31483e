"""Stripe's objects as API 2026-10-28 returns them: every documented field, null where it does not apply."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import merge_metadata, new_id
from bot.standins.stripe_banks import charged_bank
from bot.standins.stripe_cards import Card, charged_card


def intent_object(now: int, params: Row) -> Row:
    """A PaymentIntent of create's own parameters (amount, currency, customer, metadata ...)."""
    identifier = new_id("pi")
    method = params.get("payment_method")
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
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
        "payment_method_types": params.get("allowed_payment_method_types") or ["card", "us_bank_account"],
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


def charge_object(now: int, intent: Row, method: Row, card: Card | None, mandate: str | None = None) -> Row:
    """A charge of the whole PaymentIntent: of a card as the card says, of a bank account pending."""
    code = card.code if card else None
    amount = intent["amount"]
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": new_id("ch" if card else "py"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if code is None else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": f"STANDIN* {suffix}" if suffix else "STANDIN",
        "captured": code is None,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": code,
        "failure_message": (card.message or None) if card else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(card),
        "paid": card is not None and code is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _charged_with(method, amount, mandate),
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
        "status": ("succeeded" if code is None else "failed") if card else "pending",
        "transfer": None,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _charged_with(method: Row, amount: int, mandate: str | None) -> Row:
    kind = method["type"]
    details = charged_card(method[kind], amount) if kind == "card" else charged_bank(method[kind], mandate)
    return {"type": kind, kind: details}


def _outcome(card: Card | None) -> Row:
    good = card is None or card.code is None
    blocked = card is not None and card.decline_code == "fraudulent"
    return {
        "advice_code": card.advice if card else None,
        "network_advice_code": None,
        "network_decline_code": None if good else "05",
        "network_status": "approved_by_network" if good else f"{'not_sent_to' if blocked else 'declined_by'}_network",
        "reason": card.decline_code if card else None,
        "risk_level": "highest" if blocked else "normal",
        "seller_message": "Payment complete." if good else "The bank did not return any further details.",
        "type": "authorized" if good else "blocked" if blocked else "issuer_declined",
    }


def refund_object(now: int, charge: Row, amount: int, params: Row) -> Row:
    """A refund as it is when it went through at once."""
    kind = charge["payment_method_details"]["type"]
    return {
        "id": new_id("re" if kind == "card" else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": _destination(kind),
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


def _destination(kind: str) -> Row:
    if kind == "card":
        return {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"}
    return {"type": "us_bank_transfer", "us_bank_transfer": {"reference": None, "reference_status": "pending"}}
