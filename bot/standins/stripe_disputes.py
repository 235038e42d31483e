"""Disputes of cards, inquiries, and the late returns of bank debits, which Stripe also tells as disputes."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata, new_id
from bot.standins.stripe_books import DISPUTE_FEE_MINOR, RETURN_FEE_MINOR, enter
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing

_TEXTS = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *("cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name"),
    *("customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure"),
    *("refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier"),
    *("shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file"),
    "uncategorized_text",
)
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
#: Reasons that are the bank's failing to pay rather than the account holder's objection; the fee is a return's.
_RETURNS = ("insufficient_funds", "incorrect_account_details", "bank_cannot_process")
#: What Stripe's test mode decides by, written into `uncategorized_text`.
_WORDS = {"winning_evidence": True, "losing_evidence": False}


def open_dispute(account: Account, charge: Row, reason: str, amount: int | None = None, inquiry: bool = False) -> Row:
    """Against a paid charge. Of a card the money is withdrawn until it is decided; of a bank account it is lost at
    once; an inquiry withdraws nothing.
    """
    bank = charge["payment_method_details"]["type"] != "card"
    given = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    dispute = account.put(_dispute_object(account, charge, reason, given, inquiry, bank))
    account.put({**account.find(charge["id"], "ch"), "disputed": True})
    withdrawn = dispute if inquiry else _withdraw(account, dispute, bank)
    emit(account, "charge.dispute.created", withdrawn)
    if not inquiry:
        emit(account, "charge.dispute.funds_withdrawn", withdrawn)
    return _close(account, withdrawn, "lost") if bank else withdrawn


def _withdraw(account: Account, dispute: Row, bank: bool) -> Row:
    fee = RETURN_FEE_MINOR if bank and dispute["reason"] in _RETURNS else DISPUTE_FEE_MINOR
    words = f"Chargeback withdrawal for {dispute['charge']}"
    entry = enter(
        account, "adjustment", dispute["id"], -dispute["amount"], dispute["currency"], fee=fee, description=words
    )
    return account.change(dispute, balance_transactions=[entry])


def _dispute_object(account: Account, charge: Row, reason: str, amount: int, inquiry: bool, bank: bool) -> Row:
    now = account.now()
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_TEXTS), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None if bank else now + int(account.options.evidence_s),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _details(charge, inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _details(charge: Row, inquiry: bool) -> Row | None:
    """Bank accounts have no such part."""
    details = charge["payment_method_details"]
    if details["type"] != "card":
        return None
    kind = "inquiry" if inquiry else "chargeback"
    card = {"brand": details["card"]["brand"], "case_type": kind, "network_reason_code": "83"}
    return {"card": card, "type": "card"}


def _close(account: Account, dispute: Row, status: str) -> Row:
    dispute = account.change(dispute, status=status)
    emit(account, "charge.dispute.closed", dispute)
    return dispute


def decide(account: Account, dispute: Row, won: bool) -> Row:
    """The end: won, lost, or warning_closed for an inquiry. Won money comes back; the fee does not."""
    if dispute["status"] not in OPEN:
        raise StripeError(400, f"This dispute is already closed ({dispute['status']}).")
    if dispute["status"].startswith("warning_"):
        return _close(account, dispute, "warning_closed")
    if not won:
        return _close(account, dispute, "lost")
    words = f"Chargeback reversal for {dispute['charge']}"
    entry = enter(
        account, "adjustment", dispute["id"], dispute["amount"], dispute["currency"], category="dispute_reversal",
        description=words,
    )  # fmt: skip
    entries = [*dispute["balance_transactions"], entry]
    dispute = _close(account, account.change(dispute, balance_transactions=entries), "won")
    emit(account, "charge.dispute.funds_reinstated", dispute)
    return dispute


def fetch_dispute(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "du")


def list_disputes(account: Account, asked: Asked) -> Row:
    return listing(account, "disputes", asked, "charge", "payment_intent")


def update_dispute(account: Account, asked: Asked) -> Row:
    """Evidence is handed in unless `submit` is false; test mode decides by the words Stripe documents for it."""
    dispute, params = account.find(asked.id, "du"), asked.params
    if dispute["status"] not in OPEN:
        raise StripeError(400, "This dispute is already closed.", param="evidence" if "evidence" in params else None)
    fields: Row = {}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(dispute["metadata"], params["metadata"])
    submits = params.get("submit") is not False and ("evidence" in params or params.get("submit") is True)
    if "evidence" in params:
        fields["evidence"] = {**dispute["evidence"], **(params["evidence"] or {})}
    fields["evidence_details"] = _evidence_details(dispute, fields.get("evidence"), submits)
    if submits:
        fields["status"] = "warning_under_review" if dispute["status"].startswith("warning_") else "under_review"
    dispute = account.change(dispute, **fields)
    emit(account, "charge.dispute.updated", dispute, asked)
    won = _WORDS.get(str(dispute["evidence"]["uncategorized_text"]))
    if submits and won is not None:
        account.agenda.add(account.now(), "decide", dispute["id"], won=won)
    return dispute


def _evidence_details(dispute: Row, evidence: Row | None, submits: bool) -> Row:
    details = dispute["evidence_details"]
    has = details["has_evidence"] or any(evidence[name] for name in _TEXTS) if evidence else details["has_evidence"]
    if not submits:
        return {**details, "has_evidence": has}
    count = details["submission_count"] + 1
    return {**details, "has_evidence": has, "submission_count": count, "submission_method": "manual"}


def close_dispute(account: Account, asked: Asked) -> Row:
    """To give in: the dispute is lost. There is no way back."""
    return decide(account, account.find(asked.id, "du"), won=False)


def ask_dispute(account: Account, wanted: Row) -> Row:
    """Control: {"payment_intent" or "charge", "reason"?, "amount"?, "inquiry"?}."""
    if "charge" in wanted:
        charge = account.find(str(wanted["charge"]), "ch", "charge")
    else:
        intent = account.find(str(wanted["payment_intent"]), "pi", "payment_intent")
        charge = account.find(str(intent["latest_charge"]), "ch", "charge")
    if not charge["paid"]:
        raise StripeError(400, "Only a paid charge can be disputed", param="charge")
    amount = int(wanted["amount"]) if "amount" in wanted else None
    reason = str(wanted.get("reason", "fraudulent"))
    dispute = open_dispute(account, charge, reason, amount, bool(wanted.get("inquiry")))
    return {"dispute": dispute["id"], "status": dispute["status"]}


def decide_dispute(account: Account, wanted: Row) -> Row:
    """Control: {"dispute", "won": true or false}."""
    dispute = decide(account, account.find(str(wanted["dispute"]), "du"), bool(wanted["won"]))
    return {"dispute": dispute["id"], "status": dispute["status"]}
