"""SQL of the console's money pages: cash by day, refunds with their accounts, runs of the reconciliation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, select, union_all
from sqlalchemy.orm import Session

from billing.store.tables import (
    Difference,
    Guarantor,
    LedgerAccount,
    Payment,
    PaymentDispute,
    Placement,
    Reconciliation,
    Refund,
    Transfer,
    WriteOff,
)


def cash_by_day(session: Session, practice_id: str, from_on: date, to_on: date) -> Sequence[Row[Any, Any]]:
    """(day, cents) of patients' money that came in, less what went back, for each day that had some."""
    sums = []
    for mine, other, sign in ((Transfer.debit_id, Transfer.credit_id, 1), (Transfer.credit_id, Transfer.debit_id, -1)):
        cash = select(LedgerAccount.id).where(LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "cash")
        theirs = select(LedgerAccount.id).where(LedgerAccount.practice_id == practice_id, LedgerAccount.kind.in_(
            ("patient", "credit", "refunds_payable")))
        sums.append(select(Transfer.effective_on.label("day"), (Transfer.amount_minor * sign).label("minor")).where(
            Transfer.practice_id == practice_id, Transfer.effective_on >= from_on, Transfer.effective_on <= to_on,
            mine.in_(cash), other.in_(theirs)))
    both = union_all(*sums).subquery()
    return session.execute(select(both.c.day, func.sum(both.c.minor)).group_by(both.c.day).order_by(both.c.day)).all()


def waiting_refunds(session: Session, practice_id: str, most: int) -> Sequence[Row[Refund, str]]:
    """(refund, account's own number) of those that wait for a second person, the oldest first."""
    return session.execute(select(Refund, Guarantor.external).join(
        Guarantor, Guarantor.id == Refund.guarantor_id).where(
        Refund.practice_id == practice_id, Refund.status == "waiting")
        .order_by(Refund.requested_at, Refund.id).limit(most)).all()


def moving_refunds(session: Session, practice_id: str, most: int) -> Sequence[Row[Refund, str]]:
    """(refund, account's own number) of the newest that somebody let go or declined."""
    return session.execute(select(Refund, Guarantor.external).join(
        Guarantor, Guarantor.id == Refund.guarantor_id).where(
        Refund.practice_id == practice_id, Refund.status != "waiting")
        .order_by(Refund.requested_at.desc(), Refund.id).limit(most)).all()


def asked_write_offs(session: Session, practice_id: str, most: int) -> Sequence[Row[WriteOff, str]]:
    """(write-off, account's own number), the oldest first."""
    return session.execute(select(WriteOff, Guarantor.external).join(Guarantor, Guarantor.id == WriteOff.guarantor_id)
                           .where(WriteOff.practice_id == practice_id, WriteOff.status == "asked")
                           .order_by(WriteOff.asked_at, WriteOff.id).limit(most)).all()


def proposed_placements(session: Session, practice_id: str, most: int) -> Sequence[Row[Placement, str]]:
    """(placement, account's own number), the oldest first."""
    return session.execute(select(Placement, Guarantor.external).join(
        Guarantor, Guarantor.id == Placement.guarantor_id).where(
        Placement.practice_id == practice_id, Placement.status == "proposed")
        .order_by(Placement.proposed_at, Placement.id).limit(most)).all()


def disputes(session: Session, practice_id: str, statuses: Collection[str],
             most: int) -> Sequence[Row[PaymentDispute, Payment, str]]:
    """(dispute, payment, account's own number): those to be answered first on top, what is over the newest first."""
    return session.execute(_disputes(practice_id).where(PaymentDispute.status.in_(statuses)).order_by(
        PaymentDispute.closed_at.desc().nulls_first(), PaymentDispute.evidence_due_at.asc().nulls_last(),
        PaymentDispute.opened_at, PaymentDispute.id).limit(most)).all()


def dispute(session: Session, practice_id: str, dispute_id: str) -> Row[PaymentDispute, Payment, str] | None:
    return session.execute(_disputes(practice_id).where(PaymentDispute.id == dispute_id)).one_or_none()


def _disputes(practice_id: str) -> Select[PaymentDispute, Payment, str]:
    return select(PaymentDispute, Payment, Guarantor.external).join(
        Payment, Payment.id == PaymentDispute.payment_id).join(Guarantor, Guarantor.id == Payment.guarantor_id).where(
        PaymentDispute.practice_id == practice_id)


def has_refund(session: Session, practice_id: str, refund_id: str) -> bool:
    return session.scalar(select(Refund.id).where(
        Refund.practice_id == practice_id, Refund.id == refund_id)) is not None


def newest_differences(session: Session, practice_id: str, statuses: Collection[str], most: int) -> list[Difference]:
    """The newest, the oldest of them first."""
    rows = session.scalars(select(Difference).where(
        Difference.practice_id == practice_id, Difference.status.in_(statuses))
        .order_by(Difference.found_at.desc(), Difference.id.desc()).limit(most))
    return list(reversed(rows.all()))


def latest_run(session: Session, practice_id: str) -> Reconciliation | None:
    return session.scalar(select(Reconciliation).where(Reconciliation.practice_id == practice_id)
                          .order_by(Reconciliation.started_at.desc(), Reconciliation.id).limit(1))
