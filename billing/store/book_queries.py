"""SQL of the batch: load visits with all that posting a claim needs to know, write what it decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from billing.store.ledger_queries import TransferRow, balances_by_key, chunks
from billing.store.tables import (
    Base,
    Coverage,
    Guarantor,
    Patient,
    RemittanceAdjustment,
    RemittanceClaim,
    ServiceLine,
    Visit,
)

if TYPE_CHECKING:
    from billing.book import AnswerState, VisitState

__all__ = ["TransferRow", "insert_rows", "load_visits", "update_states"]

#: Parents before children.
_ORDER = ("guarantors", "patients", "visits", "coverages", "service_lines", "claim_documents", "remittance_claims",
          "remittance_lines", "remittance_adjustments", "remittance_remarks", "provider_adjustments", "csv_rows")


def insert_rows(session: Session, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    session.flush()
    for table in sorted(rows, key=_ORDER.index):
        if rows[table]:
            session.execute(insert(Base.metadata.tables[table]), list(rows[table]))


def load_visits(session: Session, practice_id: str, claim_hashes: Collection[str], *, lock: bool) -> list[VisitState]:
    """Visits under these claim numbers, oldest ordinal first, each with coverages, lines, balances and answers.

    With ``lock``, on PostgreSQL the guarantors are locked first (lock order), so that what is read stays true until
    the commit.
    """
    if lock:
        _lock_owners(session, practice_id, claim_hashes)
    visits: dict[str, VisitState] = {}
    for part in chunks(claim_hashes):
        query = select(Visit).where(Visit.practice_id == practice_id, Visit.external_hash.in_(part))
        for row in session.scalars(query.order_by(Visit.external_hash, Visit.ordinal)):
            visits[row.id] = _visit_state(row)
    _load_coverages(session, practice_id, visits)
    _load_lines(session, visits)
    _load_answers(session, visits)
    session.expunge_all()
    return list(visits.values())


def _lock_owners(session: Session, practice_id: str, claim_hashes: Collection[str]) -> None:
    if session.get_bind().dialect.name != "postgresql":
        return
    for part in chunks(claim_hashes):
        owners = select(Visit.guarantor_id).where(Visit.practice_id == practice_id, Visit.external_hash.in_(part))
        session.execute(select(Guarantor.id).where(Guarantor.id.in_(owners)).order_by(Guarantor.id).with_for_update())


def _visit_state(row: Visit) -> VisitState:
    from billing.book import VisitState

    return VisitState(row.id, row.guarantor_id, row.patient_id, row.external, row.external_hash, row.ordinal,
                      row.origin, row.version, row.void, row.charge_minor, row.service_from_on)


def _load_coverages(session: Session, practice_id: str, visits: Mapping[str, VisitState]) -> None:
    from billing.book import CoverageState

    for part in chunks(visits.keys()):
        for row in session.scalars(select(Coverage).where(Coverage.visit_id.in_(part)).order_by(Coverage.rank)):
            visits[row.visit_id].coverages.append(CoverageState(
                row.id, row.rank, row.payer_name, row.payer_id, row.remit_payer, row.filing_code, row.status,
                row.claim_of_record))
    keys = [f"patient:{v}" for v in visits] + [f"payer:{c.coverage_id}" for v in visits.values() for c in v.coverages]
    balances = balances_by_key(session, practice_id, keys)
    for visit in visits.values():
        visit.patient_minor = balances[f"patient:{visit.visit_id}"]
        for coverage in visit.coverages:
            coverage.balance_minor = balances[f"payer:{coverage.coverage_id}"]


def _load_lines(session: Session, visits: Mapping[str, VisitState]) -> None:
    from billing.book import LineState

    for part in chunks(visits.keys()):
        query = select(ServiceLine).where(ServiceLine.visit_id.in_(part)).order_by(ServiceLine.number)
        for row in session.scalars(query):
            if row.version == visits[row.visit_id].version:
                visits[row.visit_id].lines.append(LineState(
                    row.id, row.number, row.procedure_code, row.charge_minor, row.control_number, row.service_on))


def _load_answers(session: Session, visits: Mapping[str, VisitState]) -> None:
    from billing.book import AnswerState

    answers: dict[str, AnswerState] = {}
    for part in chunks(visits.keys()):
        query = select(RemittanceClaim).where(RemittanceClaim.visit_id.in_(part), RemittanceClaim.outcome == "posted")
        for row in session.scalars(query.order_by(RemittanceClaim.id)):
            answers[row.id] = AnswerState(row.id, row.coverage_id or "", row.payer_claim_id, row.charge_minor,
                                          row.paid_minor, {})
            visits[row.visit_id or ""].answers.append(answers[row.id])
    _load_amounts(session, answers)


def _load_amounts(session: Session, answers: Mapping[str, AnswerState]) -> None:
    for part in chunks(answers.keys()):
        query = select(RemittanceAdjustment).where(RemittanceAdjustment.remittance_claim_id.in_(part))
        for row in session.scalars(query):
            amounts = answers[row.remittance_claim_id].amounts
            key = (row.group_code, row.reason_code)
            amounts[key] = amounts.get(key, 0) + row.amount_minor


def update_states(session: Session, visits: Iterable[VisitState]) -> None:
    """Write back what may have changed on visits and coverages that were touched."""
    visits = list(visits)
    if not visits:
        return
    visit, coverage = Base.metadata.tables["visits"], Base.metadata.tables["coverages"]
    session.connection().execute(
        update(visit).where(visit.c.id == bindparam("visit")).values(
            origin=bindparam("o"), version=bindparam("v"), void=bindparam("gone"), charge_minor=bindparam("charge"),
            service_from_on=bindparam("from_on")),
        [{"visit": v.visit_id, "o": v.origin, "v": v.version, "gone": v.void, "charge": v.charge_minor,
          "from_on": v.service_from_on} for v in visits])
    rows = [{"coverage": c.coverage_id, "s": c.status, "r": c.remit_payer, "record": c.claim_of_record}
            for v in visits for c in v.coverages]
    if rows:
        session.connection().execute(
            update(coverage).where(coverage.c.id == bindparam("coverage")).values(
                status=bindparam("s"), remit_payer=bindparam("r"), claim_of_record=bindparam("record")), rows)


def mark_answer(session: Session, remittance_claim_id: str, outcome: str, reversed_by_id: str | None) -> None:
    session.execute(update(RemittanceClaim).where(RemittanceClaim.id == remittance_claim_id)
                    .values(outcome=outcome, reversed_by_id=reversed_by_id))


def highest_version(session: Session, visit_id: str) -> int:
    """The last version of a visit's charges, those of undone imports included: their numbers are not used again."""
    return session.scalar(select(func.max(ServiceLine.version)).where(ServiceLine.visit_id == visit_id)) or 0


