"""Where money moves: a card is charged, or a bank account debited with the bank's answer days later."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked
from bot.standins.stripe_banks import BLOCKS, MESSAGES
from bot.standins.stripe_books import BANK_DAYS, CARD_DAYS, RETURN_FEE_MINOR, bank_fee_minor, card_fee_minor, enter
from bot.standins.stripe_cards import Card, refused
from bot.standins.stripe_events import emit
from bot.standins.stripe_methods import attach_to, bank_of, behind, card_of, make_mandate, note
from bot.standins.stripe_objects import charge_object
from bot.standins.wire import Fault

PAGE = "/c/pay"
INTENTS = "/v1/payment_intents"


@dataclass(frozen=True)
class Terms:
    """How a confirmation was asked for. `action_url` is our page for the bank's question, `return_url` where it leads
    afterwards; `authenticated`: the question was answered.
    """

    asked: Asked | None = None
    action_url: str = ""
    return_url: str | None = None
    off_session: bool = False
    authenticated: bool = False


def charge(account: Account, intent: Row, method: Row, terms: Terms) -> Row:
    """Try to take the PaymentIntent's whole amount. Returns it: succeeded, processing, requires_action or, declined,
    requires_payment_method.
    """
    intent = account.change(intent, payment_method=method["id"])
    fault = account.faults.take_deep("decline", "*", *([INTENTS, terms.asked.path] if terms.asked else [PAGE]))
    if method["type"] == "us_bank_account":
        return _debit(account, intent, method, terms, fault)
    card = _forced(card_of(account, method), fault)
    asks = not terms.authenticated and _asks(card, bool(behind(account, method).get("set_up")), terms.off_session)
    if asks and terms.off_session:
        card = refused(card, "authentication_required")
    elif asks:
        return _require_action(account, intent, terms)
    made = charge_object(account.now(), intent, method, card)
    if card.code is not None:
        return _decline(account, intent, made, method, card, terms.asked)
    return _succeed(account, intent, made, method, card, terms)


def _forced(card: Card, fault: Fault | None) -> Card:
    """The card, or a declined one where a fault says so; being asked for authentication can be forced likewise."""
    if fault is None:
        return card
    wanted = fault.wanted
    decline_code = str(wanted.get("decline_code", "generic_decline"))
    if decline_code == "authentication_required":
        return replace(card, challenge="always")
    code = str(wanted["code"]) if "code" in wanted else None
    advice = str(wanted["advice_code"]) if "advice_code" in wanted else None
    return replace(refused(card, decline_code, code, advice), challenge="")


def _asks(card: Card, set_up: bool, off_session: bool) -> bool:
    match card.challenge:
        case "always":
            return True
        case "unless_set_up":
            return not (off_session and set_up)
        case "on_session":
            return not off_session
        case _:
            return False


def _require_action(account: Account, intent: Row, terms: Terms) -> Row:
    intent = account.change(intent, status="requires_action", next_action=next_action(intent, terms))
    emit(account, "payment_intent.requires_action", intent, terms.asked)
    return intent


def next_action(intent: Row, terms: Terms) -> Row:
    """A page to go to, where there is a way back from it; else only Stripe's own script could ask."""
    if terms.return_url is None and terms.asked is not None:
        script = {"type": "three_d_secure_redirect", "url": terms.action_url}
        return {"type": "use_stripe_sdk", "use_stripe_sdk": script}
    where = {"url": terms.action_url, "return_url": terms.return_url}
    return {"type": "redirect_to_url", "redirect_to_url": where}


def _succeed(account: Account, intent: Row, made: Row, method: Row, card: Card, terms: Terms) -> Row:
    amount, days = made["amount"], 0 if card.after == "available_at_once" else CARD_DAYS
    entry = enter(account, "charge", made["id"], amount, made["currency"], fee=card_fee_minor(amount), days=days)
    made = account.put({**made, "balance_transaction": entry["id"]})
    _keep(account, intent, method, terms.asked)
    intent = _paid(account, intent, made["id"])
    emit(account, "charge.succeeded", made, terms.asked)
    emit(account, "payment_intent.succeeded", intent, terms.asked)
    if card.after in ("dispute", "inquiry"):
        account.agenda.add(account.now(), "dispute", made["id"], reason=card.reason, inquiry=card.after == "inquiry")
    return intent


def _paid(account: Account, intent: Row, charge_id: str) -> Row:
    return account.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge_id,
        last_payment_error=None,
        next_action=None,
    )


def _keep(account: Account, intent: Row, method: Row, asked: Asked | None) -> None:
    """With setup_future_usage the method is kept for the customer; without, it was good for this once."""
    if intent["setup_future_usage"] and intent["customer"]:
        note(account, method, set_up=True)
        attach_to(account, method, intent["customer"], asked)
    elif method["customer"] is None and not intent["setup_future_usage"]:
        note(account, method, gone=True)


