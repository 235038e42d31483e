"""Chargebacks and late returns of bank debits, as the processor tells of them, in whatever order.

While a dispute is open the money is owed again and not asked for: a hold stands with the case. Won, the money pays what
it paid before; lost, a person decides whether it is billed again and closes the case. The processor's fee is
booked here, or from its own books, whichever comes first. The pack of evidence is billing/dispute_evidence.py; staff
hand it in themselves (T-53).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases, holds, plan_money
from billing.closing import booking_day
from billing.dispute_cases import case_key, open_cases
from billing.dispute_evidence import evidence
from billing.dispute_status import CLOSED, CONTESTABLE
from billing.ids import new_id
from billing.payment_events import ProcessorEvent, in_words, when
from billing.payment_news import call_staff, tell_patient
from billing.payment_posting import cash, given_back, plan_parts, post_back, post_dispute_fee, post_missed, post_paid
from billing.payment_standing import restate
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.tables import Payment, PaymentDispute

__all__ = ["DisputeRefused", "evidence", "listing", "lost", "mark_evidence_sent", "opened", "returned", "won"]

#: A bank debit that its owner says was never allowed is in dispute; one that bounced is simply owed again.
NEVER_ALLOWED = frozenset({"debit_not_authorized", "R05", "R07", "R10", "R11", "R29"})


class DisputeRefused(ValueError):
    """No such dispute, or a step that its life does not have."""


def opened(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The bank took the money back. It is owed again but not asked for until the dispute is over."""
    row = _row(session, payment, event, now)
    if row.status in CLOSED:
        return
    if event.inquiry:
        _call(session, payment, row, event, "bank_inquiry", now)
        return
    if row.status == "inquiry":
        row.status = "open"
    _withdraw(session, payment, row, now)
    _call(session, payment, row, event, "chargeback", now, hold="dispute")


