"""SQL of CSV imports: rows seen before, and who is who by the numbers of the source."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.store.ledger_queries import chunks
from billing.store.tables import (
    ContactPoint,
    Coverage,
    CsvRow,
    Estimate,
    Guarantor,
    LedgerAccount,
    Patient,
    Procedure,
    ServiceLine,
    Transfer,
    Visit,
)

#: Outcomes of rows that stand. A row that an undone import posted counts as never seen.
_STANDING = ("posted", "updated")


def known_rows(session: Session, practice_id: str, keys: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """(digest, visit) of the newest standing row of each identity."""
    found: dict[str, tuple[str, str | None]] = {}
    for part in chunks(set(keys)):
        query = select(CsvRow.identity, CsvRow.digest, CsvRow.visit_id).where(
            CsvRow.practice_id == practice_id, CsvRow.identity.in_(part), CsvRow.outcome.in_(_STANDING))
        for identity, digest, visit_id in session.execute(query.order_by(CsvRow.id)):
            found[identity] = (digest, visit_id)
    return found


def identities_of(session: Session, import_id: str, keys: Collection[str]) -> set[str]:
    """Identities that this import has kept a row of."""
    found: set[str] = set()
    for part in chunks(set(keys)):
        found.update(session.scalars(select(CsvRow.identity).where(
            CsvRow.import_id == import_id, CsvRow.identity.in_(part))))
    return found


def patients_by_number(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, tuple[str, str]]:
    """(guarantor, patient) by the hash of the patient's number."""
    found: dict[str, tuple[str, str]] = {}
    for part in chunks(set(hashes)):
        query = select(Patient.external_hash, Patient.guarantor_id, Patient.id).where(
            Patient.practice_id == practice_id, Patient.external_hash.in_(part))
        found.update((number or "", (g, p)) for number, g, p in session.execute(query))
    return found


def accounts_by_number(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(set(hashes)):
        query = select(Guarantor.external_hash, Guarantor.id).where(
            Guarantor.practice_id == practice_id, Guarantor.external_hash.in_(part))
        found.update((number, g) for number, g in session.execute(query))
    return found


def only_patient_of(session: Session, guarantor_id: str) -> str | None:
    """The account's patient, where there is exactly one."""
    rows = session.scalars(select(Patient.id).where(Patient.guarantor_id == guarantor_id).limit(2)).all()
    return rows[0] if len(rows) == 1 else None


def find_account(session: Session, practice_id: str, number_hash: str) -> Guarantor | None:
    return session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, Guarantor.external_hash == number_hash)).one_or_none()


def find_patient(session: Session, practice_id: str, number_hash: str) -> Patient | None:
    return session.scalars(select(Patient).where(
        Patient.practice_id == practice_id, Patient.external_hash == number_hash)).one_or_none()


def claim_numbers_of(session: Session, practice_id: str, patient_hash: str, from_on: date | None,
                     until_on: date | None) -> list[str]:
    """Claim numbers of a patient's visits that stand, of service within the days given."""
    query = (select(Visit.external, Visit.service_from_on).join(Patient, Patient.id == Visit.patient_id)
             .where(Visit.practice_id == practice_id, Patient.external_hash == patient_hash, Visit.void.is_(False)))
    return [number for number, on in session.execute(query.order_by(Visit.id))
            if on is None or ((from_on is None or from_on <= on) and (until_on is None or on <= until_on))]


def contact_of(session: Session, guarantor_id: str, channel: str, address_hash: str) -> ContactPoint | None:
    return session.scalars(select(ContactPoint).where(
        ContactPoint.guarantor_id == guarantor_id, ContactPoint.channel == channel,
        ContactPoint.address_hash == address_hash)).one_or_none()


def contacts_of(session: Session, guarantor_id: str) -> list[ContactPoint]:
    return list(session.scalars(select(ContactPoint).where(ContactPoint.guarantor_id == guarantor_id)
                                .order_by(ContactPoint.created_at, ContactPoint.id)))


def update_coverage(session: Session, coverage_id: str, values: Mapping[str, object]) -> None:
    session.execute(update(Coverage).where(Coverage.id == coverage_id).values(**values))


def name_line(session: Session, line_id: str, words: str) -> None:
    session.execute(update(ServiceLine).where(ServiceLine.id == line_id).values(words=words))


