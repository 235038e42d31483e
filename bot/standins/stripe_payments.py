"""Customers, charges, refunds and balance transactions."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata, page
from bot.standins.stripe_events import emit
from bot.standins.stripe_objects import balance_transaction, customer_object, refund_object


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
    email = asked.params.get("email")
    rows = account.journal.table("customers").values()
    return page([row for row in rows if email in (None, row["email"])], asked)


def fetch_charge(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "ch")


def list_charges(account: Account, asked: Asked) -> Row:
    return page(_where(account, "charges", asked, "customer", "payment_intent"), asked)


def fetch_balance_transaction(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "txn")


def list_balance_transactions(account: Account, asked: Asked) -> Row:
    return page(_where(account, "balance_transactions", asked, "currency", "source", "type"), asked)


def _where(account: Account, table: str, asked: Asked, *fields: str) -> list[Row]:
    wanted = {name: asked.params[name] for name in fields if asked.params.get(name) is not None}
    rows = account.journal.table(table).values()
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def create_refund(account: Account, asked: Asked) -> Row:
    """Of a charge or of a PaymentIntent's charge, whole or in part; never more than is left."""
    charge = _refundable(account, asked.params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = asked.params.get("amount")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(400, message, code="charge_already_refunded")
    if amount is None:
        amount = left
    if amount < 1:
        raise StripeError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise StripeError(400, message, param="amount")
    refund = refund_object(account.now(), charge, amount, asked.params)
    entry = account.put(balance_transaction(account.now(), "refund", refund["id"], -amount, charge["currency"]))
    refund = account.put({**refund, "balance_transaction": entry["id"]})
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    refunded = charge["amount_refunded"] + amount
    charge = account.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount_captured"])
    emit(account, "refund.created", refund, asked)
    emit(account, "charge.refunded", charge, asked, before)
    return refund


def _refundable(account: Account, params: Row) -> Row:
    if bool(params.get("charge")) == bool(params.get("payment_intent")):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(400, message, code="parameter_missing")
    if params.get("charge"):
        charge = account.find(params["charge"], "ch", "charge")
    else:
        intent = account.find(params["payment_intent"], "pi", "payment_intent")
        if intent["status"] != "succeeded":
            message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise StripeError(400, message, code="payment_intent_unexpected_state", param="payment_intent")
        charge = account.find(intent["latest_charge"], "ch", "charge")
    if not charge["paid"]:
        raise StripeError(400, f"Charge {charge['id']} did not succeed and cannot be refunded.", param="charge")
    return charge


def fetch_refund(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "re")


def list_refunds(account: Account, asked: Asked) -> Row:
    return page(_where(account, "refunds", asked, "charge", "payment_intent"), asked)