def find_patients(session: Session, practice_id: str, surname: str, given: str,
                  born: str) -> list[tuple[Patient, Guarantor]]:
    """Patients of exactly this hashed name and day of birth, with their guarantors."""
    query = (select(Patient, Guarantor).join(Guarantor, Guarantor.id == Patient.guarantor_id)
             .where(Patient.practice_id == practice_id, Patient.surname_hash == surname, Patient.given_hash == given,
                    Patient.born_hash == born, Guarantor.confirmed_at.is_not(None)))
    return [(p, g) for p, g in session.execute(query)]


def accounts_taken(session: Session, practice_id: str, hashes: Collection[str]) -> set[str]:
    """Those of the account numbers that are in use."""
    found: set[str] = set()
    for part in chunks(hashes):
        found.update(session.scalars(select(Guarantor.external_hash).where(
            Guarantor.practice_id == practice_id, Guarantor.external_hash.in_(part))))
    return found


def suspended_amounts(session: Session, practice_id: str, claim_hash: str,
                      payer_claim_id: str) -> list[tuple[int, int]]:
    """(charge, payment) in cents of this claim's answers that wait in suspense."""
    rows = session.execute(select(RemittanceClaim.charge_minor, RemittanceClaim.paid_minor).where(
        RemittanceClaim.practice_id == practice_id, RemittanceClaim.claim_hash == claim_hash,
        RemittanceClaim.payer_claim_id == payer_claim_id, RemittanceClaim.outcome == "suspended"))
    return [(charge, paid) for charge, paid in rows]
