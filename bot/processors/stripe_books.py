"""Stripe's own books: balance transactions, what each was about, and the payout that took it to the bank."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from stripe._v1_services import V1Services

from bot.processors.base import EntryRow, PayoutRow
from bot.processors.stripe_objects import Json, id_of, our
from bot.processors.stripe_wire import between, every, fetch, is_between, made_at

#: Stripe's types of balance transaction; "adjustment" is looked into, and what is not here is "other".
KINDS: Mapping[str, str] = {
    "charge": "charge", "payment": "charge",
    "refund": "refund", "payment_refund": "refund", "refund_failure": "refund", "payment_failure_refund": "refund",
    "stripe_fee": "fee", "stripe_fx_fee": "fee", "tax_fee": "fee", "application_fee": "fee",
    "payout": "payout", "payout_cancel": "payout_failure", "payout_failure": "payout_failure",
}
#: A payout takes what became available before it was made, some days after the charge.
SETTLES_WITHIN = timedelta(days=40)
_ABOUT_PAYMENTS = frozenset({"charge", "refund", "dispute", "dispute_reversal"})


@dataclass(frozen=True, slots=True)
class About:
    """What a balance transaction is about; "" and None where it is about no payment, or nobody knows."""

    payment_id: str | None = None
    refund_id: str | None = None
    processor_ref: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """One reading of the books; ``known`` keeps what was looked up, so that nothing is asked twice."""

    v1: V1Services
    known: dict[str, Json] = field(default_factory=dict)


async def entries(books: Books, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
    """Oldest first, so a window is read to its end before its first row is given."""
    paid_out = await _paid_out(books, since, until + SETTLES_WITHIN)
    params = {"created": between(since, until), "expand": ["data.source"]}
    rows = [row async for row in every(books.v1.balance_transactions.list_async, params)
            if is_between(row, since, until)]
    for row in _oldest_first(rows):
        yield await _entry(books, row, paid_out)


async def payouts(books: Books, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
    """Oldest first."""
    rows = [row async for row in every(books.v1.payouts.list_async, {"created": between(since, until)})
            if is_between(row, since, until)]
    for row in _oldest_first(rows):
        arrives = row.get("arrival_date") or row["created"]
        yield PayoutRow(
            ref=str(row["id"]), amount_minor=int(row["amount"]), currency=str(row["currency"]).upper(),
            status=str(row.get("status") or "pending"), arrival_on=datetime.fromtimestamp(int(arrives), UTC).date(),
            made_at=made_at(row))


def balance_minor(balance: Json, currency: str) -> int:
    """Available and pending together, in cents. A currency that Stripe does not name is 0."""
    parts = [part for name in ("available", "pending") for part in _listed(balance.get(name))]
    return sum(int(part.get("amount") or 0) for part in parts if str(part.get("currency")).upper() == currency.upper())


def _oldest_first(rows: list[Json]) -> list[Json]:
    """Rows of one second keep the order in which they were made: Stripe lists the newest first."""
    rows.reverse()
    rows.sort(key=made_at)
    return rows


def _listed(value: Any) -> list[Json]:
    if isinstance(value, Mapping):
        return [value]
    return value if isinstance(value, list) else []


async def _entry(books: Books, row: Json, paid_out: Mapping[str, str]) -> EntryRow:
    kind, ref = kind_of(row), str(row["id"])
    about = await _about(books, row.get("source")) if kind in _ABOUT_PAYMENTS else About()
    source_ref = id_of(row.get("source")) or ""
    amount, fee = int(row["amount"]), int(row.get("fee") or 0)
    net = row.get("net")
    return EntryRow(
        ref=ref, kind=kind, source_ref=source_ref, payment_id=about.payment_id,
        payout_ref=source_ref if kind in ("payout", "payout_failure") else paid_out.get(ref),
        amount_minor=amount, fee_minor=fee, net_minor=amount - fee if net is None else int(net),
        currency=str(row["currency"]).upper(), made_at=made_at(row), processor_ref=about.processor_ref,
        refund_id=about.refund_id)


def kind_of(row: Json) -> str:
    """Disputes have no type of their own: Stripe writes them as adjustments, told apart by category or source."""
    kind = str(row.get("type") or "")
    if kind != "adjustment":
        return KINDS.get(kind, "other")
    category = str(row.get("reporting_category") or "")
    if category in ("dispute", "dispute_reversal") or (id_of(row.get("source")) or "").startswith(("dp_", "du_")):
        return "dispute" if int(row["amount"]) < 0 else "dispute_reversal"
    return {"refund": "refund", "refund_failure": "refund", "fee": "fee"}.get(category, "other")


async def _paid_out(books: Books, since: datetime, until: datetime) -> dict[str, str]:
    """Balance transaction -> payout. Stripe tells it from the payout's side only, and only of automatic ones."""
    found: dict[str, str] = {}
    async for payout in every(books.v1.payouts.list_async, {"created": between(since, until)}):
        if not is_between(payout, since, until) or payout.get("automatic") is False:
            continue
        try:
            async for row in every(books.v1.balance_transactions.list_async, {"payout": payout["id"]}):
                found[str(row["id"])] = str(payout["id"])
        except stripe.InvalidRequestError:
            continue  # a payout made by hand: which rows it took is not known to anybody
    return found


async def _about(books: Books, source: object) -> About:
    """The payment behind a charge, refund or dispute; asks where the source was not expanded or does not say."""
    thing = source if isinstance(source, Mapping) else await _look_up(books, id_of(source))
    ref = id_of(thing.get("payment_intent"))
    payment_id = our(thing, "payment_id")
    if payment_id is None:
        parent = await _look_up(books, ref or id_of(thing.get("charge")))
        ref = ref or id_of(parent.get("payment_intent"))
        payment_id = our(parent, "payment_id")
    if payment_id is None and ref:
        payment_id = our(await _look_up(books, ref), "payment_id")
    return About(payment_id, our(thing, "refund_id"), ref or id_of(thing.get("charge")) or id_of(thing) or "")


async def _look_up(books: Books, ref: str | None) -> Json:
    """The object with that id; empty if its kind is not one of ours, or the server has it no more."""
    if not ref:
        return {}
    if ref not in books.known:
        books.known[ref] = await _retrieve(books.v1, ref)
    return books.known[ref]


async def _retrieve(v1: V1Services, ref: str) -> Json:
    try:
        match ref.partition("_")[0]:
            case "pi":
                return await fetch(v1.payment_intents.retrieve_async(ref))
            case "ch" | "py":
                return await fetch(v1.charges.retrieve_async(ref))
            case "re" | "pyr":
                return await fetch(v1.refunds.retrieve_async(ref))
            case "dp" | "du":
                return await fetch(v1.disputes.retrieve_async(ref))
    except stripe.InvalidRequestError:
        pass
    return {}
