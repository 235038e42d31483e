"""SQL of a bill's own check: the rows that may speak against it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from billing.store.tables import (
    Coverage,
    Estimate,
    Guarantor,
    LedgerAccount,
    Patient,
    Payment,
    RemittanceClaim,
    RemittanceRemark,
    ServiceLine,
    Transfer,
    Visit,
)

#: Claim status codes of an answer that leaves the matter open (CLP02): forwarded to another payer, or only a forecast.
_FORWARDED = ("19", "20", "21", "23", "25")


@dataclass(frozen=True, slots=True)
class VisitRow:
    visit_id: str
    external_hash: str
    patient_id: str
    guarantor_id: str
    patients_guarantor_id: str
    born_on: str | None
    patient_is_guarantor: bool
    service_on: date | None
    charge_minor: int
    provider: str
    version: int


@dataclass(frozen=True, slots=True)
class PayerRow:
    visit_id: str
    patient_id: str
    service_on: date | None
    rank: int
    payer_id: str
    payer_name: str
    filing_code: str
    status: str


@dataclass(frozen=True, slots=True)
class LineRow:
    visit_id: str
    procedure_code: str
    modifiers: str
    charge_minor: int
    service_on: date | None


def visits_of_people(session: Session, guarantor_id: str) -> list[VisitRow]:
    """Every visit, not void, of the people whom the account pays for, also where another account pays for a visit."""
    people = select(Patient.id).join(Visit, Visit.patient_id == Patient.id).where(Visit.guarantor_id == guarantor_id)
    rows = session.execute(
        select(Visit, Patient, Guarantor).join(Patient, Patient.id == Visit.patient_id)
        .join(Guarantor, Guarantor.id == Visit.guarantor_id)
        .where(Visit.patient_id.in_(people), Visit.void.is_(False)).order_by(Visit.service_from_on, Visit.id))
    return [VisitRow(v.id, v.external_hash, p.id, v.guarantor_id, p.guarantor_id, p.born_on,
                     p.born_hash is not None and p.born_hash == g.born_hash and p.surname_hash == g.surname_hash
                     and p.name == g.name,
                     v.service_from_on, v.charge_minor, v.provider or "", v.version) for v, p, g in rows]


def payers_of(session: Session, patient_ids: Collection[str]) -> list[PayerRow]:
    rows = session.execute(
        select(Visit.id, Visit.patient_id, Visit.service_from_on, Coverage.rank, Coverage.payer_id,
               Coverage.payer_name, Coverage.filing_code, Coverage.status)
        .join(Visit, Visit.id == Coverage.visit_id)
        .where(Visit.patient_id.in_(patient_ids), Visit.void.is_(False))
        .order_by(Visit.service_from_on, Visit.id, Coverage.rank))
    return [PayerRow(*row) for row in rows]


def lines_of(session: Session, visits: Collection[VisitRow]) -> list[LineRow]:
    """Service lines of the versions in force."""
    version = {one.visit_id: one.version for one in visits}
    rows = session.execute(
        select(ServiceLine.visit_id, ServiceLine.procedure_code, ServiceLine.modifiers, ServiceLine.charge_minor,
               ServiceLine.service_on, ServiceLine.version)
        .where(ServiceLine.visit_id.in_(version)).order_by(ServiceLine.visit_id, ServiceLine.number))
    return [LineRow(r[0], r[1], r[2], r[3], r[4]) for r in rows if r[5] == version[r[0]]]


def provider_amounts(session: Session, visit_ids: Collection[str]) -> dict[str, list[str]]:
    """Reasons of groups CO and PI under which an amount lies with the patient, by visit; undone rows left out."""
    undone = aliased(Transfer)
    rows = session.execute(
        select(Transfer.visit_id, Transfer.reason).join(LedgerAccount, LedgerAccount.id == Transfer.debit_id)
        .where(Transfer.visit_id.in_(visit_ids), LedgerAccount.kind == "patient",
               Transfer.reason.like("CO-%") | Transfer.reason.like("PI-%"), Transfer.code != "reversal",
               ~select(undone.id).where(undone.reverses_id == Transfer.id).exists())
        .order_by(Transfer.visit_id, Transfer.reason).distinct())
    found: dict[str, list[str]] = {}
    for visit_id, reason in rows:
        found.setdefault(str(visit_id), []).append(reason)
    return found


def forwarded(session: Session, visit_ids: Collection[str]) -> set[str]:
    """Visits whose newest standing answer says that it was sent on, or was only a forecast."""
    rows = session.execute(
        select(RemittanceClaim.visit_id, RemittanceClaim.status_code)
        .where(RemittanceClaim.visit_id.in_(visit_ids), RemittanceClaim.outcome.in_(("posted", "stored")))
        .order_by(RemittanceClaim.remittance_id, RemittanceClaim.number))
    newest = {str(visit_id): code for visit_id, code in rows}
    return {visit_id for visit_id, code in newest.items() if code in _FORWARDED}


def remarks(session: Session, visit_ids: Collection[str]) -> dict[str, set[str]]:
    rows = session.execute(
        select(RemittanceClaim.visit_id, RemittanceRemark.code)
        .join(RemittanceClaim, RemittanceClaim.id == RemittanceRemark.remittance_claim_id)
        .where(RemittanceClaim.visit_id.in_(visit_ids)))
    found: dict[str, set[str]] = {}
    for visit_id, code in rows:
        found.setdefault(str(visit_id), set()).add(code)
    return found


def estimates(session: Session, practice_id: str, hashes: Collection[str]) -> list[Estimate]:
    return list(session.scalars(select(Estimate).where(
        Estimate.practice_id == practice_id, Estimate.visit_external_hash.in_(hashes))
        .order_by(Estimate.given_on, Estimate.id)))


def credit_of_people(session: Session, practice_id: str, patient_ids: Collection[str]) -> dict[str, int]:
    """Credits, in cents, of every account that pays for one of these people."""
    owners = select(Visit.guarantor_id).where(Visit.patient_id.in_(patient_ids))
    rows = session.execute(select(LedgerAccount.guarantor_id, -LedgerAccount.balance_minor).where(
        LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "credit", LedgerAccount.balance_minor < 0,
        LedgerAccount.guarantor_id.in_(owners)))
    return {str(guarantor_id): int(minor) for guarantor_id, minor in rows}


def payments_under_way(session: Session, guarantor_id: str) -> list[str]:
    """Payments of the account that a bank, a card network or the patient's own bank still has in hand."""
    return list(session.scalars(select(Payment.id).where(
        Payment.guarantor_id == guarantor_id, Payment.processor_ref.is_not(None),
        Payment.status.in_(("pending", "needs_patient"))).order_by(Payment.id)))
