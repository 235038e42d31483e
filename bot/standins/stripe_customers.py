"""Customers and charges as they are looked up."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing
from bot.standins.stripe_session_objects import customer_object


def create_customer(account: Account, asked: Asked) -> Row:
    customer = account.put(customer_object(account.now(), asked.params))
    emit(account, "customer.created", customer, asked)
    return customer


def update_customer(account: Account, asked: Asked) -> Row:
    """Only the fields that a customer of the stand-in has; metadata is merged, an empty value removes."""
    old = account.find(asked.id, "cus")
    fields = {name: value for name, value in asked.params.items() if name in old and name not in ("id", "metadata")}
    if "metadata" in asked.params:
        fields["metadata"] = merge_metadata(old["metadata"], asked.params["metadata"])
    if set(asked.params) - set(fields):
        unspoken = sorted(set(asked.params) - set(fields))[0]
        raise StripeError(400, f"This stand-in does not speak {unspoken} on an update", param=unspoken)
    customer = account.change(old, **fields)
    emit(account, "customer.updated", customer, asked, {name: old[name] for name in fields})
    return customer


def fetch_customer(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "cus")


def list_customers(account: Account, asked: Asked) -> Row:
    return listing(account, "customers", asked, "email")


def fetch_charge(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "ch")


def list_charges(account: Account, asked: Asked) -> Row:
    return listing(account, "charges", asked, "customer", "payment_intent")
