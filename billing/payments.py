"""Patients' payments: asked for, paid, failed, given back. A payment becomes paid in ``apply_event`` and nowhere else.

Whoever brings the news (webhook, return page, reconciliation) calls the same function, any number of times and in any
order. Money that arrives is never dropped: what cannot be put where the patient meant it becomes credit of the
account and a case for staff (DESIGN.md, "Unknown outcomes"; receivables.md D3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing.dues import local_day
from billing.ids import new_id
from billing.payment_news import call_staff, tell_patient
from billing.payment_posting import plan_parts, post_back, post_paid
from billing.payment_requests import RequestContext, cancel, mark_link_sent, request
from billing.store import payment_queries as store
from billing.store.tables import Payment

__all__ = ["ProcessorEvent", "RequestContext", "apply_event", "cancel", "mark_link_sent", "record_desk_payment",
           "refund", "request"]


class ProcessorEvent(Protocol):
    """What a processor says (bot/processors/base.py: PaymentEvent). ``kind``: paid, failed, expired, processing,
    refunded, disputed, reinstated, ignored. For "refunded" the amount is all that was refunded so far.
    """

    @property
    def kind(self) -> str: ...
    @property
    def payment_id(self) -> str | None: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def session_ref(self) -> str: ...
    @property
    def processor_ref(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...


def record_desk_payment(
    session: Session, practice_id: str, guarantor_id: str, *, amount_minor: int, currency: str, tender: str,
    reference: str, recorded_by: str, now: datetime, split: tuple[tuple[str, int], ...] = (),
) -> Payment:
    """Record cash, a cheque or the terminal's slip (``tender``: cash, check, terminal), paid at once.

    ``reference`` (receipt or cheque number) makes it once: the same reference again returns the first payment.
    Raises ValueError for an amount or tender that cannot be.
    """
    if amount_minor <= 0 or tender not in {"cash", "check", "terminal"}:
        raise ValueError("a desk payment is a positive amount in cash, by check or by terminal")
    key = f"desk:{tender}:{reference}"
    store.lock_guarantor(session, guarantor_id)
    before = store.by_key(session, practice_id, key)
    if before is not None:
        return before
    payment = store.add(session, Payment(
        id=new_id("pay"), practice_id=practice_id, guarantor_id=guarantor_id, amount_minor=amount_minor,
        refunded_minor=0, currency=currency, processor="manual", tender=tender, status=life.CREATED,
        instruction=[list(part) for part in split], balance_version=0, language="en", idempotency_key=key, attempt=0,
        recorded_by=recorded_by, created_at=now))
    _settle(session, payment, now, now)
    return payment


def apply_event(session: Session, practice_id: str, event: ProcessorEvent, now: datetime) -> Payment | None:
    """Make true what a processor says. Idempotent, in any order; returns the payment, or None for a stranger's event.

    Raises nothing for contradictions: they become cases.
    """
    act = _ACTS.get(event.kind)
    if act is None:
        return None
    payment = store.lock_for_event(session, practice_id, event.payment_id, event.session_ref, event.processor_ref)
    if payment is None:
        if event.payment_id and event.kind == "paid" and store.practice(session, practice_id) is not None:
            call_staff(session, practice_id, "payment_unmatched", event.processor_ref, _sum(event), now)
        return None
    if not _fits(payment, event):
        call_staff(session, practice_id, "payment_mismatch", f"{payment.id}:{event.kind}",
                   f"asked {payment.amount_minor} {payment.currency}, told {_sum(event)}", now, payment)
        return payment
    act(session, payment, event, now)
    return payment


def _when(payment: Payment, event: ProcessorEvent, now: datetime) -> datetime:
    """The processor's clock is not ours: its time counts only within the payment's life."""
    return max(min(event.occurred_at, now), min(payment.created_at, now))


def _sum(event: ProcessorEvent) -> str:
    return f"{event.kind} {event.amount_minor} {event.currency} ({event.processor_ref or event.session_ref})"


def _fits(payment: Payment, event: ProcessorEvent) -> bool:
    if event.kind in {"expired", "failed", "processing"}:
        return True
    if event.currency != payment.currency:
        return False
    return event.amount_minor == payment.amount_minor if event.kind == "paid" else (
        0 < event.amount_minor <= payment.amount_minor)


def _paid(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    if payment.status in life.TOOK_MONEY:
        if event.processor_ref and payment.processor_ref and event.processor_ref != payment.processor_ref:
            _second_money(session, payment, event, now)
        return
    cancelled = payment.status == life.CANCELLED
    payment.processor_ref = event.processor_ref or payment.processor_ref
    payment.session_ref = event.session_ref or payment.session_ref
    _settle(session, payment, _when(payment, event, now), now)
    if cancelled:
        call_staff(session, payment.practice_id, "payment_after_cancel", payment.id,
                   "its page was still open and was paid; the money was put where it was meant for", now, payment)


def _settle(session: Session, payment: Payment, paid_at: datetime, now: datetime) -> None:
    """The one place where a payment becomes paid."""
    store.lock_guarantor(session, payment.guarantor_id)
    parts = plan_parts(session, payment, now)
    post_paid(session, payment, parts, "paid", local_day(session, payment.practice_id, paid_at), now)
    life.move(payment, life.SUCCEEDED)
    payment.paid_at, payment.failure = paid_at, None
    tell_patient(session, payment, "payment_paid", payment.id, now)
    unapplied = sum(part.amount_minor for part in parts if part.visit_id is None)
    if unapplied:
        call_staff(session, payment.practice_id, "unapplied_credit", payment.id,
                   f"{unapplied} {payment.currency} of the payment fit no visit and wait as credit", now, payment)


def _second_money(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """Two pages of one payment were both paid: the second sum is the patient's, as credit, until a person decides."""
    ref = f"extra:{event.processor_ref}"
    if store.posted_under(session, payment.id, f"{payment.id}:{ref}:"):
        return
    parts = plan_parts(session, payment, now, to_credit=True)
    post_paid(session, payment, parts, ref, local_day(session, payment.practice_id, _when(payment, event, now)), now)
    call_staff(session, payment.practice_id, "payment_twice", f"{payment.id}:{event.processor_ref}",
               f"paid twice: {_sum(event)}", now, payment)


