"""SQL of a year's summary: what each payment of an account paid of each visit, and what of it went back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks, transfers_where
from billing.store.tables import Patient, Payment, PaymentMethod, Transfer, Visit

#: The bank has taken the money of these back, or may.
_TAKEN = ("disputed", "dispute_lost", "returned")
#: What a bank took and gave back again is no payment and no refund.
_BANK = ("dispute", "reinstated", "returned")


@dataclass(frozen=True, slots=True)
class YearRow:
    """Cents on one visit (None: credit) on one practice-local day; below zero: given back."""

    payment_id: str
    tender: str
    last4: str
    visit_id: str | None
    on: date
    amount_minor: int


def rows(session: Session, guarantor_id: str) -> list[YearRow]:
    """Of every year, by day; money that a bank took back is left out altogether."""
    found: list[YearRow] = []
    payments = session.execute(
        select(Payment, PaymentMethod.last4).outerjoin(PaymentMethod, PaymentMethod.id == Payment.method_id)
        .where(Payment.guarantor_id == guarantor_id, Payment.paid_at.is_not(None), Payment.status.not_in(_TAKEN))
        .order_by(Payment.paid_at, Payment.id)).all()
    for payment, last4 in payments:
        found.extend(_of_payment(session, payment, last4 or ""))
    return sorted(found, key=lambda row: (row.on, row.payment_id, row.visit_id or ""))


def _of_payment(session: Session, payment: Payment, last4: str) -> list[YearRow]:
    """What was put elsewhere since counts where it lies now, on the day on which it was paid."""
    sums: dict[tuple[str | None, date, bool], int] = {}
    paid_on: date | None = None
    for row in transfers_where(session, Transfer.payment_id == payment.id):
        if row.source_ref.removeprefix(f"{payment.id}:").split(":", 1)[0] in _BANK:
            continue
        paid_on = paid_on or row.effective_on
        side = row.credit if row.debit.key.startswith("cash:") else row.debit
        sign = 1 if side is row.credit else -1
        on = row.effective_on if row.code == "refund" else paid_on
        key = (side.visit_id if side.key.startswith("patient:") else None, on, row.code == "refund")
        sums[key] = sums.get(key, 0) + sign * row.amount_minor
    return [YearRow(payment.id, payment.tender, last4, visit_id, on, minor)
            for (visit_id, on, _), minor in sums.items() if minor]


@dataclass(frozen=True, slots=True)
class YearVisit:
    patient_id: str
    patient: str
    external: str
    service_on: date | None
    provider: str
    confidential: bool


def visits(session: Session, visit_ids: Collection[str]) -> dict[str, YearVisit]:
    found: dict[str, YearVisit] = {}
    for part in chunks(visit_ids):
        for visit, patient in session.execute(
                select(Visit, Patient).join(Patient, Patient.id == Visit.patient_id).where(Visit.id.in_(part))):
            found[visit.id] = YearVisit(patient.id, patient.name, visit.external, visit.service_from_on,
                                        visit.provider or "", visit.confidential)
    return found
