"""Which function answers which of Stripe's endpoints."""

from __future__ import annotations

from collections.abc import Callable

from bot.standins import stripe_books as books
from bot.standins import stripe_checkout as checkout
from bot.standins import stripe_customers as customers
from bot.standins import stripe_disputes as disputes
from bot.standins import stripe_events as events
from bot.standins import stripe_intents as intents
from bot.standins import stripe_methods as methods
from bot.standins import stripe_payouts as payouts
from bot.standins import stripe_refunds as refunds
from bot.standins import stripe_setups as setups
from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked
from bot.standins.stripe_search import search_intents

Act = Callable[[Account, Asked], Row]

ENDPOINTS: dict[str, Act] = {
    "POST /v1/customers": customers.create_customer,
    "GET /v1/customers": customers.list_customers,
    "GET /v1/customers/{id}": customers.fetch_customer,
    "POST /v1/customers/{id}": customers.update_customer,
    "GET /v1/customers/{id}/payment_methods": methods.list_customer_methods,
    "GET /v1/customers/{id}/payment_methods/{second}": methods.fetch_customer_method,
    "POST /v1/payment_methods": methods.create_method,
    "GET /v1/payment_methods": methods.list_methods,
    "GET /v1/payment_methods/{id}": methods.fetch_method,
    "POST /v1/payment_methods/{id}": methods.update_method,
    "POST /v1/payment_methods/{id}/attach": methods.attach_method,
    "POST /v1/payment_methods/{id}/detach": methods.detach_method,
    "GET /v1/mandates/{id}": methods.fetch_mandate,
    "POST /v1/setup_intents": setups.create_setup,
    "GET /v1/setup_intents": setups.list_setups,
    "GET /v1/setup_intents/{id}": setups.fetch_setup,
    "POST /v1/setup_intents/{id}/confirm": setups.confirm_setup,
    "POST /v1/setup_intents/{id}/cancel": setups.cancel_setup,
    "POST /v1/checkout/sessions": checkout.create_session,
    "GET /v1/checkout/sessions": checkout.list_sessions,
    "GET /v1/checkout/sessions/{id}": checkout.fetch_session,
    "POST /v1/checkout/sessions/{id}": checkout.update_session,
    "POST /v1/checkout/sessions/{id}/expire": checkout.expire_session,
    "GET /v1/checkout/sessions/{id}/line_items": checkout.list_line_items,
    "POST /v1/payment_intents": intents.create_intent,
    "GET /v1/payment_intents": intents.list_intents,
    "GET /v1/payment_intents/search": search_intents,
    "GET /v1/payment_intents/{id}": intents.fetch_intent,
    "POST /v1/payment_intents/{id}": intents.update_intent,
    "POST /v1/payment_intents/{id}/confirm": intents.confirm_intent,
    "POST /v1/payment_intents/{id}/cancel": intents.cancel_intent,
    "POST /v1/refunds": refunds.create_refund,
    "GET /v1/refunds": refunds.list_refunds,
    "GET /v1/refunds/{id}": refunds.fetch_refund,
    "POST /v1/refunds/{id}": refunds.update_refund,
    "GET /v1/disputes": disputes.list_disputes,
    "GET /v1/disputes/{id}": disputes.fetch_dispute,
    "POST /v1/disputes/{id}": disputes.update_dispute,
    "POST /v1/disputes/{id}/close": disputes.close_dispute,
    "GET /v1/charges": customers.list_charges,
    "GET /v1/charges/{id}": customers.fetch_charge,
    "GET /v1/events": events.list_events,
    "GET /v1/events/{id}": events.fetch_event,
    "GET /v1/balance": books.fetch_balance,
    "GET /v1/balance_transactions": books.list_entries,
    "GET /v1/balance_transactions/{id}": books.fetch_entry,
    "GET /v1/payouts": payouts.list_payouts,
    "GET /v1/payouts/{id}": payouts.fetch_payout,
}
