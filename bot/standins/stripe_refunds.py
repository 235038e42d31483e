"""Refunds: whole or in part, at once, pending, or failed afterwards."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata
from bot.standins.stripe_books import enter
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing
from bot.standins.stripe_methods import card_of
from bot.standins.stripe_objects import refund_object

#: A card's refund that waits, or fails afterwards, is decided after a day; a bank's after five.
CARD_S, BANK_S = 86_400, 5 * 86_400


def create_refund(account: Account, asked: Asked) -> Row:
    """Of a charge or of a PaymentIntent's charge, whole or in part; never more than is left."""
    charge = _refundable(account, asked.params)
    left = charge["amount_captured"] - charge["amount_refunded"] - _waiting(account, charge)
    amount = asked.params.get("amount")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(400, message, code="charge_already_refunded")
    if amount is None:
        amount = left
    if amount < 1:
        raise StripeError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({_money(amount)}) is greater than unrefunded amount on charge ({_money(left)})"
        raise StripeError(400, message, param="amount")
    refund = refund_object(account.now(), charge, amount, asked.params)
    if charge["status"] == "pending":
        refund = account.put({**refund, "status": "pending", "pending_reason": "charge_pending"})
        emit(account, "refund.created", refund, asked)
        return refund
    return _execute(account, account.put(_as_it_goes(account, refund, charge)), charge, asked, new=True)


def _money(minor: int) -> str:
    return f"${minor // 100}.{minor % 100:02d}"


def _as_it_goes(account: Account, refund: Row, charge: Row) -> Row:
    """Pending where the bank takes its time or the test card or a fault says so, and what will become of it."""
    now, fault = account.now(), account.faults.take_deep("pending", "/v1/refunds", "*")
    if fault is not None:
        return {**refund, "status": "pending", "pending_reason": "processing"}
    if charge["payment_method_details"]["type"] == "us_bank_account":
        account.agenda.add(now + BANK_S, "refund", refund["id"], status="succeeded")
        return {**refund, "status": "pending", "pending_reason": "processing"}
    after = card_of(account, account.find(charge["payment_method"], "pm")).after
    if after == "refund_waits":
        account.agenda.add(now + CARD_S, "refund", refund["id"], status="succeeded")
        return {**refund, "status": "pending", "pending_reason": "processing"}
    if after == "refund_fails":
        account.agenda.add(now + CARD_S, "refund", refund["id"], status="failed")
    return refund


def _execute(account: Account, refund: Row, charge: Row, asked: Asked | None, new: bool) -> Row:
    """The money leaves our balance, also where it has not arrived yet."""
    kind = "refund" if charge["payment_method_details"]["type"] == "card" else "payment_refund"
    entry = enter(account, kind, refund["id"], -refund["amount"], refund["currency"])
    refund = account.change(refund, balance_transaction=entry["id"])
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge = _move(account, charge, refund["amount"])
    emit(account, "refund.created" if new else "refund.updated", refund, asked)
    emit(account, "charge.refunded", charge, asked, before)
    return refund


def _move(account: Account, charge: Row, amount: int) -> Row:
    refunded = charge["amount_refunded"] + amount
    return account.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount_captured"])


def _waiting(account: Account, charge: Row) -> int:
    """Minor units of refunds that wait for the charge itself."""
    rows = account.journal.table("refunds")
    asked = [rows[one] for one in account.shelf("refunds").among("charge", charge["id"])]
    waiting = [row for row in asked if (row["status"], row["pending_reason"]) == ("pending", "charge_pending")]
    return sum(row["amount"] for row in waiting)


def _refundable(account: Account, params: Row) -> Row:
    if bool(params.get("charge")) == bool(params.get("payment_intent")):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(400, message, code="parameter_missing")
    if params.get("charge"):
        charge = account.find(params["charge"], "ch", "charge")
    else:
        intent = account.find(params["payment_intent"], "pi", "payment_intent")
        if intent["status"] not in ("succeeded", "processing"):
            message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise StripeError(400, message, code="payment_intent_unexpected_state", param="payment_intent")
        charge = account.find(intent["latest_charge"], "ch", "charge")
    if charge["status"] == "failed":
        raise StripeError(400, f"Charge {charge['id']} did not succeed and cannot be refunded.", param="charge")
    if _charged_back(account, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(400, message, code="charge_disputed")
    return charge


def _charged_back(account: Account, charge: Row) -> bool:
    rows = account.journal.table("disputes")
    disputes = [rows[one] for one in account.shelf("disputes").among("charge", charge["id"])]
    return any(not row["is_charge_refundable"] and row["status"] != "won" for row in disputes)


def settle_refund(account: Account, refund: Row, status: str, reason: str = "unknown") -> Row:
    """A refund ends: succeeded, failed (`reason` as Stripe's failure_reason) or canceled."""
    account.agenda.drop("refund", refund["id"])
    if refund["status"] in ("failed", "canceled") or refund["status"] == status:
        return refund
    before = {"status": refund["status"]}
    fields: Row = {"status": status, "pending_reason": None}
    if status in ("failed", "canceled") and refund["balance_transaction"]:
        entry = enter(account, "refund_failure", refund["id"], refund["amount"], refund["currency"])
        fields |= {"failure_balance_transaction": entry["id"]}
        _move(account, account.find(refund["charge"], "ch"), -refund["amount"])
    if status == "failed":
        fields |= {"failure_reason": reason}
    refund = account.change(refund, **fields)
    emit(account, "refund.updated", refund, None, before)
    emit(account, "charge.refund.updated", refund, None, before)
    if status == "failed":
        emit(account, "refund.failed", refund)
    return refund


def after_debit(account: Account, charge: Row) -> None:
    """The charge that refunds were waiting for has been paid, or there is nothing to give back."""
    rows = account.journal.table("refunds")
    for identifier in account.shelf("refunds").among("charge", charge["id"]):
        refund = rows[identifier]
        if refund["status"] != "pending" or refund["pending_reason"] != "charge_pending":
            continue
        if charge["status"] == "failed":
            settle_refund(account, refund, "canceled")
            continue
        charge = account.find(charge["id"], "ch")
        refund = account.change(refund, pending_reason="processing")
        account.agenda.add(account.now() + BANK_S, "refund", refund["id"], status="succeeded")
        _execute(account, refund, charge, None, new=False)


def fetch_refund(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "re")


def update_refund(account: Account, asked: Asked) -> Row:
    """Only metadata, as Stripe allows."""
    refund = account.find(asked.id, "re")
    if "metadata" not in asked.params:
        return refund
    refund = account.change(refund, metadata=merge_metadata(refund["metadata"], asked.params["metadata"]))
    emit(account, "refund.updated", refund, asked)
    return refund


def list_refunds(account: Account, asked: Asked) -> Row:
    return listing(account, "refunds", asked, "charge", "payment_intent")


def decide_refund(account: Account, wanted: Row) -> Row:
    """Control: {"refund", "status": succeeded|failed|canceled, "failure_reason"?}."""
    status = str(wanted.get("status", "succeeded"))
    if status not in ("succeeded", "failed", "canceled"):
        raise StripeError(400, "status must be succeeded, failed or canceled", param="status")
    refund = account.find(str(wanted["refund"]), "re")
    refund = settle_refund(account, refund, status, str(wanted.get("failure_reason", "unknown")))
    return {"refund": refund["id"], "status": refund["status"]}
