"""How a payment's money meets the ledger: which accounts it is credited to, and which give it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import ledger
from billing.allocation import Part, allocate, take_back
from billing.dues import due_visits
from billing.ledger import Posting
from billing.settlement import settle
from billing.store import ledger_queries, payment_queries
from billing.store.tables import Payment

#: Money that arrives for an account or visit under one of these may have to go back: it waits as unapplied credit.
MUST_NOT_KEEP = frozenset({"bankruptcy", "deceased", "litigation", "agency", "qmb"})


def cash(payment: Payment) -> ledger.Account:
    """The clearing account of the money: one per processor and tender."""
    return ledger.wide(f"cash:{payment.processor}:{payment.tender}")


def plan_parts(session: Session, payment: Payment, now: datetime, *, to_credit: bool = False,
               amount_minor: int | None = None) -> tuple[Part, ...]:
    """Spread the payment (or ``amount_minor`` of it) over the account as it stands; the guarantor must be locked."""
    amount = payment.amount_minor if amount_minor is None else amount_minor
    if to_credit:
        return (Part(None, amount),)
    barred = payment_queries.open_holds(session, payment.guarantor_id, MUST_NOT_KEEP)
    if any(visit_id is None for visit_id in barred):
        return (Part(None, amount),)
    instruction = [(str(v), int(m)) for v, m in payment.instruction if v not in barred]
    due = [(v, m) for v, m in due_visits(session, payment.practice_id, payment.guarantor_id, now) if v not in barred]
    owed = _owed(session, payment, [v for v, _ in (*instruction, *due)])
    return allocate(amount, instruction, owed, due)


def _owed(session: Session, payment: Payment, visit_ids: Sequence[str]) -> dict[str, int]:
    """Live patient balances; a visit that has gone to another guarantor owes this one's money nothing."""
    own = payment_queries.owned_visits(session, payment.guarantor_id, set(visit_ids))
    balances = ledger_queries.balances_by_key(session, payment.practice_id, [f"patient:{v}" for v in own])
    return {v: balances[f"patient:{v}"] for v in own}


def post_paid(session: Session, payment: Payment, parts: Sequence[Part], ref: str, on: date, now: datetime) -> None:
    """Debit the cash, credit the parts. ``ref`` names the event within the payment: "paid", "reinstated" ..."""
    _post(session, payment, [
        _posting(payment, cash(payment), _account(payment, part), part, "patient_payment", ref, on) for part in parts
    ], on, now)


def post_back(session: Session, payment: Payment, amount_minor: int, ref: str, on: date, now: datetime) -> int:
    """Take money back out of the account, so that what it paid is owed again; return the cents that no account of
    the payment could give (they are posted against refunds_payable and want a person).
    """
    net = payment_queries.net_of_payment(session, payment.id)
    parts = take_back(amount_minor, _credit_at_hand(session, payment, net),
                      [Part(n.visit_id, n.amount_minor) for n in net])
    rest = amount_minor - sum(part.amount_minor for part in parts)
    postings = [_posting(payment, _account(payment, p), cash(payment), p, "refund", ref, on) for p in parts]
    if rest:
        postings.append(_posting(payment, ledger.wide("refunds_payable"), cash(payment), Part(None, rest), "refund",
                                 f"{ref}:payable", on))
    _post(session, payment, postings, on, now)
    return rest


def _post(session: Session, payment: Payment, postings: Sequence[Posting], on: date, now: datetime) -> None:
    ledger.post(session, postings, now)
    visit_ids = {p.visit_id for p in postings if p.visit_id}
    settle(session, payment.practice_id, visit_ids, now=now, today=on, currency=payment.currency)


def _credit_at_hand(session: Session, payment: Payment, net: Sequence[payment_queries.Net]) -> int:
    """Unapplied credit that came from this payment or from the visits it paid, as far as it is still there."""
    there = -ledger.balance(session, payment.practice_id, ledger.credit(payment.guarantor_id))
    own = sum(n.amount_minor for n in net if n.visit_id is None)
    moved = payment_queries.moved_to_credit(session, [n.visit_id for n in net if n.visit_id])
    return max(min(there, own + max(moved, 0)), 0)


def _account(payment: Payment, part: Part) -> ledger.Account:
    return ledger.patient(part.visit_id) if part.visit_id else ledger.credit(payment.guarantor_id)


def _posting(payment: Payment, debit: ledger.Account, credit: ledger.Account, part: Part, code: str, ref: str,
             on: date) -> Posting:
    return Posting(
        practice_id=payment.practice_id, debit=debit, credit=credit, amount_minor=part.amount_minor,
        currency=payment.currency, code=code, effective_on=on,
        source="desk" if payment.processor == "manual" else "payment",
        source_ref=f"{payment.id}:{ref}:{part.visit_id or 'credit'}", guarantor_id=payment.guarantor_id,
        visit_id=part.visit_id, payment_id=payment.id)
