"""Refunds: asked for with a reason, approved by another person above a limit, sent once.

Above ``payments.refund_approval_above_minor`` a second person approves, of the role that the policy names; nobody
approves their own request, but where nobody else may, on the next day: the audit trail says so, and the daily close and
the processor's own books show every refund.
What the bank says of a refund afterwards is in billing/refund_news.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases, closing, plan_money, processor_calls, second_person
from billing import payment_status as payment_life
from billing import refund_status as life
from billing.dues import local_day
from billing.ids import new_id
from billing.money import dollars
from billing.payment_news import TITLES, call_staff
from billing.payment_posting import hand_cash, post_back
from billing.payment_standing import restate
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.practices import policy_in
from billing.store.tables import Payment, Refund
from config.practice import PracticePolicy

REASONS = frozenset({"overpaid", "billing_error", "duplicate", "insurer_paid", "assistance", "dispute_upheld", "other"})
TENDERS = frozenset({"original", "check", "cash"})
_TAKES = frozenset({payment_life.SUCCEEDED, payment_life.PARTLY_REFUNDED, payment_life.REFUNDED})


class RefundRefused(ValueError):
    """A refund that cannot be, or a step that its life does not have. The text says what to do; no PHI."""


def ask(session: Session, *, practice_id: str, payment_id: str, amount_minor: int, tender: str, reason: str, note: str,
        by: str, dedupe: str, policy: PracticePolicy, now: datetime) -> Refund:
    """Ask for ``amount_minor`` cents of a payment to be given back; up to the policy's limit it is on its way at once.

    ``tender``: original (back to the card or bank account it came from; of a desk payment: out of the same drawer or
    terminal), check, cash. The same ``dedupe`` again returns the first. Raises RefundRefused.
    """
    payment = payment_queries.lock_payment(session, practice_id, payment_id)
    known = store.refund_by_dedupe(session, practice_id, dedupe)
    if known is not None:
        return known
    if payment is None:
        raise RefundRefused("there is no such payment")
    charge = _charge_of(session, payment, amount_minor)
    _check(session, payment, charge, amount_minor, tender, reason)
    row = store.add(session, Refund(
        id=new_id("rf"), practice_id=practice_id, payment_id=payment.id, guarantor_id=payment.guarantor_id,
        charge_ref=charge, amount_minor=amount_minor, currency=payment.currency, tender=tender, reason=reason,
        note=note, status=life.WAITING, requested_by=by, requested_at=now, dedupe=dedupe))
    audit.record(session, practice_id, by, "refund_asked", "payment", payment.id, reason, now)
    if amount_minor <= policy.payments.refund_approval_above_minor:
        _release(session, payment, row, by, now)
    else:
        _ask_approval(session, payment, row, now)
    return row


def _charge_of(session: Session, payment: Payment, amount_minor: int) -> str | None:
    """The second charge of a payment that was paid twice is what is given back first."""
    for ref, left in payment_queries.second_charges(session, payment.id):
        taken = sum(row.amount_minor for row in store.refunds_of(session, payment.id)
                    if row.charge_ref == ref and row.status in life.OPEN)
        if left - taken >= amount_minor > 0:
            return ref
    return None


def _check(session: Session, payment: Payment, charge: str | None, amount_minor: int, tender: str,
           reason: str) -> None:
    if reason not in REASONS:
        raise RefundRefused(f"a refund's reason is one of {', '.join(sorted(REASONS))}")
    if tender not in TENDERS:
        raise RefundRefused(f"a refund goes out as one of {', '.join(sorted(TENDERS))}")
    if tender == "original" and payment.processor == "agency":
        raise RefundRefused("this was paid at a collection agency: give it back by check or in cash")
    if payment.status not in _TAKES:
        raise RefundRefused("only a payment that stands can be refunded; a disputed one is answered at the bank")
    if charge is None and not 0 < amount_minor <= left_to_refund(session, payment):
        raise RefundRefused(f"at most {dollars(left_to_refund(session, payment))} of this payment can be refunded")


def left_to_refund(session: Session, payment: Payment) -> int:
    """Cents of the payment's own charge that are neither given back nor about to be."""
    under_way = sum(row.amount_minor for row in store.refunds_of(session, payment.id)
                    if row.charge_ref is None and row.status in life.OPEN)
    return payment.amount_minor - payment.refunded_minor - under_way


