"""PaymentIntents and the one function in which a card is charged."""

from __future__ import annotations

import re
from typing import Any

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, new_id, page
from bot.standins.stripe_cards import CARDS, TEST_METHODS, Card, card_details, card_for
from bot.standins.stripe_events import emit
from bot.standins.stripe_objects import balance_transaction, charge_object, intent_object

MINIMUM_MINOR = {"usd": 50}
OPEN_STATES = ("requires_payment_method", "requires_confirmation", "requires_action")


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raises StripeError amount_too_small below Stripe's minimum (50 cents for usd)."""
    least = MINIMUM_MINOR.get(currency, 50)
    if amount < least:
        message = f"Amount must convert to at least {least} cents in {currency}."
        raise StripeError(400, message, code="amount_too_small", param=param)


def check_suffix(suffix: str | None, param: str) -> None:
    """Stripe's rule for statement_descriptor_suffix: at most 22 characters, a letter, none of < > \\ ' " *."""
    if suffix is None:
        return
    if len(suffix) > 22 or not re.search("[A-Za-z]", suffix) or re.search(r"[<>\\'\"*]", suffix):
        raise StripeError(400, "The statement descriptor suffix is not valid", param=param)


def create_intent(account: Account, asked: Asked) -> Row:
    params = asked.params
    check_amount(params["amount"], params["currency"], "amount")
    check_suffix(params.get("statement_descriptor_suffix"), "statement_descriptor_suffix")
    if params.get("capture_method") == "manual":
        raise StripeError(400, "This stand-in does not speak manual capture", param="capture_method")
    if _off_session(params) and not params.get("confirm"):
        raise StripeError(400, "off_session can only be used with confirm=true", param="off_session")
    if params.get("confirm") and not params.get("payment_method"):
        raise _no_method()
    if params.get("customer"):
        account.find(params["customer"], "cus", "customer")
    _find_method(account, params.get("payment_method"))
    intent = account.put(intent_object(account.now(), params))
    emit(account, "payment_intent.created", intent, asked)
    return _confirm(account, intent, asked) if params.get("confirm") else intent


def confirm_intent(account: Account, asked: Asked) -> Row:
    intent = account.find(asked.id, "pi")
    if intent["status"] not in OPEN_STATES:
        raise _unexpected_state(intent, "confirm")
    if asked.params.get("payment_method"):
        _find_method(account, asked.params["payment_method"])
        intent = account.change(intent, payment_method=asked.params["payment_method"])
    return _confirm(account, intent, asked)


def _confirm(account: Account, intent: Row, asked: Asked) -> Row:
    """Raises StripeError 402 on a decline, with the PaymentIntent inside as Stripe does."""
    card = _find_method(account, intent["payment_method"])
    if card is None:
        raise _no_method()
    if card.challenge and _off_session(asked.params):
        card = Card(card.number, card.brand, "authentication_required", "authentication_required", _NEEDS_AUTH)
    elif card.challenge:
        return require_action(account, intent, f"{asked.base}/3ds/{intent['id']}", asked)
    intent = attempt(account, intent, card, asked)
    error = intent["last_payment_error"]
    if error is None:
        return intent
    extra = {key: value for key, value in error.items() if key not in ("message", "type", "code", "doc_url")}
    raise StripeError(
        402, error["message"], kind="card_error", code=error["code"], extra={**extra, "payment_intent": intent}
    )


def _no_method() -> StripeError:
    message = "You cannot confirm this PaymentIntent because it's missing a payment method."
    return StripeError(400, message, code="payment_intent_unexpected_state")


def _off_session(params: Row) -> bool:
    """Documented as a boolean or "one_off" or "recurring"."""
    return params.get("off_session") in ("true", "one_off", "recurring")


_NEEDS_AUTH = "Your card was declined. This transaction requires authentication."


def require_action(account: Account, intent: Row, url: str, asked: Asked | None) -> Row:
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
    intent = account.change(intent, status="requires_action", next_action=action)
    emit(account, "payment_intent.requires_action", intent, asked)
    return intent


def attempt(account: Account, intent: Row, card: Card, asked: Asked | None, billing: Row | None = None) -> Row:
    """Charge the card: the only place where money moves here. Returns the PaymentIntent, succeeded or not."""
    charge = charge_object(account.now(), intent, card, billing)
    if card.code is not None:
        return _decline(account, intent, charge, card, asked)
    amount, currency = charge["amount"], charge["currency"]
    entry = account.put(balance_transaction(account.now(), "charge", charge["id"], amount, currency))
    charge = account.put({**charge, "balance_transaction": entry["id"]})
    intent = account.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    emit(account, "charge.succeeded", charge, asked)
    emit(account, "payment_intent.succeeded", intent, asked)
    return intent


