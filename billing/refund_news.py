"""What a processor says of refunds, believed in any order: the books give back as much as is known to have gone.

Two kinds of news overlap: "refunded" tells all that a charge has given back so far, refund_* tells of one refund. Each
raises what the books gave back to at least what it knows; only a refund that failed takes its own cents off again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, plan_money
from billing import refund_status as life
from billing.allocation import Part, spread
from billing.closing import booking_day
from billing.ids import new_id
from billing.payment_events import ProcessorEvent, in_words, of_other_charge, when
from billing.payment_news import call_staff, tell_of_refund
from billing.payment_posting import given_back, next_ref, plan_parts, post_back, post_missed, post_returned_refund
from billing.payment_standing import restate
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.tables import Payment, Refund

#: Who asked for a refund that was made at the processor itself.
BY_PROCESSOR = "processor"

#: The processor has taken these out of its balance, or is about to.
_LEFT = frozenset({life.SENT, life.SUCCEEDED})


def total_told(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """So many cents of a charge have been given back in all. The processor takes what failed off its own total, so
    that only what failed after it said so is taken off here.
    """
    charge, at = of_other_charge(payment, event), when(payment, event, now)
    failed = sum(row.amount_minor for row in _of_charge(session, payment, charge) if _failed_since(row, at))
    _raise_to(session, payment, charge, event.amount_minor - failed, at, now)


def _failed_since(row: Refund, at: datetime) -> bool:
    """Whether a refund was at the processor at ``at`` and has failed since. One that never got there (refused, not
    made) has no name of the processor's; of one that we only hear of now nobody knows when it was begun.
    """
    begun = row.requested_by == BY_PROCESSOR or row.requested_at <= at
    return (row.status == life.FAILED and row.processor_ref is not None and begun
            and row.settled_at is not None and row.settled_at >= at)


def made(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    row = _row(session, payment, event, now)
    if row.status != life.SUCCEEDED and not life.may_move(row.status, life.SUCCEEDED):
        return
    _believe_amount(session, payment, row, event, now)
    if row.status != life.SUCCEEDED:
        life.move(row, life.SUCCEEDED)
        row.settled_at = when(payment, event, now)
        tell_of_refund(session, payment, row, now)
    charge = row.charge_ref or ""
    known = sum(r.amount_minor for r in _of_charge(session, payment, charge) if r.status == life.SUCCEEDED)
    _raise_to(session, payment, charge, known, when(payment, event, now), now)


def _believe_amount(session: Session, payment: Payment, row: Refund, event: ProcessorEvent, now: datetime) -> None:
    """What left is what the processor says, not what was asked for; the difference is a person's to settle. What was
    booked already is not booked again at another amount.
    """
    if event.amount_minor == row.amount_minor:
        return
    call_staff(session, payment.practice_id, "refund_mismatch", f"{row.id}:{event.amount_minor}",
               f"refund {row.id}: asked {row.amount_minor} {row.currency}, told {in_words(event)}", now, payment)
    if row.status != life.SUCCEEDED:
        audit.record(session, payment.practice_id, BY_PROCESSOR, "refund_amount", "payment", payment.id,
                     f"{row.amount_minor} was asked for, {event.amount_minor} went back", now)
        row.amount_minor = event.amount_minor


def pending(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    row = _row(session, payment, event, now)
    if life.may_move(row.status, life.SENT):
        life.move(row, life.SENT)


def failed(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> None:
    """The bank would not take it: the money is with the practice again, and a person finds another way."""
    row = _row(session, payment, event, now)
    if row.status == life.FAILED or not life.may_move(row.status, life.FAILED):
        return
    end(session, payment, row, event.reason or "failed", now, when(payment, event, now))


def end(session: Session, payment: Payment, row: Refund, why: str, now: datetime, at: datetime | None = None) -> None:
    """A refund came to nothing (``at``, if not now); if the books had given it back already, that is undone."""
    life.move(row, life.FAILED)
    row.failure, row.settled_at = why[:200], at or now
    charge = row.charge_ref or ""
    others = sum(r.amount_minor for r in _of_charge(session, payment, charge) if r.status in _LEFT)
    back = min(given_back(session, payment.id, _prefix(charge)) - others, row.amount_minor)
    if back > 0:
        _take_in(session, payment, charge, back, now)
    call_staff(session, payment.practice_id, "refund_failed", row.id,
               f"refund {row.id} of {row.amount_minor} {row.currency}: {row.failure}", now, payment)


def _row(session: Session, payment: Payment, event: ProcessorEvent, now: datetime) -> Refund:
    """Our refund, or a new row for one that was made at the processor itself."""
    row = store.refund_of(session, payment.practice_id, event.refund_id) if event.refund_id else None
    if row is None and event.refund_ref:
        row = store.refund_by_ref(session, payment.id, event.refund_ref)
    if row is None:
        row = store.add(session, Refund(
            id=new_id("rf"), practice_id=payment.practice_id, payment_id=payment.id,
            guarantor_id=payment.guarantor_id, charge_ref=of_other_charge(payment, event) or None,
            amount_minor=event.amount_minor, currency=payment.currency, tender="original", reason="other", note="",
            status=life.APPROVED, requested_by=BY_PROCESSOR, requested_at=when(payment, event, now),
            dedupe=f"processor:{event.refund_ref or event.refund_id or in_words(event)}"))
    row.processor_ref = event.refund_ref or row.processor_ref
    return row


def _of_charge(session: Session, payment: Payment, charge: str) -> list[Refund]:
    """Refunds that went back through the processor, of one of the payment's charges."""
    session.flush()
    return [row for row in store.refunds_of(session, payment.id)
            if row.tender == "original" and (row.charge_ref or "") == charge]


def _prefix(charge: str) -> str:
    return f"refund:{charge or 'main'}:paid:"


def _raise_to(session: Session, payment: Payment, charge: str, total_minor: int, at: datetime, now: datetime) -> None:
    more = total_minor - given_back(session, payment.id, _prefix(charge))
    if more <= 0:
        return
    ref = next_ref(session, payment, f"{_prefix(charge)}{total_minor}")
    rest = post_back(session, payment, more, ref, booking_day(session, payment.practice_id, at), now)
    _restated(session, payment, charge, more)
    plan_money.note_back(session, payment, now)
    if rest:
        call_staff(session, payment.practice_id, "refund_unplaced", f"{payment.id}:{total_minor}",
                   f"{rest} {payment.currency} of a refund belong to no visit of the payment", now, payment)


def _take_in(session: Session, payment: Payment, charge: str, amount_minor: int, now: datetime) -> None:
    """The cents pay again what they had been taken from, as far as it is still owed."""
    ref = next_ref(session, payment, f"{_prefix(charge)}back")
    on = booking_day(session, payment.practice_id, now)
    left = post_missed(session, payment, amount_minor, ref, on, now)
    taken = payment_queries.taken_from_visits(session, payment.id, f"{payment.id}:{_prefix(charge)}")
    total = sum(minor for _, minor in taken)
    back = list(spread(min(left, total), taken)) if total else []
    parts: tuple[Part, ...] = plan_parts(session, payment, now, amount_minor=left, instruction=back)
    post_returned_refund(session, payment, parts, ref, on, now)
    _restated(session, payment, charge, -amount_minor)
    plan_money.note_paid(session, payment, parts, now)


def _restated(session: Session, payment: Payment, charge: str, more_minor: int) -> None:
    if not charge:
        payment.refunded_minor = min(payment.refunded_minor + more_minor, payment.amount_minor)
    restate(session, payment)