def put_procedure(session: Session, practice_id: str, code: str, language: str, words: str) -> None:
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    change = make(Procedure).values(practice_id=practice_id, code=code, language=language, words=words)
    session.execute(change.on_conflict_do_update(
        index_elements=[Procedure.practice_id, Procedure.code, Procedure.language], set_={"words": words}))


def put_estimate(session: Session, practice_id: str, visit_hash: str, provider: str, amount_minor: int, given_on: date,
                 now: datetime) -> None:
    row = session.scalars(select(Estimate).where(
        Estimate.practice_id == practice_id, Estimate.visit_external_hash == visit_hash,
        func.lower(Estimate.provider) == provider.lower())).first()
    if row is None:
        row = Estimate(id=new_id("est"), practice_id=practice_id, visit_external_hash=visit_hash, provider=provider,
                       amount_minor=amount_minor, given_on=given_on, created_at=now)
        session.add(row)
    row.amount_minor, row.given_on = amount_minor, given_on
    session.flush()


def remembered_credit(session: Session, visit_ids: Collection[str]) -> dict[str, int]:
    """Cents of the guarantor's credit that came from each visit, less what went back."""
    found: dict[str, int] = {}
    for part in chunks(set(visit_ids)):
        for column, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)):
            query = (select(Transfer.visit_id, func.sum(Transfer.amount_minor))
                     .join(LedgerAccount, LedgerAccount.id == column)
                     .where(Transfer.visit_id.in_(part), LedgerAccount.kind == "credit").group_by(Transfer.visit_id))
            for visit_id, amount in session.execute(query):
                found[visit_id or ""] = found.get(visit_id or "", 0) + sign * int(amount)
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """Cents that one import moved on one visit, by code and reason. Positive debits the visit."""

    visit_id: str
    code: str
    reason: str
    side: str  # patient, payer
    amount_minor: int


def moved_by_import(session: Session, import_id: str, visit_ids: Collection[str]) -> Iterator[Moved]:
    for part in chunks(set(visit_ids)):
        for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
            query = (select(Transfer.visit_id, Transfer.code, Transfer.reason, LedgerAccount.kind,
                            func.sum(Transfer.amount_minor))
                     .join(LedgerAccount, LedgerAccount.id == column)
                     .where(Transfer.import_id == import_id, Transfer.visit_id.in_(part),
                            Transfer.reverses_id.is_(None), LedgerAccount.kind.in_(("patient", "payer")))
                     .group_by(Transfer.visit_id, Transfer.code, Transfer.reason, LedgerAccount.kind))
            for visit_id, code, reason, kind, amount in session.execute(query):
                yield Moved(visit_id or "", code, reason, kind, sign * int(amount))


def visits_of_rows(session: Session, import_id: str, after: int, limit: int) -> list[tuple[int, str, str]]:
    """(first row, visit, best outcome) of the visits that an import's rows speak of, a page after row ``after``."""
    first = func.min(CsvRow.id)
    query = (select(first, CsvRow.visit_id, func.max(CsvRow.outcome)).where(
        CsvRow.import_id == import_id, CsvRow.visit_id.is_not(None))
        .group_by(CsvRow.visit_id).having(first > after).order_by(first).limit(limit))
    return [(row_id, visit_id or "", outcome) for row_id, visit_id, outcome in session.execute(query)]


def visit_heads(session: Session, visit_ids: Collection[str]) -> dict[str, tuple[str, int, int]]:
    """(claim number, charge in cents, lines in force) by visit."""
    lines = (select(ServiceLine.visit_id, ServiceLine.version, func.count().label("lines"))
             .where(ServiceLine.visit_id.in_(visit_ids)).group_by(ServiceLine.visit_id, ServiceLine.version)).subquery()
    query = (select(Visit, lines.c.lines)
             .outerjoin(lines, (lines.c.visit_id == Visit.id) & (lines.c.version == Visit.version))
             .where(Visit.id.in_(visit_ids)))
    return {v.id: (v.external, v.charge_minor, int(count or 0)) for v, count in session.execute(query)}


def skipped_rows(session: Session, import_id: str) -> Iterator[tuple[int, str]]:
    query = select(CsvRow.line, CsvRow.reason).where(CsvRow.import_id == import_id, CsvRow.outcome == "skipped")
    yield from ((line, reason) for line, reason in session.execute(query.order_by(CsvRow.line)))


def patients_of(session: Session, guarantor_id: str) -> list[Patient]:
    return list(session.scalars(select(Patient).where(Patient.guarantor_id == guarantor_id).order_by(Patient.id)))
