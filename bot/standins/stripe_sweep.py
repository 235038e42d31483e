"""What happens by itself: sessions expire, banks answer, disputes come, refunds and payouts end."""

from __future__ import annotations

from collections.abc import Callable

from bot.standins import stripe_paying as paying
from bot.standins import stripe_refunds as refunds
from bot.standins.journal import Row
from bot.standins.stripe_account import Account, StripeError
from bot.standins.stripe_charging import settle_debit
from bot.standins.stripe_checkout import expire
from bot.standins.stripe_disputes import OPEN, decide, open_dispute
from bot.standins.stripe_payouts import settle_payout

DAY = 86_400
#: Stripe gives events for thirty days.
EVENTS_KEPT_S = 30 * DAY


def sweep(account: Account) -> None:
    """Do what is due by now, journal it, send the events."""
    now = account.journal.clock()
    done = []
    while (due := account.agenda.take(now)) is not None:
        DUE[due["kind"]](account, due)
        done.append(f"{due['kind']}:{due['id']}")
    if now - account.cleared_at >= DAY:
        _forget(account, now)
    if done:
        account.journal.write("due", done=done)
        account.flush()


def _expire(account: Account, due: Row) -> None:
    session = account.find(due["id"], "cs")
    if session["status"] == "open":
        expire(account, session, None)


def _debit(account: Account, due: Row) -> None:
    answer_debit(account, account.find(due["id"], "pi"), account.journal.table("debits")[due["id"]]["code"])


def answer_debit(account: Account, intent: Row, code: str | None) -> Row:
    """The bank's answer, and all that was waiting for it."""
    if intent["status"] != "processing":
        return intent
    intent = settle_debit(account, intent, code)
    charge = account.find(intent["latest_charge"], "ch")
    paying.after_debit(account, intent)
    refunds.after_debit(account, charge)
    if code is None and account.journal.table("debits")[intent["id"]]["disputed"]:
        account.agenda.add(account.now(), "dispute", charge["id"], reason="debit_not_authorized", inquiry=False)
    return intent


def _dispute(account: Account, due: Row) -> None:
    open_dispute(account, account.find(due["id"], "ch"), due["reason"], inquiry=due["inquiry"])


def _decide(account: Account, due: Row) -> None:
    dispute = account.find(due["id"], "du")
    if dispute["status"] in OPEN:
        decide(account, dispute, due["won"])


def _refund(account: Account, due: Row) -> None:
    refunds.settle_refund(account, account.find(due["id"], "re"), due["status"], "expired_or_canceled_card")


def _payout(account: Account, due: Row) -> None:
    settle_payout(account, account.find(due["id"], "po"), paid=True)


DUE: dict[str, Callable[[Account, Row], None]] = {
    "expire": _expire,
    "debit": _debit,
    "dispute": _dispute,
    "decide": _decide,
    "refund": _refund,
    "payout": _payout,
}


def _forget(account: Account, now: float) -> None:
    """Events after thirty days, unless they are still to be delivered; idempotency keys after their day."""
    account.cleared_at = now
    undelivered = {row["event"] for row in account.journal.table("deliveries").values()}
    _drop_oldest(account, "events", lambda row: row["created"] < now - EVENTS_KEPT_S, undelivered)
    account.shelves.pop("events", None)
    _drop_oldest(account, "idempotency", lambda row: now - row["at"] >= account.options.idempotency_ttl_s, set())


def _drop_oldest(account: Account, table: str, old: Callable[[Row], bool], kept: set[str]) -> None:
    gone = []
    for key, row in account.journal.table(table).items():
        if not old(row):
            break
        if key not in kept:
            gone.append(key)
    for key in gone:
        account.journal.remove(table, key)


def ask_bank(account: Account, wanted: Row) -> Row:
    """Control: {"payment_intent", "code"?}: the bank answers now; without a code as its test account says, with null
    that it is paid, else that it comes back with this code.
    """
    intent = account.find(str(wanted["payment_intent"]), "pi", "payment_intent")
    if intent["status"] != "processing":
        raise StripeError(400, "No bank is working on this PaymentIntent", param="payment_intent")
    code = wanted["code"] if "code" in wanted else account.journal.table("debits")[intent["id"]]["code"]
    intent = answer_debit(account, intent, None if code is None else str(code))
    return {"payment_intent": intent["id"], "status": intent["status"]}
