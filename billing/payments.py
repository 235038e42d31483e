"""Patients' payments: asked for, paid, failed, given back. A payment becomes paid in ``_settle`` and nowhere else.

Whoever brings the news (webhook, return page, reconciliation, the answer of a charge) calls ``apply_event``, any number
of times and in any order; the desk records what it took by ``record_desk_payment``. Money that arrives is never
dropped: what cannot be put where the patient meant it becomes credit of the account and a case for staff (DESIGN.md,
"Unknown outcomes"; receivables.md D3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import (
    closing,
    methods,
    payment_attempts,
    payment_disputes,
    plan_money,
    refund_news,
    settlement_offers,
    setups,
)
from billing import payment_status as life
from billing.credit_lines import credits  # noqa: A004  (payments.credits)
from billing.dues import local_day
from billing.ids import new_id
from billing.overpayments import apply_credit, flag_federal
from billing.payment_events import SAY_IT_WAS_PAID, ProcessorEvent, fits, in_words, of_other_charge, when
from billing.payment_limits import desk_warning, end_overtaken
from billing.payment_news import call_staff, tell_of_card, tell_patient
from billing.payment_posting import plan_parts, post_paid
from billing.payment_requests import RequestContext, cancel, mark_link_sent, request
from billing.payment_story import life_of
from billing.reallocation import reallocate
from billing.store import payment_queries as store
from billing.store.tables import Payment

__all__ = ["ProcessorEvent", "RequestContext", "apply_credit", "apply_event", "cancel", "credits", "desk_warning",
           "flag_federal", "life_of", "mark_link_sent", "reallocate", "record_desk_payment", "request"]

DESK = frozenset({"cash", "check", "terminal"})


def record_desk_payment(
    session: Session, practice_id: str, guarantor_id: str, *, amount_minor: int, currency: str, tender: str,
    reference: str, recorded_by: str, now: datetime, split: tuple[tuple[str, int], ...] = (),
    plan_id: str | None = None, instalment: int | None = None, statement_id: str | None = None,
) -> Payment:
    """Record cash, a check or the terminal's slip (``tender``: cash, check, terminal), paid at once.

    ``reference`` (receipt or check number) makes it once: the same reference again returns the first payment, and one
    that another account or amount was recorded under is refused. It is put by D3: ``split`` (visit id, cents), else the
    plan's visits, else the statement's, else the oldest that is due. Its day is the first that is not closed. A payment
    page that the patient has open for the same is ended; ask ``desk_warning`` before the money is taken. Raises
    ValueError for an amount, tender or reference that cannot be.
    """
    if amount_minor <= 0 or tender not in DESK:
        raise ValueError("a desk payment is a positive amount in cash, by check or by terminal")
    key = f"desk:{tender}:{reference}"
    store.lock_guarantor(session, guarantor_id)
    before = store.by_key(session, practice_id, key)
    if before is not None and (before.guarantor_id, before.amount_minor) != (guarantor_id, amount_minor):
        raise ValueError(f"this reference was used for another {tender} payment, {before.id}")
    if before is not None:
        return before
    payment = store.add(session, Payment(
        id=new_id("pay"), practice_id=practice_id, guarantor_id=guarantor_id, amount_minor=amount_minor,
        refunded_minor=0, currency=currency, processor="manual", tender=tender, way="desk", status=life.CREATED,
        instruction=[list(part) for part in split], plan_id=plan_id, instalment=instalment,
        statement_id=statement_id, balance_version=0, language="en", idempotency_key=key, attempt=0,
        recorded_by=recorded_by, created_at=now))
    on = closing.open_day(session, practice_id, local_day(session, practice_id, now))
    _settle(session, payment, now, now, on)
    return payment


def apply_event(session: Session, practice_id: str, event: ProcessorEvent, now: datetime) -> Payment | None:
    """Make true what a processor says. Idempotent, in any order; returns the payment, or None for a stranger's event
    and for news of a card that concern no payment.

    Raises nothing for contradictions: they become cases.
    """
    if event.kind in _OF_CARDS:
        _OF_CARDS[event.kind](session, practice_id, event, now)
        return None
    act = _ACTS.get(event.kind)
    if act is None or event.setup_id:
        return None
    payment = store.lock_for_event(session, practice_id, event.payment_id, event.session_ref, event.processor_ref)
    if payment is None:
        if event.payment_id and event.kind == "paid" and store.practice(session, practice_id) is not None:
            call_staff(session, practice_id, "payment_unmatched", event.processor_ref, in_words(event), now)
        return None
    if not fits(payment, event):
        call_staff(session, practice_id, "payment_mismatch", f"{payment.id}:{event.kind}",
                   f"asked {payment.amount_minor} {payment.currency}, told {in_words(event)}", now, payment)
        return payment
    if event.kind in SAY_IT_WAS_PAID:
        _presume_paid(session, payment, event, now)
    act(session, payment, event, now)
    return payment


def _paid(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    _keep_card(session, payment, event, now)
    if payment.status in life.TOOK_MONEY:
        if of_other_charge(payment, event):
            _second_money(session, payment, event, now)
        return
    cancelled = payment.status == life.CANCELLED
    _take_refs(payment, event)
    _settle(session, payment, when(payment, event, now), now)
    if cancelled:
        call_staff(session, payment.practice_id, "payment_after_cancel", payment.id,
                   "its page was still open and was paid; the money was put where it was meant for", now, payment)


def _presume_paid(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """Only what was paid can be refunded or disputed: the news that it was paid is merely late."""
    if payment.status not in life.TOOK_MONEY:
        _take_refs(payment, event)
        _settle(session, payment, when(payment, event, now), now)


def _take_refs(payment: Payment, event: ProcessorEvent) -> None:
    """Before the money is booked: the cash account that it goes to is named after what it was paid with."""
    payment.processor_ref = event.processor_ref or payment.processor_ref
    payment.session_ref = event.session_ref or payment.session_ref
    payment.tender = event.tender or payment.tender


def _keep_card(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The patient asked on the page for the card to be kept."""
    if event.method is not None and payment.saves_method:
        kept = methods.keep(session, payment.practice_id, payment.guarantor_id, event.method, now)
        payment.method_id = payment.method_id or kept.id
        if kept.last4:
            tell_of_card(session, payment.conversation_id, kept, now)


