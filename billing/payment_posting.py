"""How a payment's money meets the ledger: which accounts it is credited to, and which give it back.

A reference within a payment says what moved: ``paid``, ``extra:CHARGE`` (paid twice), ``refund:main:...``,
``dispute:...``, ``reinstated:...``, ``returned:...``, ``moved:...`` (put elsewhere); billing/verify.py reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import ledger
from billing.allocation import Part, take_back
from billing.ledger import Posting
from billing.payment_places import MUST_NOT_KEEP, plan_parts
from billing.settlement import settle
from billing.store import payment_queries
from billing.store.tables import Payment

__all__ = ["MUST_NOT_KEEP", "cash", "given_back", "hand_cash", "next_ref", "plan_parts", "post_back",
           "post_dispute_fee", "post_missed", "post_moved", "post_paid", "post_returned_refund"]


def cash(payment: Payment) -> ledger.Account:
    """The clearing account of the money: one per processor and tender. A processor's one balance is the sum over its
    tenders (``cash:stripe:card`` and ``cash:stripe:bank``).
    """
    return ledger.wide(f"cash:{payment.processor}:{payment.tender}")


def hand_cash(tender: str) -> ledger.Account:
    """The desk's own: cash in the drawer, checks written or taken."""
    return ledger.wide(f"cash:manual:{tender}")


def post_paid(session: Session, payment: Payment, parts: Sequence[Part], ref: str, on: date, now: datetime) -> None:
    """Debit the cash, credit the parts. ``ref`` names the event within the payment: "paid", "reinstated" ..."""
    _post(session, payment, [
        _posting(payment, cash(payment), _account(payment, part), part, "patient_payment", ref, on) for part in parts
    ], on, now)


def post_back(session: Session, payment: Payment, amount_minor: int, ref: str, on: date, now: datetime, *,
              out_of: ledger.Account | None = None) -> int:
    """Take money back out of the account, so that what it paid is owed again; return the cents that no account of
    the payment could give (they are posted against refunds_payable and want a person).

    ``out_of``: the cash account it leaves by, when that is not the one it came in by (a refund by check).
    """
    till = out_of or cash(payment)
    net = payment_queries.net_of_payment(session, payment.id)
    parts = take_back(amount_minor, _credit_at_hand(session, payment, net),
                      [Part(n.visit_id, n.amount_minor) for n in net])
    rest = amount_minor - sum(part.amount_minor for part in parts)
    postings = [_posting(payment, _account(payment, p), till, p, "refund", ref, on) for p in parts]
    if rest:
        postings.append(_posting(payment, ledger.wide("refunds_payable"), till, Part(None, rest), "refund",
                                 f"{ref}:payable", on))
    _post(session, payment, postings, on, now)
    return rest


def post_returned_refund(session: Session, payment: Payment, parts: Sequence[Part], ref: str, on: date,
                         now: datetime) -> None:
    """A refund came back: the money is in the cash again and pays the parts again."""
    _post(session, payment, [
        _posting(payment, cash(payment), _account(payment, part), part, "refund", ref, on) for part in parts], on, now)


def post_missed(session: Session, payment: Payment, amount_minor: int, ref: str, on: date, now: datetime) -> int:
    """Of ``amount_minor`` that came in again, settle first what had gone back although no account of the payment held
    it (the same money was refunded and disputed); return the cents that are left to pay anything.
    """
    missed = min(payment_queries.payable_of(session, payment.id), amount_minor)
    if missed > 0:
        _post(session, payment, [_posting(payment, cash(payment), ledger.wide("refunds_payable"), Part(None, missed),
                                          "refund", f"{ref}:payable", on)], on, now)
    return amount_minor - max(missed, 0)


def post_moved(session: Session, payment: Payment, reversing: Sequence[Posting], parts: Sequence[Part], ref: str,
               on: date, now: datetime) -> None:
    """Undo some of a payment's postings and put the same money on other parts, in one transaction."""
    postings = [*reversing, *(
        _posting(payment, cash(payment), _account(payment, part), part, "patient_payment", ref, on) for part in parts)]
    _post(session, payment, postings, on, now)


def post_dispute_fee(session: Session, practice_id: str, dispute_ref: str, fee_minor: int, currency: str,
                     till: ledger.Account, on: date, now: datetime) -> int:
    """The processor's fees for a dispute, out of its balance and into our fees. ``fee_minor`` is all so far, so that
    whoever tells first books it: the dispute's own news, or the processor's books. Returns the cents booked now; below
    zero where a fee was given back.
    """
    prefix = f"fee:dispute:{dispute_ref}:"
    more = fee_minor - payment_queries.fees_under(session, practice_id, prefix)
    if more:
        newest = payment_queries.newest_under(session, practice_id, prefix)
        ledger.post(session, [Posting(
            practice_id, ledger.wide("fees"), till, abs(more), currency, "processor_fee", on, "payment",
            f"{prefix}{newest}").flipped_if(more < 0)], now)
    return more


def given_back(session: Session, payment_id: str, ref_prefix: str) -> int:
    """Cents that have left the cash under references of this payment that begin so, less what came back."""
    return -payment_queries.cash_under(session, payment_id, f"{payment_id}:{ref_prefix}")


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


def next_ref(session: Session, payment: Payment, name: str) -> str:
    """A reference for something that may happen to a payment several times: it ends in the newest transfer seen, so
    that it is new when something has happened and the same when nothing has.
    """
    return f"{name}:{payment_queries.newest_transfer(session, payment.id)}"


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
