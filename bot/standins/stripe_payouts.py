"""Payouts: what is available goes to the bank, arrives, or comes back."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, new_id
from bot.standins.stripe_books import DAY, enter
from bot.standins.stripe_events import emit
from bot.standins.stripe_lists import listing

ARRIVES_AFTER_DAYS = 2
_STATUSES = ("paid", "in_transit", "failed")


def _payout_object(now: int, amount: int, currency: str, automatic: bool) -> Row:
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        # Arrival dates are midnights in UTC.
        "arrival_date": (now // DAY + ARRIVES_AFTER_DAYS) * DAY,
        "automatic": automatic,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT" if automatic else None,
        "destination": "ba_standin",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def ask_payout(account: Account, wanted: Row) -> Row:
    """Control: {"currency"?, "amount"?, "status"?: paid (at once), in_transit (by the clock) or failed}.

    Without an amount it is Stripe's automatic payout: all that is available and in no payout yet; {"payout": null}
    where that is nothing. With one it is a manual payout, of which Stripe tells no entries.
    """
    status = str(wanted.get("status", "paid"))
    if status not in _STATUSES:
        raise StripeError(400, f"status must be one of {', '.join(_STATUSES)}", param="status")
    currency = str(wanted.get("currency", "usd"))
    account.totals.ripen(account.now())
    payout = _manual(account, int(wanted["amount"]), currency) if "amount" in wanted else _automatic(account, currency)
    if payout is None:
        return {"payout": None}
    if status == "in_transit":
        account.agenda.add(payout["arrival_date"], "payout", payout["id"])
    else:
        payout = settle_payout(account, payout, status == "paid", str(wanted.get("failure_code", "account_closed")))
    return {"payout": payout["id"], "amount": payout["amount"], "status": payout["status"]}


def _automatic(account: Account, currency: str) -> Row | None:
    ids = account.totals.unpaid.get(currency, [])
    rows = account.journal.table("balance_transactions")
    amount = sum(rows[one]["net"] for one in ids)
    if amount <= 0:
        return None
    account.totals.pay_out(currency)
    return _make(account, amount, currency, ids, automatic=True)


def _manual(account: Account, amount: int, currency: str) -> Row:
    if amount > account.totals.available.get(currency, 0):
        message = "You have insufficient funds in your Stripe account for this transfer."
        raise StripeError(400, message, code="balance_insufficient", param="amount")
    return _make(account, amount, currency, [], automatic=False)


def _make(account: Account, amount: int, currency: str, ids: list[str], automatic: bool) -> Row:
    payout = _payout_object(account.now(), amount, currency, automatic)
    words = "STRIPE PAYOUT"
    entry = enter(account, "payout", payout["id"], -amount, currency, description=words)
    account.totals.ripen(account.now())
    if automatic:
        # The payout's own entry is the last of its list; it must not be in the next payout.
        account.totals.unpaid[currency].remove(entry["id"])
        ids = [*ids, entry["id"]]
    account.journal.put("payout_entries", payout["id"], {"ids": ids})
    payout = account.put({**payout, "balance_transaction": entry["id"]})
    emit(account, "payout.created", payout)
    return payout


def settle_payout(account: Account, payout: Row, paid: bool, code: str = "account_closed") -> Row:
    """Arrived, or back in the balance. A payout that was paid can still fail some days later."""
    account.agenda.drop("payout", payout["id"])
    if payout["status"] == "failed" or (paid and payout["status"] == "paid"):
        return payout
    if paid:
        trace = {"status": "supported", "value": f"TRACE{payout['id'][-10:].upper()}"}
        payout = account.change(payout, status="paid", trace_id=trace)
        emit(account, "payout.paid", payout)
        return payout
    entry = enter(account, "payout_failure", payout["id"], payout["amount"], payout["currency"])
    payout = account.change(
        payout,
        status="failed",
        failure_code=code,
        failure_message="The bank could not take this payout.",
        failure_balance_transaction=entry["id"],
    )
    emit(account, "payout.failed", payout)
    return payout


def decide_payout(account: Account, wanted: Row) -> Row:
    """Control: {"payout", "paid": true or false, "failure_code"?}."""
    payout = account.find(str(wanted["payout"]), "po")
    payout = settle_payout(account, payout, bool(wanted["paid"]), str(wanted.get("failure_code", "account_closed")))
    return {"payout": payout["id"], "status": payout["status"]}


def fetch_payout(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "po")


def list_payouts(account: Account, asked: Asked) -> Row:
    arrival: dict[str, int] = asked.params.get("arrival_date") or {}

    def arrives(row: Row) -> bool:
        at: int = row["arrival_date"]
        return (
            at > arrival.get("gt", at - 1)
            and at >= arrival.get("gte", at)
            and at < arrival.get("lt", at + 1)
            and at <= arrival.get("lte", at)
        )

    return listing(account, "payouts", asked, "status", where=arrives)
