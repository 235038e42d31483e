"""PaymentMethods: cards and US bank accounts, kept for a customer or used once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata, new_id
from bot.standins.stripe_banks import ACCOUNTS, TEST_ACCOUNTS, BankAccount, bank_details, bank_for
from bot.standins.stripe_cards import CARDS, TEST_METHODS, Card, card_details, card_for, refused
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing

NO_BILLING: Row = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
TEST_EXPIRY = (12, 2034)


def make_card(account: Account, card: Card, expiry: tuple[int, int], billing: Row | None = None) -> Row:
    """A card, attached to nobody. Only the published test numbers are kept, so that a real card typed by mistake is on
    no disk.
    """
    return _make(account, "card", card_details(card, *expiry), card.number if card.number in CARDS else "", billing)


def make_bank(account: Account, bank: BankAccount, billing: Row | None = None, **details: Any) -> Row:
    return _make(account, "us_bank_account", bank_details(bank, **details), bank.number, billing)


def _make(account: Account, kind: str, details: Row, number: str, billing: Row | None) -> Row:
    method: Row = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {**NO_BILLING, **(billing or {})},
        kind: details,
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "radar_options": {},
        "type": kind,
    }
    account.put(method)
    account.journal.put("method_numbers", method["id"], {"number": number})
    return method


def resolve(account: Account, identifier: str, param: str = "payment_method") -> Row:
    """The PaymentMethod of this id; Stripe's own test tokens make a new one each time."""
    if identifier in TEST_METHODS:
        return make_card(account, card_for(TEST_METHODS[identifier]), TEST_EXPIRY)
    if identifier in TEST_ACCOUNTS:
        return make_bank(account, ACCOUNTS[TEST_ACCOUNTS[identifier]], {"name": "Test Holder"})
    return account.find(identifier, "pm", param)


def behind(account: Account, method: Row) -> Row:
    """What only the stand-in knows: {"number", "set_up"?, "gone"?, "mandate"?}."""
    return account.journal.table("method_numbers")[method["id"]]


def note(account: Account, method: Row, **known: Any) -> None:
    account.journal.put("method_numbers", method["id"], {**behind(account, method), **known})


def card_of(account: Account, method: Row) -> Card:
    """The card as its bank sees it now: an expired one is declined, whatever it was before."""
    card, dates = card_for(behind(account, method)["number"]), method["card"]
    return refused(card, "expired_card") if is_past(account, dates["exp_month"], dates["exp_year"]) else card


def is_past(account: Account, month: int, year: int) -> bool:
    """A card is good to the end of its month."""
    today = datetime.fromtimestamp(account.now(), UTC)
    return (year, month) < (today.year, today.month)


def change_card(account: Account, wanted: Row) -> Row:
    """Control: {"payment_method", "becomes"?, "exp_month"?, "exp_year"?}: the bank changes its mind or its card.

    `becomes` is a test number: from now on the card behaves like that one, under the digits it had. New dates are told
    by payment_method.automatically_updated, as when a bank sends a new card.
    """
    method = account.find(str(wanted["payment_method"]), "pm")
    if "becomes" in wanted:
        note(account, method, number=str(wanted["becomes"]))
    dates = {name: int(wanted[name]) for name in ("exp_month", "exp_year") if name in wanted}
    if dates:
        before = {"card": {name: method["card"][name] for name in dates}}
        method = account.change(method, card={**method["card"], **dates})
        emit(account, "payment_method.automatically_updated", method, None, before)
    return {"payment_method": method["id"]}


def bank_of(account: Account, method: Row) -> BankAccount:
    return ACCOUNTS[behind(account, method)["number"]]


def check_belongs(account: Account, method: Row, customer: str | None) -> None:
    """Raises StripeError 400 for a method that was detached, or that is another customer's."""
    if behind(account, method).get("gone"):
        raise StripeError(400, _GONE, param="payment_method")
    if method["customer"] is None or method["customer"] == customer:
        return
    if customer is None:
        message = (
            f"The PaymentMethod {method['id']} belongs to a Customer. "
            "Please include the Customer in the `customer` parameter on the PaymentIntent."
        )
        raise StripeError(400, message, param="payment_method")
    message = f"The customer does not have a payment method with the ID {method['id']}. "
    raise StripeError(
        400, f"{message}The payment method must be attached to the customer.", code="resource_missing",
        param="payment_method",
    )  # fmt: skip


_GONE = (
    "The provided PaymentMethod was detached from a Customer. It may not be used again. To use a PaymentMethod "
    "multiple times, you must attach it to a Customer first."
)


def attach_to(account: Account, method: Row, customer: str, asked: Asked | None = None) -> Row:
    """Keep the method for this customer; nothing happens where it is kept already."""
    method = account.find(method["id"], "pm")
    if method["customer"] == customer:
        return method
    method = account.change(method, customer=customer)
    emit(account, "payment_method.attached", method, asked)
    return method


