"""PaymentIntents: create, confirm, cancel, list."""

from __future__ import annotations

import re

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata
from bot.standins.stripe_charging import Terms, charge
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing
from bot.standins.stripe_methods import check_belongs, resolve
from bot.standins.stripe_objects import intent_object

MINIMUM_MINOR = {"usd": 50}
MAXIMUM_MINOR = 99_999_999
OPEN_STATES = ("requires_payment_method", "requires_confirmation", "requires_action")


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raises StripeError below Stripe's minimum (50 cents for usd) and above its eight digits."""
    least = MINIMUM_MINOR.get(currency, 50)
    if amount < least:
        message = f"Amount must convert to at least {least} cents in {currency}."
        raise StripeError(400, message, code="amount_too_small", param=param)
    if amount > MAXIMUM_MINOR:
        raise StripeError(400, "Amount must be no more than $999,999.99", code="amount_too_large", param=param)


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
    _check_confirming(params)
    if params.get("customer"):
        account.find(params["customer"], "cus", "customer")
    fields = dict(params)
    if params.get("payment_method"):
        method = resolve(account, params["payment_method"])
        check_belongs(account, method, params.get("customer"))
        fields["payment_method"] = method["id"]
    intent = intent_object(account.now(), fields)
    if params.get("confirm"):
        _check_confirmable(account, intent, asked)
    intent = account.put(intent)
    emit(account, "payment_intent.created", intent, asked)
    return _confirm(account, intent, asked) if params.get("confirm") else intent


def _check_confirming(params: Row) -> None:
    """What goes with confirm=true only, and what it needs."""
    if params.get("confirm"):
        if not params.get("payment_method"):
            raise _no_method()
        return
    for name in ("off_session", "return_url", "error_on_requires_action"):
        if params.get(name) not in (None, False, "false"):
            raise StripeError(400, f"{name} can only be used with confirm=true", param=name)


def confirm_intent(account: Account, asked: Asked) -> Row:
    intent = account.find(asked.id, "pi")
    if intent["status"] not in OPEN_STATES:
        raise _unexpected_state(intent, "confirm")
    _check_not_of_checkout(account, intent, "confirm")
    fields: Row = {}
    if asked.params.get("payment_method"):
        method = resolve(account, asked.params["payment_method"])
        check_belongs(account, method, intent["customer"])
        fields["payment_method"] = method["id"]
    if asked.params.get("setup_future_usage"):
        fields["setup_future_usage"] = asked.params["setup_future_usage"]
    changed = {**intent, **fields}
    if changed["payment_method"] is None:
        raise _no_method()
    _check_confirmable(account, changed, asked)
    return _confirm(account, account.put(changed), asked)


def _check_confirmable(account: Account, intent: Row, asked: Asked) -> None:
    """Raises StripeError 400 for a method of another kind, a blocked bank account, or a missing return_url."""
    method = account.find(intent["payment_method"], "pm")
    if method["type"] not in intent["payment_method_types"]:
        message = f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent."
        raise StripeError(400, message, param="payment_method")
    check_belongs(account, method, intent["customer"])
    if method["type"] == "us_bank_account" and method["us_bank_account"]["status_details"].get("blocked"):
        message = "This bank account is blocked. Ask your customer for another payment method."
        raise StripeError(400, message, code="payment_method_bank_account_blocked", param="payment_method")
    automatic = intent["automatic_payment_methods"]
    redirects = (automatic or {}).get("allow_redirects") != "never"
    if redirects and (automatic or not intent["allowed_payment_method_types"]) and not asked.params.get("return_url"):
        raise StripeError(400, _NO_RETURN_URL, param="return_url")


_NO_RETURN_URL = (
    "A `return_url` must be specified because this Payment Intent is configured to automatically accept payment "
    "methods, some of which may require a full page redirect to succeed. Otherwise set "
    "`automatic_payment_methods[allow_redirects]` to `never` or name `allowed_payment_method_types`."
)


def _confirm(account: Account, intent: Row, asked: Asked) -> Row:
    """Raises StripeError 402 on a decline, with the PaymentIntent inside as Stripe does."""
    method = account.find(intent["payment_method"], "pm")
    terms = Terms(
        asked,
        f"{asked.base}/3ds/{intent['id']}",
        asked.params.get("return_url"),
        asked.params.get("off_session") in ("true", "one_off", "recurring"),
    )
    intent = charge(account, intent, method, terms)
    if intent["status"] == "requires_action" and asked.params.get("error_on_requires_action"):
        raise _action_is_an_error(account, intent, method)
    error = intent["last_payment_error"]
    if error is None or intent["status"] != "requires_payment_method":
        return intent
    extra = {key: value for key, value in error.items() if key not in ("message", "type", "code", "doc_url")}
    raise StripeError(
        402, error["message"], kind="card_error", code=error["code"], extra={**extra, "payment_intent": intent}
    )


def _action_is_an_error(account: Account, intent: Row, method: Row) -> StripeError:
    message = "Your card was declined. This transaction requires authentication."
    intent = account.change(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error={"type": "card_error", "code": "authentication_required", "message": message,
                            "decline_code": "authentication_not_handled", "payment_method": method},
    )  # fmt: skip
    extra = {"decline_code": "authentication_not_handled", "payment_intent": intent, "payment_method": method}
    return StripeError(402, message, kind="card_error", code="authentication_required", extra=extra)


def _no_method() -> StripeError:
    message = "You cannot confirm this PaymentIntent because it's missing a payment method."
    return StripeError(400, message, code="payment_intent_unexpected_state")


def update_intent(account: Account, asked: Asked) -> Row:
    """Only metadata and description."""
    intent, params = account.find(asked.id, "pi"), asked.params
    unspoken = sorted(set(params) - {"metadata", "description"})
    if unspoken:
        raise StripeError(400, f"This stand-in does not speak {unspoken[0]} on an update", param=unspoken[0])
    fields: Row = {"description": params["description"]} if "description" in params else {}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    return account.change(intent, **fields)


def fetch_intent(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "pi")


def cancel_intent(account: Account, asked: Asked) -> Row:
    intent = account.find(asked.id, "pi")
    if intent["status"] not in OPEN_STATES:
        raise _unexpected_state(intent, "cancel")
    _check_not_of_checkout(account, intent, "cancel")
    return cancel(account, intent, asked.params.get("cancellation_reason"), asked)


def _check_not_of_checkout(account: Account, intent: Row, verb: str) -> None:
    sessions = account.journal.table("sessions")
    of_checkout = account.shelf("sessions").among("payment_intent", intent["id"])
    if any(sessions[one]["status"] == "open" for one in of_checkout):
        message = f"You cannot {verb} the PaymentIntent of a Checkout Session. Expire the Checkout Session instead."
        raise StripeError(400, message, code="payment_intent_unexpected_state")


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
    return listing(account, "payment_intents", asked, "customer")