def _failed(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _end_attempt(session, payment, event, life.FAILED, event.reason or "declined", now)


def _expired(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _end_attempt(session, payment, event, life.EXPIRED, "expired", now)


def _end_attempt(session: Session, payment: Payment, event: ProcessorEvent, status: str, reason: str,
                 now: datetime) -> None:
    """Late news of an earlier page, or of one that was paid in the meantime, changes nothing."""
    stale = bool(event.session_ref and payment.session_ref and event.session_ref != payment.session_ref)
    if stale or not life.may_move(payment.status, status):
        return
    life.move(payment, status)
    payment.failure = reason[:200]
    tell_patient(session, payment, "payment_failed", f"{payment.id}:{payment.attempt}:{status}", now, reason=reason)


def _processing(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    if life.may_move(payment.status, life.PENDING):
        life.move(payment, life.PENDING)
    if payment.status == life.PENDING and event.processor_ref:
        payment.processor_ref = event.processor_ref


def _refunded(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _presume_paid(session, payment, event, now)
    if event.processor_ref and payment.processor_ref and event.processor_ref != payment.processor_ref:
        _give_back(session, payment, event.processor_ref, event.amount_minor, _when(payment, event, now), now)
        return
    refund(session, payment, event.amount_minor, _when(payment, event, now), now)


def refund(session: Session, payment: Payment, total_minor: int, at: datetime, now: datetime) -> None:
    """Record that ``total_minor`` cents of a payment have been given back so far: out of the cash, and owed again.

    The same total again, or a smaller one arriving late, does nothing. Raises ValueError when the payment has not
    taken that much.
    """
    if payment.status not in life.TOOK_MONEY or total_minor > payment.amount_minor:
        raise ValueError("no more can be refunded than was paid")
    if total_minor <= payment.refunded_minor:
        return
    _give_back(session, payment, "main", total_minor, at, now)
    payment.refunded_minor = total_minor
    after = life.REFUNDED if total_minor == payment.amount_minor else life.PARTLY_REFUNDED
    if payment.status != after:
        life.move(payment, after)


def _give_back(session: Session, payment: Payment, which: str, total_minor: int, at: datetime, now: datetime) -> None:
    prefix = f"{payment.id}:refund:{which}:"
    more = total_minor - store.posted_under(session, payment.id, prefix)
    if more <= 0:
        return
    rest = post_back(session, payment, more, f"refund:{which}:{total_minor}",
                     local_day(session, payment.practice_id, at), now)
    if rest:
        call_staff(session, payment.practice_id, "refund_unplaced", f"{payment.id}:{total_minor}",
                   f"{rest} {payment.currency} of a refund belong to no visit of the payment", now, payment)


def _presume_paid(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """Only what was paid can be refunded or disputed: the news that it was paid is merely late."""
    if payment.status not in life.TOOK_MONEY:
        payment.processor_ref = event.processor_ref or payment.processor_ref
        _settle(session, payment, _when(payment, event, now), now)


def _disputed(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The bank took the money back. It is owed again but not asked for: a hold stands until the dispute is over."""
    _presume_paid(session, payment, event, now)
    over = store.posted_under(session, payment.id, f"{payment.id}:reinstated:")
    if over or not life.may_move(payment.status, life.DISPUTED):
        return
    amount = min(event.amount_minor, payment.amount_minor - payment.refunded_minor)
    post_back(session, payment, amount, "dispute", local_day(session, payment.practice_id, now), now)
    life.move(payment, life.DISPUTED)
    call_staff(session, payment.practice_id, "chargeback", payment.id, f"disputed at the bank: {_sum(event)}", now,
               payment, hold="dispute")


def _reinstated(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The dispute was won: the money is back and pays what it paid before, as far as that is still owed."""
    taken = store.posted_under(session, payment.id, f"{payment.id}:dispute:")
    if payment.status != life.DISPUTED or not taken:
        return
    parts = plan_parts(session, payment, now, amount_minor=taken)
    post_paid(session, payment, parts, "reinstated", local_day(session, payment.practice_id, now), now)
    life.move(payment, life.PARTLY_REFUNDED if payment.refunded_minor else life.SUCCEEDED)


_ACTS: Mapping[str, Callable[[Session, Payment, ProcessorEvent, datetime], None]] = {
    "paid": _paid, "failed": _failed, "expired": _expired, "processing": _processing, "refunded": _refunded,
    "disputed": _disputed, "reinstated": _reinstated,
}
