"""SQL of processor calls, refunds, disputes, cards on file and pages on which cards are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, given, prepared
from billing.store.tables import (
    Authorization,
    Payment,
    PaymentDispute,
    PaymentMethod,
    Plan,
    ProcessorCall,
    Refund,
    SetupRequest,
)

Row = TypeVar("Row", ProcessorCall, Refund, PaymentDispute, PaymentMethod, SetupRequest, Authorization)


def add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


# Calls ------------------------------------------------------------------------------------------------------------

_WAITING = ("queued", "unknown")


def call_by_key(session: Session, key: str) -> ProcessorCall | None:
    return session.scalars(select(ProcessorCall).where(ProcessorCall.idempotency_key == key)).one_or_none()


def claimable_calls(session: Session, now: datetime, limit: int) -> Sequence[ProcessorCall]:
    """Due calls and those whose worker is gone, oldest first; rows that another worker has in hand are passed over."""
    lost = and_(ProcessorCall.status == "calling", ProcessorCall.claimed_until <= now)
    ready = and_(ProcessorCall.status.in_(_WAITING), ProcessorCall.due_at <= now)
    return session.scalars(select(ProcessorCall).where(or_(lost, ready)).order_by(
        ProcessorCall.due_at, ProcessorCall.id).limit(limit).with_for_update(skip_locked=True)).all()


def find_call(session: Session, call_id: str) -> ProcessorCall | None:
    return session.get(ProcessorCall, call_id)


def lock_call(session: Session, call_id: str) -> ProcessorCall | None:
    return session.scalars(select(ProcessorCall).where(ProcessorCall.id == call_id).with_for_update()
                           .execution_options(populate_existing=True)).one_or_none()


def calls_of(session: Session, object_ids: Collection[str]) -> Sequence[ProcessorCall]:
    return session.scalars(select(ProcessorCall).where(ProcessorCall.object_id.in_(object_ids))
                           .order_by(ProcessorCall.created_at, ProcessorCall.id)).all()


# Refunds ----------------------------------------------------------------------------------------------------------

def refund_by_dedupe(session: Session, practice_id: str, dedupe: str) -> Refund | None:
    return session.scalars(select(Refund).where(
        Refund.practice_id == practice_id, Refund.dedupe == dedupe)).one_or_none()


def refund_of(session: Session, practice_id: str, refund_id: str) -> Refund | None:
    return session.scalars(select(Refund).where(Refund.practice_id == practice_id, Refund.id == refund_id)
                           .execution_options(populate_existing=True)).one_or_none()


def refund_by_ref(session: Session, payment_id: str, processor_ref: str) -> Refund | None:
    return session.scalars(select(Refund).where(
        Refund.payment_id == payment_id, Refund.processor_ref == processor_ref).limit(1)).one_or_none()


def refunds_of(session: Session, payment_id: str) -> Sequence[Refund]:
    return session.scalars(select(Refund).where(Refund.payment_id == payment_id)
                           .order_by(Refund.requested_at, Refund.id)).all()


def refunds_in(session: Session, practice_id: str, status: str | None) -> Sequence[Refund]:
    query = select(Refund).where(Refund.practice_id == practice_id)
    query = query if status is None else query.where(Refund.status == status)
    return session.scalars(query.order_by(Refund.requested_at, Refund.id)).all()


# Disputes ---------------------------------------------------------------------------------------------------------

def dispute_by_id(session: Session, practice_id: str, dispute_id: str) -> PaymentDispute | None:
    return session.scalar(select(PaymentDispute).where(
        PaymentDispute.practice_id == practice_id, PaymentDispute.id == dispute_id))


def disputes_of(session: Session, payment_id: str) -> Sequence[PaymentDispute]:
    return session.scalars(select(PaymentDispute).where(PaymentDispute.payment_id == payment_id)
                           .order_by(PaymentDispute.opened_at, PaymentDispute.id)).all()


def disputes_in(session: Session, practice_id: str, status: str | None) -> Sequence[PaymentDispute]:
    query = select(PaymentDispute).where(PaymentDispute.practice_id == practice_id)
    query = query if status is None else query.where(PaymentDispute.status == status)
    return session.scalars(query.order_by(PaymentDispute.opened_at, PaymentDispute.id)).all()


# Cards on file ----------------------------------------------------------------------------------------------------

def method_of(session: Session, practice_id: str, method_id: str) -> PaymentMethod | None:
    return session.scalars(select(PaymentMethod).where(
        PaymentMethod.practice_id == practice_id, PaymentMethod.id == method_id)).one_or_none()


def method_by_ref(session: Session, practice_id: str, method_ref: str,
                  guarantor_id: str) -> PaymentMethod | None:
    return session.scalars(select(PaymentMethod).where(
        PaymentMethod.practice_id == practice_id, PaymentMethod.method_ref == method_ref,
        PaymentMethod.guarantor_id == guarantor_id)).one_or_none()


def methods_by_ref(session: Session, practice_id: str, method_ref: str) -> Sequence[PaymentMethod]:
    """A card may be kept for several accounts of a practice; in the order of guarantors, which is the lock order."""
    return session.scalars(select(PaymentMethod).where(
        PaymentMethod.practice_id == practice_id, PaymentMethod.method_ref == method_ref)
        .order_by(PaymentMethod.guarantor_id)).all()


@prepared
def ids_of_methods() -> Query:
    return select(PaymentMethod.id).where(PaymentMethod.guarantor_id == given("guarantor_id"))


def methods_in(session: Session, guarantor_id: str, statuses: Collection[str]) -> Sequence[PaymentMethod]:
    """Newest first."""
    if not ids_of_methods(session, guarantor_id=guarantor_id):
        return ()  # as most accounts; the rows themselves are dear to ask for
    return session.scalars(select(PaymentMethod).where(
        PaymentMethod.guarantor_id == guarantor_id, PaymentMethod.status.in_(statuses))
        .order_by(PaymentMethod.created_at.desc(), PaymentMethod.id.desc())).all()


# Pages on which a card is given -----------------------------------------------------------------------------------

def lock_setup(session: Session, practice_id: str, setup_id: str) -> SetupRequest | None:
    return session.scalars(select(SetupRequest).where(
        SetupRequest.practice_id == practice_id, SetupRequest.id == setup_id).with_for_update()
        .execution_options(populate_existing=True)).one_or_none()


def setup_of_session(session: Session, practice_id: str, session_ref: str) -> SetupRequest | None:
    return session.scalars(select(SetupRequest).where(
        SetupRequest.practice_id == practice_id, SetupRequest.session_ref == session_ref)
        .limit(1)).one_or_none()


def open_setups(session: Session, guarantor_id: str, purpose: str, plan_id: str | None) -> Sequence[SetupRequest]:
    return session.scalars(select(SetupRequest).where(
        SetupRequest.guarantor_id == guarantor_id, SetupRequest.purpose == purpose,
        SetupRequest.plan_id == plan_id if plan_id else SetupRequest.plan_id.is_(None),
        SetupRequest.status.in_(("created", "open", "expired")))).all()


# Agreements -------------------------------------------------------------------------------------------------------

def authorization_for(session: Session, payment_id: str) -> Authorization | None:
    return session.scalars(select(Authorization).where(Authorization.payment_id == payment_id)
                           .order_by(Authorization.at.desc()).limit(1)).one_or_none()


def authorizations_of(session: Session, guarantor_id: str) -> Sequence[Authorization]:
    return session.scalars(select(Authorization).where(Authorization.guarantor_id == guarantor_id)
                           .order_by(Authorization.at, Authorization.id)).all()


def plan_of(session: Session, plan_id: str | None) -> Plan | None:
    return session.get(Plan, plan_id) if plan_id is not None else None


def waiting_for_patient(session: Session, before: datetime, limit: int) -> Sequence[Payment]:
    """Charges that a bank wants to ask the patient about, made before then and not being given up yet."""
    asked = select(ProcessorCall.id).where(
        ProcessorCall.object_id == Payment.id, ProcessorCall.kind == "cancel_charge",
        ProcessorCall.status != "staff").exists()
    return session.scalars(select(Payment).where(
        Payment.status == "needs_patient", Payment.created_at <= before, ~asked)
        .order_by(Payment.created_at).limit(limit)).all()


def declined_since(session: Session, method_id: str, since: datetime) -> int:
    """How many charges of a card or bank account were refused by its bank since then (T-49, T-50)."""
    return int(session.scalar(select(func.count()).select_from(Payment).where(
        Payment.method_id == method_id, Payment.way.in_(("saved", "autopay")), Payment.created_at >= since,
        Payment.status.in_(("failed", "returned")))) or 0)


def tries_of_instalment(session: Session, plan_id: str, number: int, since: datetime) -> Sequence[Payment]:
    """Charges of a card on file for one instalment that came to nothing, oldest first."""
    return session.scalars(select(Payment).where(
        Payment.plan_id == plan_id, Payment.instalment == number, Payment.way == "autopay",
        Payment.created_at >= since, Payment.status.in_(("failed", "returned")))
        .order_by(Payment.created_at, Payment.id)).all()
