"""The books: every movement of the balance is a balance transaction, and the balance is their sum."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, new_id
from bot.standins.stripe_lists import listing

DAY = 86_400
CARD_DAYS, BANK_DAYS = 2, 4
DISPUTE_FEE_MINOR = 1_500
RETURN_FEE_MINOR = 400

#: Stripe's table of reporting categories by type of balance transaction.
CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "payment_failure_refund": "charge_failure",
    "refund_failure": "refund_failure",
    "adjustment": "dispute",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "stripe_fee": "fee",
}


def card_fee_minor(amount_minor: int) -> int:
    """2.9 % and 30 cents, rounded half up, in whole cents."""
    return (amount_minor * 29 + 500) // 1000 + 30


def bank_fee_minor(amount_minor: int) -> int:
    """0.8 %, rounded half up, at most 5 dollars."""
    return min((amount_minor * 8 + 500) // 1000, 500)


def enter(
    account: Account,
    kind: str,
    source: str | None,
    amount: int,
    currency: str,
    *,
    fee: int = 0,
    days: int = 0,
    category: str | None = None,
    description: str | None = None,
) -> Row:
    """Write a balance transaction: `amount` and `fee` in minor units, `amount` signed, available after `days`."""
    now = account.now()
    detail = {"amount": fee, "application": None, "currency": currency, "description": "Fees", "type": "stripe_fee"}
    entry: Row = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + days * DAY,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": category or CATEGORIES[kind],
        "source": source,
        "status": "pending" if days else "available",
        "type": kind,
    }
    account.totals.add(entry)
    return account.put(entry)


def fetch_entry(account: Account, asked: Asked) -> Row:
    return account.shown(account.find(asked.id, "txn"))


def list_entries(account: Account, asked: Asked) -> Row:
    """By payout, type, source, currency and created. A payout's list holds the payout's own entry too."""
    among = None
    if payout := asked.params.get("payout"):
        account.find(payout, "po", "payout")
        if not account.find(payout, "po")["automatic"]:
            message = "Balance transaction history can only be filtered on automatic transfers, not manual."
            raise StripeError(400, message, param="payout")
        ids = account.journal.table("payout_entries")[payout]["ids"]
        among = sorted(ids, key=account.shelf("balance_transactions").place.__getitem__)
    return listing(account, "balance_transactions", asked, "source", "currency", "type", among=among)


def fetch_balance(account: Account, asked: Asked) -> Row:
    account.totals.ripen(account.now())
    return {
        "object": "balance",
        "available": _amounts(account.totals.available),
        "connect_reserved": [],
        "livemode": False,
        "pending": _amounts(account.totals.pending),
        "refund_and_dispute_prefunding": {"available": _amounts({}), "pending": _amounts({})},
    }


def _amounts(totals: dict[str, int]) -> list[Row]:
    wanted = totals or {"usd": 0}
    return [{"amount": amount, "currency": name, "source_types": {"card": amount}} for name, amount in wanted.items()]


def charge_fee(account: Account, wanted: Row) -> Row:
    """Control: {"amount", "currency"?, "description"?}: Stripe bills something of its own (type stripe_fee)."""
    amount, currency = int(wanted["amount"]), str(wanted.get("currency", "usd"))
    entry = enter(account, "stripe_fee", None, -amount, currency, description=str(wanted.get("description", "Radar")))
    return {"balance_transaction": entry["id"]}