def _decline(account: Account, intent: Row, charge: Row, card: Card, asked: Asked | None) -> Row:
    account.put(charge)
    error: Row = {
        "type": "card_error",
        "code": card.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{str(card.code).replace('_', '-')}",
        "message": card.message,
        "charge": charge["id"],
    }
    if card.decline_code:
        error["decline_code"] = card.decline_code
    intent = fail(account, intent, error, charge["id"])
    emit(account, "charge.failed", charge, asked)
    emit(account, "payment_intent.payment_failed", intent, asked)
    return intent


def fail(account: Account, intent: Row, error: Row, charge: str | None) -> Row:
    """Back to requires_payment_method: another card may be tried on the same PaymentIntent."""
    return account.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        next_action=None,
        latest_charge=charge or intent["latest_charge"],
    )


def fail_authentication(account: Account, intent: Row) -> Row:
    code = "payment_intent_authentication_failure"
    message = "We are unable to authenticate your payment method. Please choose a different one and try again."
    intent = fail(account, intent, {"type": "invalid_request_error", "code": code, "message": message}, None)
    emit(account, "payment_intent.payment_failed", intent)
    return intent


def make_method(account: Account, card: Card, month: int, year: int, customer: str | None, billing: Row) -> Row:
    """A PaymentMethod. Only the published test numbers are kept, so that a real card typed by mistake is on no disk."""
    method: Row = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        "card": card_details(card, month, year),
        "created": account.now(),
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    account.put(method)
    account.journal.put("method_numbers", method["id"], {"number": card.number if card.number in CARDS else ""})
    return method


def _find_method(account: Account, identifier: str | None) -> Card | None:
    if identifier is None:
        return None
    if identifier in TEST_METHODS:
        return card_for(TEST_METHODS[identifier])
    account.find(identifier, "pm", "payment_method")
    return card_for(account.journal.table("method_numbers")[identifier]["number"])


def fetch_intent(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "pi")


def cancel_intent(account: Account, asked: Asked) -> Row:
    intent = account.find(asked.id, "pi")
    if intent["status"] not in OPEN_STATES:
        raise _unexpected_state(intent, "cancel")
    return cancel(account, intent, asked.params.get("cancellation_reason"), asked)


def cancel(account: Account, intent: Row, reason: str | None, asked: Asked | None = None) -> Row:
    intent = account.change(
        intent, status="canceled", canceled_at=account.now(), cancellation_reason=reason, next_action=None
    )
    emit(account, "payment_intent.canceled", intent, asked)
    return intent


def _unexpected_state(intent: Row, verb: str) -> StripeError:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    code = "payment_intent_unexpected_state"
    return StripeError(400, message, code=code, extra={"payment_intent": intent})


def list_intents(account: Account, asked: Asked) -> Row:
    customer = asked.params.get("customer")
    rows = account.journal.table("payment_intents").values()
    return page([row for row in rows if customer in (None, row["customer"])], asked)


_CLAUSE = re.compile(r"""\s*(?:metadata\[(?P<q>["'])(?P<key>.+?)(?P=q)\]|(?P<field>[a-z_]+))\s*"""
                     r"""(?P<op>:|>=|<=|>|<)\s*(?:(?P<v>["'])(?P<text>.*?)(?P=v)|(?P<number>\d+))\s*""")  # fmt: skip
_SEARCHABLE = ("amount", "created", "currency", "customer", "status")


def search_intents(account: Account, asked: Asked) -> Row:
    """Clauses joined by AND; what is younger than `search_lag_s` is not found yet."""
    clauses = [_clause(text) for text in re.split(r"\sAND\s", asked.params["query"])]
    newest = account.journal.clock() - account.options.search_lag_s
    rows = [row for row in account.journal.table("payment_intents").values() if row["created"] <= newest]
    found = [row for row in reversed(rows) if all(_satisfies(row, clause) for clause in clauses)]
    limit = asked.params.get("limit", 10)
    start = int(asked.params.get("page") or 0)
    more = len(found) > start + limit
    return {
        "object": "search_result",
        "url": asked.path,
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "data": found[start : start + limit],
    }


def _clause(text: str) -> dict[str, Any]:
    match = _CLAUSE.fullmatch(text)
    if match is None or (match["field"] and match["field"] not in _SEARCHABLE):
        raise StripeError(400, f"We were unable to parse your search query near: {text}", param="query")
    return match.groupdict()


def _satisfies(row: Row, clause: dict[str, Any]) -> bool:
    value = row["metadata"].get(clause["key"]) if clause["key"] else row[clause["field"]]
    if clause["op"] == ":":
        return value is not None and str(value) == (clause["text"] if clause["number"] is None else clause["number"])
    wanted = int(clause["number"] or clause["text"])
    return bool({">": value > wanted, "<": value < wanted, ">=": value >= wanted, "<=": value <= wanted}[clause["op"]])
