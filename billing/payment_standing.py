"""The status of a payment that took money: derived from its refunds and disputes, whatever order they were told in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing.dispute_status import AT_THE_BANK
from billing.store import money_queries as store
from billing.store.tables import Payment


def restate(session: Session, payment: Payment) -> None:
    """Give the payment the status that its refunds and disputes come to. A returned debit stays returned."""
    session.flush()
    after = _standing(session, payment)
    if after != payment.status and payment.status != life.RETURNED:
        life.move(payment, after)


def _standing(session: Session, payment: Payment) -> str:
    told = {row.status for row in store.disputes_of(session, payment.id)}
    if "returned" in told:
        return life.RETURNED
    if told & AT_THE_BANK:
        return life.DISPUTED
    if "lost" in told:
        return life.DISPUTE_LOST
    if payment.refunded_minor >= payment.amount_minor:
        return life.REFUNDED
    return life.PARTLY_REFUNDED if payment.refunded_minor else life.SUCCEEDED