def approve(session: Session, practice_id: str, refund_id: str, *, by: str, now: datetime) -> Refund:
    """Another person lets it go, of the policy's role; a night stands for them where there is nobody else
    (billing/second_person.py). Raises RefundRefused, staff.StaffRefused.
    """
    payment, row = _waiting(session, practice_id, refund_id)
    policy = policy_in(session, practice_id)
    how = second_person.require(session, practice_id, by=by, asked_by=row.requested_by, asked_at=row.requested_at,
                                role=policy.payments.refund_approver, policy=policy, now=now)
    audit.record(session, practice_id, by, "refund_approved", "payment", row.payment_id, f"{row.reason}, {how}", now)
    _release(session, payment, row, by, now)
    _close_case(session, row, by, "approved", now)
    return row


def decline(session: Session, practice_id: str, refund_id: str, *, by: str, reason: str, now: datetime) -> Refund:
    """The request ends here. Raises RefundRefused."""
    if not reason.strip():
        raise RefundRefused("declining a refund needs its reason")
    _, row = _waiting(session, practice_id, refund_id)
    life.move(row, life.DECLINED)
    row.failure, row.settled_at = reason[:200], now
    audit.record(session, practice_id, by, "refund_declined", "payment", row.payment_id, "", now)
    _close_case(session, row, by, "declined", now)
    return row


def listing(session: Session, practice_id: str, status: str | None = None) -> Sequence[Refund]:
    """Oldest first."""
    return store.refunds_in(session, practice_id, status)


def _waiting(session: Session, practice_id: str, refund_id: str) -> tuple[Payment, Refund]:
    found = store.refund_of(session, practice_id, refund_id)
    payment = payment_queries.lock_payment(session, practice_id, found.payment_id) if found is not None else None
    row = store.refund_of(session, practice_id, refund_id)
    if row is None or payment is None:
        raise RefundRefused(f"there is no refund {refund_id}")
    if row.status != life.WAITING:
        raise RefundRefused(f"this refund is {row.status} and waits for nobody's approval")
    return payment, row


def _release(session: Session, payment: Payment, row: Refund, by: str, now: datetime) -> None:
    """Approved: the processor is told by a call, cash and checks are given out at once."""
    life.move(row, life.APPROVED)
    row.approved_by, row.approved_at = by, now
    if row.tender == "original" and payment.processor != "manual":
        processor_calls.enqueue(
            session, practice_id=row.practice_id, kind="refund", object_id=row.id, key=f"{row.id}:1", now=now,
            request={"payment_id": payment.id, "processor_ref": row.charge_ref or payment.processor_ref or "",
                     "amount_minor": row.amount_minor})
        return
    _give_by_hand(session, payment, row, now)


def _give_by_hand(session: Session, payment: Payment, row: Refund, now: datetime) -> None:
    on = closing.open_day(session, row.practice_id, local_day(session, row.practice_id, now))
    till = None if row.tender == "original" else hand_cash(row.tender)
    which = f"refund:{row.charge_ref}:hand:{row.id}" if row.charge_ref else f"refund:main:hand:{row.id}"
    rest = post_back(session, payment, row.amount_minor, which, on, now, out_of=till)
    life.move(row, life.SUCCEEDED)
    row.settled_at = now
    if row.charge_ref is None:
        payment.refunded_minor += row.amount_minor
    restate(session, payment)
    plan_money.note_back(session, payment, now)
    if rest:
        call_staff(session, payment.practice_id, "refund_unplaced", row.id,
                   f"{rest} {payment.currency} of a refund belong to no visit of the payment", now, payment)


def _ask_approval(session: Session, payment: Payment, row: Refund, now: datetime) -> None:
    cases.open_case(
        session, row.practice_id, kind="refund_approval", title=TITLES["refund_approval"], now=now,
        detail=f"refund {row.id} of payment {payment.id}: {dollars(row.amount_minor)}, {row.reason}",
        dedupe=f"refund_approval:{row.id}", guarantor_id=payment.guarantor_id)


def _close_case(session: Session, row: Refund, by: str, how: str, now: datetime) -> None:
    """Its case has nothing left to do."""
    number = payment_queries.open_case_number(session, row.practice_id, f"refund_approval:{row.id}")
    if number is not None:
        cases.close(session, row.practice_id, str(number), by=by, resolution=how, now=now)
