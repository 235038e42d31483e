"""News of a payment that has not brought money: declined, run out, given up, with a bank, waiting for the patient."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import methods, plan_money
from billing import payment_status as life
from billing.payment_events import ProcessorEvent
from billing.payment_limits import ON_FILE
from billing.payment_news import call_staff, tell_patient
from billing.policy import retries
from billing.store import money_queries
from billing.store.tables import Payment


def failed(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _end(session, payment, event, life.FAILED, event.reason or "declined", now)


def expired(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _end(session, payment, event, life.EXPIRED, "expired", now)


def cancelled(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """A charge that waited for the patient was given up. An intent of a page that is cancelled ends nothing here: the
    page says itself when it has run out.
    """
    if payment.way in ON_FILE:
        why = "authentication_required" if payment.way == "autopay" else "not_confirmed"
        _end(session, payment, event, life.CANCELLED, why, now)


def _end(session: Session, payment: Payment, event: ProcessorEvent, status: str, reason: str, now: datetime) -> None:
    """Late news of an earlier page, or of one that was paid in the meantime, changes nothing. While another page is
    being made, it has no name here yet.
    """
    replaced = payment.session_ref is None and payment.attempt > 1
    stale = bool(event.session_ref) and (replaced or payment.session_ref not in (None, event.session_ref))
    if stale or not life.may_move(payment.status, status):
        return
    if payment.way in ON_FILE:
        payment.processor_ref = event.processor_ref or payment.processor_ref
    end(session, payment, status, reason, now)


def end(session: Session, payment: Payment, status: str, reason: str, now: datetime) -> None:
    """A payment ends without money: its card is spared if its bank said no for good, its plan and the patient hear."""
    life.move(payment, status)
    payment.failure = reason[:200]
    session.flush()
    if status == life.FAILED:
        _spare_card(session, payment, reason, now)
    if payment.plan_id is not None:
        plan_money.note_failed(session, payment, now)
    if payment.way != "autopay":  # the plan words that itself, with a way on
        tell_patient(session, payment, "payment_failed", f"{payment.id}:{payment.attempt}:{status}", now,
                     reason=reason)


def _spare_card(session: Session, payment: Payment, code: str, now: datetime) -> None:
    """Lost, stolen, closed, revoked: never charged again (T-49, T-50)."""
    if payment.method_id is None or payment.way not in ON_FILE:
        return
    method = money_queries.method_of(session, payment.practice_id, payment.method_id)
    if method is not None and retries.kind_of(code, method.kind) in ("hard", "revoked"):
        methods.fail(session, payment.practice_id, method.id, code, now)


def processing(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """A bank works on it; it is a bank debit where the event says so. Of a cancelled one too: its money is on the way,
    and counts in what others may pay (billing/payment_limits.py).
    """
    if payment.status == life.CANCELLED:
        call_staff(session, payment.practice_id, "payment_after_cancel", payment.id,
                   "its page was still open: a bank debit is under way, and its money will be put where it was meant "
                   "for", now, payment)
    if life.may_move(payment.status, life.PENDING):
        life.move(payment, life.PENDING)
    if payment.status == life.PENDING:
        payment.processor_ref = event.processor_ref or payment.processor_ref
        payment.tender = event.tender or payment.tender


def needs_patient(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The patient's bank wants to ask them. On a hosted page they are being asked already."""
    if payment.way not in ON_FILE or not life.may_move(payment.status, life.NEEDS_PATIENT):
        return
    life.move(payment, life.NEEDS_PATIENT)
    payment.processor_ref = event.processor_ref or payment.processor_ref
    payment.session_url = event.next_url or payment.session_url
    tell_patient(session, payment, "needs_patient", payment.id, now)
