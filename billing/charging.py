"""One call to the processor, before and after it is made: whether it may still be made, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing import payments, processor_calls, refund_news, saved_charges
from billing import refund_status as refund_life
from billing.payment_attempts import end
from billing.payment_events import ProcessorEvent
from billing.payment_news import TITLES
from billing.processor_calls import Order
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.tables import Payment, ProcessorCall

#: An answer of one of these kinds says that the charge was made, whatever became of it.
_MADE = frozenset({"paid", "processing", "needs_patient", "failed", "cancelled"})


def begin(session: Session, call_id: str, worker: str, return_url: str, now: datetime) -> Order | None:
    """Ask once more whether a claimed call may be made, and note that it is being made; None when it is not to be."""
    found = store.find_call(session, call_id)
    payment = _lock_payment(session, found)
    row = processor_calls.take(session, call_id, worker)
    if row is None:
        return None
    if row.kind == "charge":
        return _begin_charge(session, row, payment, return_url, now)
    if row.kind == "refund" and not _still_to_send(session, row):
        processor_calls.finish(row, now, code="settled_before")
        return None
    return processor_calls.begin(row, now)


def _lock_payment(session: Session, row: ProcessorCall | None) -> Payment | None:
    """Guarantor and payment before the call: the ledger's lock order."""
    if row is None:
        return None
    if row.kind == "refund":
        refund = store.refund_of(session, row.practice_id, row.object_id)
        return payment_queries.lock_payment(session, row.practice_id, refund.payment_id) if refund else None
    if row.kind == "remove_method":
        return None
    return payment_queries.lock_payment(session, row.practice_id, row.object_id)


def _begin_charge(session: Session, row: ProcessorCall, payment: Payment | None, return_url: str,
                  now: datetime) -> Order | None:
    """A first call is withheld where a rule objects; one that may have been made already is looked for instead."""
    if payment is None or payment.status != life.CREATED:
        processor_calls.finish(row, now, code="settled_before")
        return None
    ruling = saved_charges.judge(session, payment, now)
    if not ruling.sends and not processor_calls.is_uncertain(row):
        saved_charges.withhold(session, payment, ruling.rule, now)
        processor_calls.finish(row, now, status="refused", code=f"withheld:{ruling.rule}")
        return None
    return processor_calls.begin(row, now, withheld="" if ruling.sends else ruling.rule,
                                 extra={"return_url": return_url})


def _still_to_send(session: Session, row: ProcessorCall) -> bool:
    refund = store.refund_of(session, row.practice_id, row.object_id)
    return refund is not None and refund.status in {refund_life.APPROVED, refund_life.SENT}


def answered(session: Session, order: Order, event: ProcessorEvent | None, now: datetime) -> None:
    """The processor has answered: its event is applied like every other, and the call is over."""
    if event is not None:
        payments.apply_event(session, order.practice_id, event, now)
    row = store.lock_call(session, order.call_id)
    if row is not None and row.status in ("calling", "unknown", "queued"):
        ref = (event.refund_ref or event.processor_ref or event.session_ref) if event is not None else ""
        processor_calls.finish(row, now, ref=ref, code=event.reason if event is not None else "")


def found(session: Session, order: Order, events: Sequence[ProcessorEvent], now: datetime) -> None:
    """What looking for our id brought: what was made is applied; what was not made never will be by this call."""
    made = [event for event in events if event.kind in _MADE or event.kind.startswith("refund_")]
    for event in reversed(made):  # the oldest first
        payments.apply_event(session, order.practice_id, event, now)
    if made:
        answered(session, order, None, now)
        return
    _lock_payment(session, store.find_call(session, order.call_id))
    row = _lock(session, order)
    if row is None:
        return
    if not order.looked:
        processor_calls.look_again(row, now)
        return
    _ended(session, order, "not_made", f"withheld:{order.withheld}" if order.withheld else "not_made", now)


def failed(session: Session, order: Order, kind: str, code: str, now: datetime) -> None:
    """The call brought an error. ``kind`` as ProcessorError's: retry, unknown, refused, configuration."""
    if kind == "refused" and order.act == "call":
        _ended(session, order, "refused", code, now)
        return
    row = _lock(session, order)
    if row is None:
        return
    processor_calls.put_back(row, order, kind, code, now)
    if kind == "configuration":
        processor_calls.call_staff(session, row, "processor_configuration",
                                   "The payment processor refuses our account's settings", now)
    if processor_calls.is_hopeless(row, now):
        processor_calls.finish(row, now, status="staff", code=code)
        processor_calls.call_staff(session, row, "processor_call", "A call to the payment processor keeps failing", now)


def _lock(session: Session, order: Order) -> ProcessorCall | None:
    row = store.lock_call(session, order.call_id)
    return row if row is not None and row.status == "calling" else None


def _ended(session: Session, order: Order, status: str, code: str, now: datetime) -> None:
    """It will not happen by this call: the payment or refund that it was for ends as well."""
    found_row = store.find_call(session, order.call_id)
    payment = _lock_payment(session, found_row)
    row = _lock(session, order)
    if row is None:
        return
    processor_calls.finish(row, now, status=status, code=code)
    if order.kind == "charge" and payment is not None and life.may_move(payment.status, life.FAILED):
        end(session, payment, life.CANCELLED if code.startswith("withheld:") else life.FAILED, code, now)
    elif order.kind == "refund" and payment is not None:
        refund = store.refund_of(session, order.practice_id, order.object_id)
        if refund is not None and refund_life.may_move(refund.status, refund_life.FAILED):
            refund_news.end(session, payment, refund, code, now)
    if status == "not_made" and order.kind == "charge":
        processor_calls.call_staff(session, row, "charge_not_made", TITLES["charge_not_made"], now,
                                   payment.guarantor_id if payment is not None else None)
