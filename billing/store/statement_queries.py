"""What a statement and an itemised bill are made of, and where they are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.store.counters import next_number
from billing.store.tables import (
    Coverage,
    Estimate,
    Guarantor,
    Patient,
    Procedure,
    RemittanceAdjustment,
    RemittanceClaim,
    RemittanceLine,
    ServiceLine,
    Statement,
    Visit,
)


@dataclass(frozen=True, slots=True)
class VisitDetail:
    """What the page says of a visit besides its money."""

    visit_id: str
    guarantor_id: str
    external: str
    external_hash: str
    patient: str
    provider: str
    place_code: str
    service_on: date | None
    first_statement_on: date | None
    charge_minor: int
    version: int
    self_pay: bool
    void: bool
    confidential: bool


@dataclass(frozen=True, slots=True)
class LineDetail:
    line_id: str
    visit_id: str
    number: int
    code: str
    modifiers: str
    revenue_code: str
    units: str
    charge_minor: int
    control_number: str
    words: str  # the practice's, or empty


@dataclass(frozen=True, slots=True)
class PaidLineDetail:
    """A payer's answer to one line; ``parts`` is (treatment, cents)."""

    control_number: str
    code: str
    charge_minor: int
    paid_minor: int
    parts: tuple[tuple[str, int], ...]


def find_guarantor(session: Session, guarantor_id: str) -> Guarantor | None:
    return session.get(Guarantor, guarantor_id)


def visit_details(session: Session, *, guarantor_id: str | None = None,
                  visit_ids: Collection[str] = ()) -> list[VisitDetail]:
    """Oldest first. Either all visits of an account or those named."""
    wanted = Visit.guarantor_id == guarantor_id if guarantor_id else Visit.id.in_(visit_ids)
    rows = session.execute(select(Visit, Patient.name).join(Patient, Patient.id == Visit.patient_id).where(wanted)
                           .order_by(Visit.service_from_on, Visit.id)).all()
    ids = [visit.id for visit, _ in rows]
    insured = set(session.scalars(select(Coverage.visit_id).where(Coverage.visit_id.in_(ids))))
    return [VisitDetail(v.id, v.guarantor_id, v.external, v.external_hash, name, v.provider or "",
                        v.place_of_service or "", v.service_from_on, v.first_statement_on, v.charge_minor, v.version,
                        v.id not in insured, v.void, v.confidential) for v, name in rows]


def line_details(session: Session, practice_id: str, visits: Collection[VisitDetail],
                 language: str) -> list[LineDetail]:
    """Service lines of the versions in force, with the practice's words: the file's own, else its procedure list."""
    versions = {v.visit_id: v.version for v in visits}
    rows = session.scalars(select(ServiceLine).where(ServiceLine.visit_id.in_(versions))
                           .order_by(ServiceLine.visit_id, ServiceLine.number)).all()
    known = {(p.code, p.language): p.words for p in session.scalars(select(Procedure).where(
        Procedure.practice_id == practice_id, Procedure.code.in_({row.procedure_code for row in rows})))}
    return [LineDetail(r.id, r.visit_id, r.number, r.procedure_code, r.modifiers, r.revenue_code, r.units,
                       r.charge_minor, r.control_number, known.get((r.procedure_code, language)) or r.words or "")
            for r in rows if r.version == versions[r.visit_id]]


def paid_lines(session: Session, visit_id: str) -> list[PaidLineDetail]:
    """Every line of the payers' answers that still stand, in order of import."""
    claim_ids = session.scalars(select(RemittanceClaim.id).where(
        RemittanceClaim.visit_id == visit_id, RemittanceClaim.outcome == "posted")).all()
    parts: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for a in session.scalars(select(RemittanceAdjustment).where(
            RemittanceAdjustment.remittance_claim_id.in_(claim_ids))):
        parts.setdefault((a.remittance_claim_id, a.line_number), []).append((a.treatment, a.amount_minor))
    rows = session.scalars(select(RemittanceLine).where(RemittanceLine.remittance_claim_id.in_(claim_ids))
                           .order_by(RemittanceLine.id))
    return [PaidLineDetail(r.control_number, r.procedure_code, r.charge_minor, r.paid_minor,
                           tuple(parts.get((r.remittance_claim_id, r.number), ()))) for r in rows]


def estimates_for(session: Session, practice_id: str, external_hashes: Collection[str]) -> Sequence[Estimate]:
    return session.scalars(select(Estimate).where(
        Estimate.practice_id == practice_id, Estimate.visit_external_hash.in_(external_hashes))
        .order_by(Estimate.given_on, Estimate.id)).all()


def latest_statement(session: Session, guarantor_id: str) -> Statement | None:
    return session.scalar(select(Statement).where(Statement.guarantor_id == guarantor_id)
                          .order_by(Statement.number.desc()).limit(1))


def find_statement(session: Session, statement_id: str) -> Statement | None:
    return session.get(Statement, statement_id)


def next_statement_number(session: Session, practice_id: str) -> int:
    """Gapless within the practice: a rolled-back statement gives its number back."""
    return next_number(session, practice_id, "statement")


def add_statement(session: Session, row: Statement) -> Statement:
    session.add(row)
    session.flush()
    return row


def note_first_statement(session: Session, visit_ids: Collection[str], on: date) -> None:
    """The clock of aging starts with the first statement that asks for the visit (receivables.md D2)."""
    session.execute(update(Visit).where(Visit.id.in_(visit_ids), Visit.first_statement_on.is_(None))
                    .values(first_statement_on=on), execution_options={"synchronize_session": "fetch"})
