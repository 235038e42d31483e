"""Where the money of one payment went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import LedgerAccount, Payment, PaymentMethod, Transfer, Visit


@dataclass(frozen=True, slots=True)
class PaidPayment:
    id: str
    guarantor_id: str
    amount_minor: int
    refunded_minor: int
    tender: str
    last4: str  # of a card on file; empty where the processor alone knows it
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
    card = session.get(PaymentMethod, row.method_id) if row.method_id else None
    return PaidPayment(row.id, row.guarantor_id, row.amount_minor, row.refunded_minor, row.tender,
                       card.last4 if card is not None else "", posted)


#: Postings of a payment's money after it arrived: a dispute that was won, a second charge, a reallocation.
_LATER = ("reinstated:", "extra:", "moved:")


def parts_of(session: Session, payment_id: str) -> list[ReceiptPart]:
    """As it was posted when the money arrived; what went back since is ``given_back``."""
    found = session.execute(
        select(Visit, Transfer.amount_minor, Transfer.source_ref)
        .select_from(Transfer).join(LedgerAccount, LedgerAccount.id == Transfer.credit_id)
        .outerjoin(Visit, Visit.id == LedgerAccount.visit_id)
        .where(Transfer.payment_id == payment_id, Transfer.code == "patient_payment").order_by(Transfer.id))
    later = tuple(f"{payment_id}:{ref}" for ref in _LATER)
    return [ReceiptPart(v.id, v.external, v.service_from_on, amount) if v else ReceiptPart(None, "", None, amount)
            for v, amount, ref in found if not ref.startswith(later)]


def given_back(session: Session, payment_id: str) -> list[tuple[date, int]]:
    """(practice-local day, cents) of each day on which the practice gave money of this payment back; a refund that the
    bank could not deliver counts against it.
    """
    found = session.execute(
        select(Transfer.effective_on, Transfer.amount_minor, LedgerAccount.key)
        .join(LedgerAccount, LedgerAccount.id == Transfer.credit_id)
        .where(Transfer.payment_id == payment_id, Transfer.code == "refund",
               Transfer.source_ref.startswith(f"{payment_id}:refund", autoescape=True)).order_by(Transfer.id))
    days: dict[date, int] = {}
    for on, amount, credited in found:
        days[on] = days.get(on, 0) + (amount if credited.startswith("cash:") else -amount)
    return [(on, minor) for on, minor in days.items() if minor]
