"""Where the money of one payment went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import LedgerAccount, Payment, Transfer, Visit


@dataclass(frozen=True, slots=True)
class PaidPayment:
    id: str
    guarantor_id: str
    amount_minor: int
    refunded_minor: int
    tender: str
    paid_on: date


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """``visit_id`` None: kept as credit of the account."""

    visit_id: str | None
    external: str
    service_on: date | None
    amount_minor: int


def find_paid(session: Session, payment_id: str) -> PaidPayment | None:
    """The payment with the practice-local day on which its money was first posted; None before that."""
    row = session.get(Payment, payment_id)
    posted = session.scalar(select(Transfer.effective_on).where(
        Transfer.payment_id == payment_id, Transfer.code == "patient_payment").order_by(Transfer.id).limit(1))
    if row is None or posted is None:
        return None
    return PaidPayment(row.id, row.guarantor_id, row.amount_minor, row.refunded_minor, row.tender, posted)


def parts_of(session: Session, payment_id: str) -> list[ReceiptPart]:
    """As it was posted when the money arrived; later refunds are receipts of their own."""
    found = session.execute(
        select(Visit, Transfer.amount_minor)
        .select_from(Transfer).join(LedgerAccount, LedgerAccount.id == Transfer.credit_id)
        .outerjoin(Visit, Visit.id == LedgerAccount.visit_id)
        .where(Transfer.payment_id == payment_id, Transfer.code == "patient_payment").order_by(Transfer.id))
    return [ReceiptPart(v.id, v.external, v.service_from_on, amount) if v else ReceiptPart(None, "", None, amount)
            for v, amount in found]