def won(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The money is back and pays what it paid before, as far as that is still owed."""
    row = _row(session, payment, event, now)
    if row.status in ("won", "returned"):
        return
    row.status, row.closed_at = "won", when(payment, event, now)
    taken_minor = given_back(session, payment.id, f"dispute:{_name(row)}:")
    _end_hold(session, payment, row, now)
    if taken_minor > 0:
        _reinstate(session, payment, row, taken_minor, now)
    restate(session, payment)


def _reinstate(session: Session, payment: Payment, row: PaymentDispute, amount_minor: int, now: datetime) -> None:
    ref, on = f"reinstated:{_name(row)}", booking_day(session, payment.practice_id, now)
    before = payment_queries.taken_from_visits(session, payment.id, f"{payment.id}:dispute:{_name(row)}:")
    left = post_missed(session, payment, amount_minor, ref, on, now)
    parts = plan_parts(session, payment, now, amount_minor=left, instruction=before)
    post_paid(session, payment, parts, ref, on, now)
    plan_money.note_paid(session, payment, parts, now)


def lost(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The bank keeps the money. The hold stands until a person has decided what follows and closes the case."""
    row = _row(session, payment, event, now)
    if row.status in ("lost", "returned"):
        return
    if row.status == "won":
        call_staff(session, payment.practice_id, "payment_mismatch", f"{payment.id}:{_name(row)}:lost",
                   f"told lost after it was won: {in_words(event)}", now, payment)
        return
    row.status, row.closed_at = "lost", when(payment, event, now)
    _withdraw(session, payment, row, now)
    _call(session, payment, row, event, "chargeback", now, hold="dispute")


def returned(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """A bank debit came back after it had been paid: owed again, with the age it had (D3)."""
    row = _row(session, payment, event, now)
    if row.status in CLOSED:
        return
    row.status, row.closed_at = "returned", when(payment, event, now)
    payment.failure = (event.reason or "returned")[:200]
    _take(session, payment, row, f"returned:{_name(row)}", now)
    restate(session, payment)
    told = plan_money.note_back(session, payment, now)
    hold = "dispute" if event.reason in NEVER_ALLOWED else ""
    _call(session, payment, row, event, "bank_return", now, hold=hold)
    if not told:  # the news of the plan says both
        tell_patient(session, payment, "payment_failed", f"{payment.id}:returned", now, reason="returned")


def mark_evidence_sent(session: Session, practice_id: str, dispute_id: str, *, by: str,
                       now: datetime) -> PaymentDispute:
    """Staff have handed the evidence in at the processor. Raises DisputeRefused."""
    row = store.dispute_by_id(session, practice_id, dispute_id)
    if row is None:
        raise DisputeRefused(f"there is no dispute {dispute_id}")
    if row.status not in CONTESTABLE:
        raise DisputeRefused(f"this dispute is {row.status}; evidence is handed in while it is open")
    if row.status == "open":
        row.status = "evidence_sent"
    audit.record(session, practice_id, by, "evidence_sent", "payment", row.payment_id, row.reason[:60], now)
    return row


def listing(session: Session, practice_id: str, status: str | None = None) -> Sequence[PaymentDispute]:
    """Oldest first."""
    return store.disputes_in(session, practice_id, status)


def _row(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> PaymentDispute:
    """The dispute as it stands, made when this is the first that is heard of it."""
    ref = event.dispute_ref or f"{payment.id}:bank"
    row = next((one for one in store.disputes_of(session, payment.id) if one.processor_ref == ref), None)
    if row is None:
        row = store.add(session, PaymentDispute(
            id=new_id("disp"), practice_id=payment.practice_id, payment_id=payment.id, processor_ref=ref,
            amount_minor=event.amount_minor or payment.amount_minor, fee_minor=0, reason=event.reason,
            status="inquiry" if event.inquiry else "open", evidence_due_at=event.evidence_due_at,
            opened_at=when(payment, event, now)))
    if event.fee_minor > row.fee_minor:  # late news may know less; a fee that is given back is found in the books
        row.fee_minor = event.fee_minor
        post_dispute_fee(session, payment.practice_id, ref, row.fee_minor, payment.currency, cash(payment),
                         booking_day(session, payment.practice_id, now), now)
    row.evidence_due_at = event.evidence_due_at or row.evidence_due_at
    row.reason = event.reason or row.reason
    return row


def _name(row: PaymentDispute) -> str:
    """As references within the payment call it; they begin with the payment's id already."""
    return row.processor_ref.removeprefix(f"{row.payment_id}:")


def _withdraw(session: Session, payment: Payment, row: PaymentDispute, now: datetime) -> None:
    fresh = given_back(session, payment.id, f"dispute:{_name(row)}:") == 0
    if fresh:
        _take(session, payment, row, f"dispute:{_name(row)}", now)
    restate(session, payment)
    if fresh:
        plan_money.note_back(session, payment, now)


def _take(session: Session, payment: Payment, row: PaymentDispute, ref: str, now: datetime) -> None:
    rest = post_back(session, payment, row.amount_minor, ref, booking_day(session, payment.practice_id, now), now)
    if rest:
        call_staff(session, payment.practice_id, "refund_unplaced", f"{payment.id}:{ref}",
                   f"{rest} {payment.currency} that the bank took belong to no visit of the payment", now, payment)


def _call(session: Session, payment: Payment, row: PaymentDispute, event: ProcessorEvent, kind: str, now: datetime, *,
          hold: str = "") -> None:
    due = f"; evidence is due by {row.evidence_due_at.isoformat(timespec='minutes')}" if row.evidence_due_at else ""
    call_staff(session, payment.practice_id, kind, case_key(payment, row),
               f"dispute {row.id}, {row.status}, {row.reason or 'no reason given'}: {in_words(event)}{due}", now,
               payment, hold=hold)


def _end_hold(session: Session, payment: Payment, row: PaymentDispute, now: datetime) -> None:
    """The dispute's own hold ends with it; its case says so and is closed by whoever has it."""
    for case in open_cases(session, payment.practice_id, [(row, payment)])[row.id]:
        cases.add_note(session, payment.practice_id, case.id, by="plainbill", body="the dispute was won", now=now)
        holds.release_from(session, payment.practice_id, f"case:{case.id}", released_by="plainbill",
                           reason="the dispute was won", now=now)