def attach_method(account: Account, asked: Asked) -> Row:
    """Stripe asks the bank when a card is attached: its declining test cards cannot be, but for ...0341."""
    customer = asked.params.get("customer")
    if not customer:
        raise StripeError(400, "Missing required param: customer.", code="parameter_missing", param="customer")
    account.find(customer, "cus", "customer")
    method = resolve(account, asked.id, "id")
    if behind(account, method).get("gone"):
        raise StripeError(400, _GONE)
    if method["customer"] not in (None, customer):
        raise StripeError(400, "The payment method you provided has already been attached to a customer.")
    if method["type"] == "card":
        refuse_card(card_of(account, method))
    return attach_to(account, method, customer, asked)


def refuse_card(card: Card) -> None:
    """Raises StripeError 402 for a card that cannot even be kept."""
    if card.code is None or card.attaches:
        return
    extra = {"decline_code": card.decline_code} if card.decline_code else None
    raise StripeError(402, card.message, kind="card_error", code=card.code, extra=extra)


def detach_method(account: Account, asked: Asked) -> Row:
    method = account.find(asked.id, "pm")
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise StripeError(400, message)
    before = {"customer": method["customer"]}
    note(account, method, gone=True)
    method = account.change(method, customer=None)
    emit(account, "payment_method.detached", method, asked, before)
    return method


def create_method(account: Account, asked: Asked) -> Row:
    """Of a test number; most callers take one of the test tokens instead."""
    params = asked.params
    kind, billing = params.get("type"), params.get("billing_details")
    if kind == "card" and (params.get("card") or {}).get("number"):
        given = params["card"]
        method = make_card(account, card_for(given["number"]), (given["exp_month"], given["exp_year"]), billing)
    elif kind == "us_bank_account" and (params.get("us_bank_account") or {}).get("account_number"):
        given = params["us_bank_account"]
        bank = bank_for(given["account_number"])
        if bank is None:
            raise StripeError(400, "You must use a test bank account number", code="account_number_invalid")
        method = make_bank(account, bank, billing, holder=given.get("account_holder_type") or "individual")
    else:
        raise StripeError(400, "This stand-in makes card and us_bank_account from test numbers only", param="type")
    return account.change(method, metadata=merge_metadata({}, params.get("metadata")))


def update_method(account: Account, asked: Asked) -> Row:
    """Expiry, billing details, redisplay and metadata."""
    method, params = account.find(asked.id, "pm"), asked.params
    unspoken = sorted(set(params) - {"card", "billing_details", "metadata", "allow_redisplay"})
    if unspoken:
        raise StripeError(400, f"This stand-in does not speak {unspoken[0]} on an update", param=unspoken[0])
    fields: Row = {}
    if "card" in params and method["type"] == "card":
        dates = {name: params["card"][name] for name in ("exp_month", "exp_year") if name in params["card"]}
        fields["card"] = {**method["card"], **dates}
    if "billing_details" in params:
        fields["billing_details"] = {**method["billing_details"], **(params["billing_details"] or {})}
    if "allow_redisplay" in params:
        fields["allow_redisplay"] = params["allow_redisplay"]
    if "metadata" in params:
        fields["metadata"] = merge_metadata(method["metadata"], params["metadata"])
    before = {name: method[name] for name in fields}
    method = account.change(method, **fields)
    emit(account, "payment_method.updated", method, asked, before)
    return method


def fetch_method(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "pm")


def list_methods(account: Account, asked: Asked) -> Row:
    """Without a customer there is nothing to list: what is attached to nobody is no list of Stripe's."""
    return listing(account, "payment_methods", asked, "customer", "type", where=lambda row: bool(row["customer"]))


def list_customer_methods(account: Account, asked: Asked) -> Row:
    account.find(asked.id, "cus")
    asked.params["customer"] = asked.id
    return listing(account, "payment_methods", asked, "customer", "type")


def fetch_customer_method(account: Account, asked: Asked) -> Row:
    method = account.find(asked.second, "pm")
    if method["customer"] != asked.id:
        message = f"No such PaymentMethod: '{asked.second}'"
        raise StripeError(404, message, code="resource_missing", param="payment_method")
    return method


def make_mandate(account: Account, method: Row, kind: str = "multi_use") -> Row:
    """The consent under which a bank account may be debited."""
    mandate: Row = {
        "id": new_id("mandate"),
        "object": "mandate",
        "created": account.now(),
        "customer_acceptance": {
            "accepted_at": account.now(),
            "online": {"ip_address": "127.0.0.1", "user_agent": "stand-in"},
            "type": "online",
        },
        "livemode": False,
        kind: {},
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": {"type": method["type"], method["type"]: {"collection_method": None}},
        "status": "active",
        "type": kind,
    }
    account.put(mandate)
    note(account, method, mandate=mandate["id"])
    return mandate


def fetch_mandate(account: Account, asked: Asked) -> Row:
    """Mandates carry no date at Stripe; ours have one for the shelf."""
    return {name: value for name, value in account.find(asked.id, "mandate").items() if name != "created"}
