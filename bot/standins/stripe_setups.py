"""SetupIntents: a card or bank account is kept for later, and nothing is paid."""

from __future__ import annotations

from dataclasses import replace

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata, new_id
from bot.standins.stripe_cards import refused
from bot.standins.stripe_charging import Terms, next_action
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing
from bot.standins.stripe_methods import attach_to, behind, card_of, check_belongs, make_mandate, note, resolve

SETUPS, PAGE = "/v1/setup_intents", "/c/pay"
OPEN_STATES = ("requires_payment_method", "requires_confirmation", "requires_action")


def setup_object(now: int, params: Row) -> Row:
    """A SetupIntent of create's own parameters."""
    identifier = new_id("seti")
    method = params.get("payment_method")
    return {
        "id": identifier,
        "object": "setup_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "application": None,
        "automatic_payment_methods": params.get("automatic_payment_methods"),
        "cancellation_reason": None,
        "client_secret": f"{identifier}_secret_standin",
        "created": now,
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "managed_payments": None,
        "mandate": None,
        "metadata": merge_metadata({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("allowed_payment_method_types") or ["card", "us_bank_account"],
        "single_use_mandate": None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": params.get("usage") or "off_session",
    }


def create_setup(account: Account, asked: Asked) -> Row:
    params = asked.params
    if params.get("customer"):
        account.find(params["customer"], "cus", "customer")
    fields = dict(params)
    if params.get("payment_method"):
        method = resolve(account, params["payment_method"])
        check_belongs(account, method, params.get("customer"))
        fields["payment_method"] = method["id"]
    setup = account.put(setup_object(account.now(), fields))
    emit(account, "setup_intent.created", setup, asked)
    return _confirm(account, setup, asked) if params.get("confirm") else setup


def confirm_setup(account: Account, asked: Asked) -> Row:
    setup = account.find(asked.id, "seti")
    if setup["status"] not in OPEN_STATES:
        raise _unexpected_state(setup, "confirm")
    if asked.params.get("payment_method"):
        method = resolve(account, asked.params["payment_method"])
        check_belongs(account, method, setup["customer"])
        setup = account.change(setup, payment_method=method["id"])
    return _confirm(account, setup, asked)


def _confirm(account: Account, setup: Row, asked: Asked) -> Row:
    """Raises StripeError 402 where the bank refuses to have the card kept, with the SetupIntent inside."""
    if setup["payment_method"] is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise StripeError(400, message, code="setup_intent_unexpected_state")
    method = account.find(setup["payment_method"], "pm")
    terms = Terms(asked, f"{asked.base}/3ds/{setup['id']}", asked.params.get("return_url"))
    setup = keep(account, setup, method, terms)
    error = setup["last_setup_error"]
    if error is None:
        return setup
    extra = {key: value for key, value in error.items() if key not in ("message", "type", "code")}
    raise StripeError(402, error["message"], kind="card_error", code=error["code"],
                      extra={**extra, "setup_intent": setup})  # fmt: skip


def keep(account: Account, setup: Row, method: Row, terms: Terms) -> Row:
    """Try to keep the method: succeeded, requires_action or, refused, requires_payment_method."""
    setup = account.change(setup, payment_method=method["id"])
    if method["type"] == "us_bank_account":
        mandate = behind(account, method).get("mandate") or make_mandate(account, method)["id"]
        return _succeed(account, account.change(setup, mandate=mandate), method, terms)
    card = card_of(account, method)
    fault = account.faults.take_deep("decline", *([SETUPS, terms.asked.path] if terms.asked else [PAGE]))
    if fault is not None:
        decline_code = str(fault.wanted.get("decline_code", "generic_decline"))
        card = replace(refused(card, decline_code), challenge="", attaches=False)
    if card.challenge in ("always", "unless_set_up") and not terms.authenticated:
        setup = account.change(setup, status="requires_action", next_action=next_action(setup, terms))
        emit(account, "setup_intent.requires_action", setup, terms.asked)
        return setup
    if card.code is not None and not card.attaches:
        error = {"type": "card_error", "code": card.code, "message": card.message, "payment_method": method,
                 "decline_code": card.decline_code}  # fmt: skip
        return fail_setup(account, setup, error, terms.asked)
    return _succeed(account, setup, method, terms)


def _succeed(account: Account, setup: Row, method: Row, terms: Terms) -> Row:
    note(account, method, set_up=True)
    if setup["customer"]:
        attach_to(account, method, setup["customer"], terms.asked)
    setup = account.change(setup, status="succeeded", last_setup_error=None, next_action=None)
    emit(account, "setup_intent.succeeded", setup, terms.asked)
    return setup


def fail_setup(account: Account, setup: Row, error: Row, asked: Asked | None = None) -> Row:
    setup = account.change(
        setup, status="requires_payment_method", payment_method=None, last_setup_error=error, next_action=None
    )
    emit(account, "setup_intent.setup_failed", setup, asked)
    return setup


def answer_setup(account: Account, setup: Row, passed: bool) -> Row:
    """The end of the bank's question."""
    method = account.find(setup["payment_method"], "pm")
    if passed:
        return keep(account, setup, method, Terms(authenticated=True))
    code = "setup_intent_authentication_failure"
    message = "We are unable to authenticate your payment method. Please choose a different one and try again."
    return fail_setup(
        account, setup, {"type": "invalid_request_error", "code": code, "message": message, "payment_method": method}
    )


def fetch_setup(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "seti")


def cancel_setup(account: Account, asked: Asked) -> Row:
    setup = account.find(asked.id, "seti")
    if setup["status"] not in OPEN_STATES:
        raise _unexpected_state(setup, "cancel")
    return cancel(account, setup, asked.params.get("cancellation_reason"), asked)


def cancel(account: Account, setup: Row, reason: str | None, asked: Asked | None = None) -> Row:
    setup = account.change(setup, status="canceled", cancellation_reason=reason, next_action=None)
    emit(account, "setup_intent.canceled", setup, asked)
    return setup


def _unexpected_state(setup: Row, verb: str) -> StripeError:
    message = f"You cannot {verb} this SetupIntent because it has a status of {setup['status']}."
    return StripeError(400, message, code="setup_intent_unexpected_state", extra={"setup_intent": setup})


def list_setups(account: Account, asked: Asked) -> Row:
    return listing(account, "setup_intents", asked, "customer", "payment_method")