def _decline(account: Account, intent: Row, made: Row, method: Row, card: Card, asked: Asked | None) -> Row:
    account.put(made)
    error: Row = {
        "type": "card_error",
        "code": card.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{str(card.code).replace('_', '-')}",
        "message": card.message,
        "charge": made["id"],
        "payment_method": method,
    }
    if card.decline_code:
        error |= {"decline_code": card.decline_code}
    if card.advice:
        error |= {"advice_code": card.advice, "network_decline_code": made["outcome"]["network_decline_code"]}
    intent = fail(account, intent, error, made["id"])
    emit(account, "charge.failed", made, asked)
    emit(account, "payment_intent.payment_failed", intent, asked)
    return intent


def fail(account: Account, intent: Row, error: Row, charge_id: str | None) -> Row:
    """Back to requires_payment_method: another card may be tried on the same PaymentIntent."""
    return account.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        next_action=None,
        latest_charge=charge_id or intent["latest_charge"],
    )


def fail_authentication(account: Account, intent: Row) -> Row:
    code = "payment_intent_authentication_failure"
    message = "We are unable to authenticate your payment method. Please choose a different one and try again."
    method = account.find(intent["payment_method"], "pm")
    error = {"type": "invalid_request_error", "code": code, "message": message, "payment_method": method}
    intent = fail(account, intent, error, None)
    emit(account, "payment_intent.payment_failed", intent)
    return intent


def _debit(account: Account, intent: Row, method: Row, terms: Terms, fault: Fault | None) -> Row:
    """Nothing is paid yet: the PaymentIntent is processing until the bank has answered."""
    bank = bank_of(account, method)
    mandate = behind(account, method).get("mandate") or make_mandate(account, method)["id"]
    code = bank.code
    if fault is not None:
        code = str(fault.wanted.get("decline_code") or fault.wanted.get("code") or "insufficient_funds")
    made = account.put(charge_object(account.now(), intent, method, None, mandate))
    delay = None if bank.waits else account.options.bank_delay_s
    days = BANK_DAYS if delay is not None else 60
    fee = bank_fee_minor(made["amount"])
    entry = enter(account, "payment", made["id"], made["amount"], made["currency"], fee=fee, days=days)
    made = account.put({**made, "balance_transaction": entry["id"]})
    _keep(account, intent, method, terms.asked)
    fields: Row = {"status": "processing", "latest_charge": made["id"], "last_payment_error": None, "next_action": None}
    intent = account.change(intent, **fields)
    account.journal.put("debits", intent["id"], {"code": code, "disputed": bank.disputed})
    if delay is not None:
        account.agenda.add(account.now() + delay, "debit", intent["id"])
    emit(account, "charge.pending", made, terms.asked)
    emit(account, "payment_intent.processing", intent, terms.asked)
    return intent


def settle_debit(account: Account, intent: Row, code: str | None) -> Row:
    """The bank's answer to a debit that was processing: paid, or come back with a code."""
    account.agenda.drop("debit", intent["id"])
    made = account.find(intent["latest_charge"], "ch")
    if code is None:
        made = account.change(made, status="succeeded", paid=True)
        intent = _paid(account, intent, made["id"])
        emit(account, "charge.succeeded", made)
        emit(account, "payment_intent.succeeded", intent)
        return intent
    return _come_back(account, intent, made, code)


def _come_back(account: Account, intent: Row, made: Row, code: str) -> Row:
    """The pending entry is undone with its fee, and Stripe bills the return."""
    first = account.find(made["balance_transaction"], "txn")
    undone = enter(account, "payment_failure_refund", made["id"], -made["amount"], made["currency"], fee=-first["fee"])
    enter(account, "stripe_fee", None, -RETURN_FEE_MINOR, made["currency"], description="ACH failure fee")
    message = MESSAGES.get(code, "The customer's bank could not process this payment.")
    made = account.change(
        made, status="failed", paid=False, failure_code=code, failure_message=message,
        failure_balance_transaction=undone["id"], amount_captured=0,
    )  # fmt: skip
    method = account.find(intent["payment_method"], "pm")
    if code in BLOCKS:
        network_code, reason = BLOCKS[code]
        blocked = {"blocked": {"network_code": network_code, "reason": reason}}
        method = account.change(method, us_bank_account={**method["us_bank_account"], "status_details": blocked})
    error = {"type": "invalid_request_error", "code": code, "message": message, "charge": made["id"],
             "payment_method": method}  # fmt: skip
    intent = fail(account, intent, error, made["id"])
    emit(account, "charge.failed", made)
    emit(account, "payment_intent.payment_failed", intent)
    return intent
