"""SQL of a dispute's evidence: the bill, the agreements and our messages around one payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from billing.store import receipt_queries
from billing.store.receipt_queries import ReceiptPart
from billing.store.tables import Authorization, Outbox, Payment, Statement


def statement_for(session: Session, payment: Payment) -> Statement | None:
    """The statement that the payment answered, else the account's last one before it."""
    query = select(Statement).where(Statement.guarantor_id == payment.guarantor_id)
    if payment.statement_id is not None:
        query = query.where(Statement.id == payment.statement_id)
    else:
        query = query.where(Statement.created_at <= payment.created_at)
    return session.scalars(query.order_by(Statement.number.desc()).limit(1)).one_or_none()


def paid_for(session: Session, payment_id: str) -> list[ReceiptPart]:
    return [part for part in receipt_queries.parts_of(session, payment_id) if part.visit_id is not None]


def agreements(session: Session, payment: Payment) -> Sequence[Authorization]:
    """What was agreed to for this payment, or for its plan before it was made."""
    named = Authorization.payment_id == payment.id
    if payment.plan_id is not None:
        named = or_(named, (Authorization.plan_id == payment.plan_id) & (Authorization.at <= payment.created_at))
    return session.scalars(select(Authorization).where(named).order_by(Authorization.at, Authorization.id)).all()


def messages(session: Session, payment: Payment, since: datetime) -> Sequence[Outbox]:
    """What we wrote to the account, oldest first; notices to staff are not among it."""
    if payment.conversation_id is None:
        return []
    return session.scalars(select(Outbox).where(
        Outbox.conversation_id == payment.conversation_id, Outbox.guarantor_id == payment.guarantor_id,
        Outbox.created_at >= since, Outbox.purpose != "staff").order_by(Outbox.created_at, Outbox.id)).all()