def _settle(session: Session, payment: Payment, paid_at: datetime, now: datetime, on: date | None = None) -> None:
    """The one place where a payment becomes paid. ``on``: the day it is booked on, if not paid_at's or the
    first open one after it.
    """
    store.lock_guarantor(session, payment.guarantor_id)
    parts = plan_parts(session, payment, now)
    post_paid(session, payment, parts, "paid", on or closing.booking_day(session, payment.practice_id, paid_at), now)
    life.move(payment, life.SUCCEEDED)
    payment.paid_at, payment.failure = paid_at, None
    plan_money.note_paid(session, payment, parts, now)
    settlement_offers.note_paid(session, payment.guarantor_id, now,
                                local_day(session, payment.practice_id, paid_at))
    tell_patient(session, payment, "payment_paid", payment.id, now)
    end_overtaken(session, payment, now)
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
    on = closing.booking_day(session, payment.practice_id, when(payment, event, now))
    post_paid(session, payment, parts, ref, on, now)
    call_staff(session, payment.practice_id, "payment_twice", f"{payment.id}:{event.processor_ref}",
               f"paid twice: {in_words(event)}", now, payment)


def _card_given(session: Session, practice_id: str, event: ProcessorEvent, now: datetime) -> None:
    setups.finish(session, practice_id, event, now)


def _card_page_over(session: Session, practice_id: str, event: ProcessorEvent, now: datetime) -> None:
    setups.expire(session, practice_id, event)


def _card_gone(session: Session, practice_id: str, event: ProcessorEvent, now: datetime) -> None:
    if event.method is not None:
        methods.gone(session, practice_id, event.method.method_ref, now)


_OF_CARDS: Mapping[str, Callable[[Session, str, ProcessorEvent, datetime], None]] = {
    "method_saved": _card_given, "setup_expired": _card_page_over, "method_gone": _card_gone,
}

_ACTS: Mapping[str, Callable[[Session, Payment, ProcessorEvent, datetime], None]] = {
    "paid": _paid, "failed": payment_attempts.failed, "expired": payment_attempts.expired,
    "cancelled": payment_attempts.cancelled, "processing": payment_attempts.processing,
    "needs_patient": payment_attempts.needs_patient, "refunded": refund_news.total_told,
    "refund_made": refund_news.made, "refund_pending": refund_news.pending, "refund_failed": refund_news.failed,
    "disputed": payment_disputes.opened, "dispute_won": payment_disputes.won, "reinstated": payment_disputes.won,
    "dispute_lost": payment_disputes.lost, "returned": payment_disputes.returned,
}
