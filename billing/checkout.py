"""The moment a patient presses "pay": everything is read again, then the page is asked for outside any transaction.

``begin`` commits which attempt is made and under which idempotency key; the edge calls the processor; ``opened`` or
``refused`` writes down what came of it. A crash in between, or a second press, repeats the same attempt with the same
key and the same content, so that it ends in one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import gate, holds, lender, methods
from billing import payment_status as life
from billing.payment_limits import close_page, limits, pays_the_same, rivals, would_exceed
from billing.store import payment_queries as store
from billing.store.practices import policy_of
from billing.store.tables import Payment

PAGE_LIFE = timedelta(hours=1)
"""How long a page is open. Short, because a balance may move under it; Stripe allows 30 minutes to 24 hours."""

STILL_OPEN = timedelta(minutes=2)
"""A page with less than this left is not handed out again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Ask the processor for a page with exactly this content."""

    payment_id: str
    practice_id: str
    amount_minor: int
    currency: str
    language: str
    practice_name: str
    attempt: int
    expires_at: datetime
    saves_method: bool = False
    customer_ref: str | None = None
    bank_debits: bool = False

    @property
    def idempotency_key(self) -> str:
        return f"{self.payment_id}:{self.attempt}"


@dataclass(frozen=True, slots=True)
class AlreadyOpen:
    url: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """No page. ``reason``: paid, cancelled, lender (one is deciding), moved (the balance is another now), hold, paying
    (somebody is paying this balance in this moment), not_found.
    """

    reason: str


def begin(session: Session, practice_id: str, payment_id: str, now: datetime) -> Opening | AlreadyOpen | NotNow:
    """Decide what a press on the button does, and write the attempt down."""
    payment = store.lock_payment(session, practice_id, payment_id)
    obstacle = obstacle_to(session, payment, now)
    if payment is None or obstacle:
        return NotNow(obstacle)
    if payment.session_url and payment.link_expires_at and payment.link_expires_at - now > STILL_OPEN:
        return AlreadyOpen(payment.session_url)
    if payment.session_url or payment.link_expires_at is None or payment.link_expires_at <= now:
        _next_attempt(payment, now)
    return _opening(session, payment)


def obstacle_to(session: Session, payment: Payment | None, now: datetime) -> str:
    """Why this payment cannot be taken now (a reason of NotNow); empty when it can."""
    if payment is None:
        return "not_found"
    if payment.status in life.TOOK_MONEY:
        return "paid"
    if payment.status not in life.OPEN or payment.way != "page":
        return "cancelled"
    if any(hold.kind == lender.HOLD for hold in holds.open_holds(session, payment.guarantor_id)):
        return "lender"
    split = [(str(v), int(m)) for v, m in payment.instruction]
    payable = limits(session, payment.practice_id, payment.guarantor_id, now, early=payment.early)
    if any(part > payable.get(visit_id, 0) for visit_id, part in split):
        return "moved"
    others = rivals(session, payment.guarantor_id, now, payment.id)
    if would_exceed(split, others, payable) or pays_the_same(payment.plan_id, payment.instalment, others):
        return "paying"
    ruling = gate.may_charge(session, payment.guarantor_id, [v for v, _ in split], now,
                             amount_minor=payment.amount_minor, split=split, early=payment.early)
    return "" if ruling.sends else "hold"


def _next_attempt(payment: Payment, now: datetime) -> None:
    """The previous page, if any, has run out: nobody can pay two of them."""
    payment.attempt += 1
    payment.session_ref = payment.session_url = payment.processor_ref = None
    # Whole seconds: the processor keeps no more, and a repeat must send the same content.
    payment.link_expires_at = (now + PAGE_LIFE).replace(microsecond=0)
    if payment.status != life.PENDING:
        life.move(payment, life.PENDING)


def _opening(session: Session, payment: Payment) -> Opening:
    row = store.practice(session, payment.practice_id)
    assert payment.link_expires_at is not None
    # A bank account takes days to settle: only where the practice wants that.
    debits = policy_of(row).payments.bank_debits if row is not None else False
    customer = methods.customer_ref(session, payment.guarantor_id) if payment.saves_method else None
    return Opening(payment.id, payment.practice_id, payment.amount_minor, payment.currency, payment.language,
                   row.name if row else "", payment.attempt, payment.link_expires_at, payment.saves_method, customer,
                   debits)


def opened(session: Session, practice_id: str, payment_id: str, attempt: int, session_ref: str, url: str,
           now: datetime | None = None) -> str:
    """Write the page down; return the URL to send the patient to. An answer of an older attempt, or of one that was
    given up, changes nothing: another page takes its place.

    A request that was ended while its page was being made has the page closed at once, and returns nothing.
    """
    payment = store.lock_payment(session, practice_id, payment_id)
    if payment is None or payment.attempt != attempt or payment.link_expires_at is None:
        return payment.session_url or "" if payment else ""
    payment.session_ref, payment.session_url = session_ref, url
    if payment.status == life.CANCELLED:
        close_page(session, payment, now or payment.created_at)
        return ""
    return url


def refused(session: Session, practice_id: str, payment_id: str, attempt: int, code: str, now: datetime) -> None:
    """No page can be had under this key: the next press is a new attempt. ``code``: why; empty where the processor
    itself failed.
    """
    payment = store.lock_payment(session, practice_id, payment_id)
    if payment is not None and payment.attempt == attempt and payment.session_ref is None:
        payment.link_expires_at, payment.failure = None, code[:200] or None
        if code == methods.CUSTOMER_GONE and payment.saves_method:
            methods.customer_gone(session, payment.guarantor_id, now)
