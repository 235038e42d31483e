"""SQL of taking back what CSV rows changed besides the ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from billing.store.ledger_queries import balances_by_key, chunks
from billing.store.tables import ContactPoint, Coverage, Guarantor, ImportedBalance, ServiceLine, Visit


def take_back_lines(session: Session, import_id: str) -> None:
    """Lines that this import added to visits of others are kept under a version below zero: in force no more."""
    added = (select(ServiceLine.visit_id).join(Visit, Visit.id == ServiceLine.visit_id)
             .where(ServiceLine.import_id == import_id, Visit.import_id != import_id, Visit.kind == "csv",
                    ServiceLine.version == Visit.version).distinct())
    for visit_id in session.scalars(added).all():
        lowest = session.scalar(select(func.min(ServiceLine.version)).where(ServiceLine.visit_id == visit_id))
        session.execute(update(ServiceLine).where(
            ServiceLine.visit_id == visit_id, ServiceLine.import_id == import_id, ServiceLine.version > 0)
            .values(version=min(int(lowest or 0), 0) - 1))
        visit = session.get_one(Visit, visit_id)
        visit.charge_minor = int(session.scalar(select(func.coalesce(func.sum(ServiceLine.charge_minor), 0)).where(
            ServiceLine.visit_id == visit_id, ServiceLine.version == visit.version)) or 0)
    session.flush()


def restate_coverages(session: Session, visit_ids: Collection[str], records: Sequence[str]) -> None:
    """Payers whose state came by CSV: waiting again where something is left with them."""
    for part in chunks(set(visit_ids)):
        rows = session.scalars(select(Coverage).where(
            Coverage.visit_id.in_(part), Coverage.claim_of_record.in_(records), Coverage.status != "closed")).all()
        if not rows:
            continue
        left = balances_by_key(session, rows[0].practice_id, [f"payer:{c.id}" for c in rows])
        for coverage in rows:
            coverage.status = "pending" if left[f"payer:{coverage.id}"] else "answered"
    session.flush()


def brought_balances(session: Session, import_id: str) -> bool:
    return session.scalar(select(ImportedBalance.id).where(ImportedBalance.import_id == import_id).limit(1)) is not None


def remove_contacts(session: Session, practice_id: str, import_id: str) -> list[tuple[str, str]]:
    """Delete the numbers that this import put on accounts; return (channel, hash) of each."""
    where = (ContactPoint.practice_id == practice_id, ContactPoint.source == import_id)
    found = session.execute(select(ContactPoint.channel, ContactPoint.address_hash).where(*where).distinct()).all()
    session.execute(delete(ContactPoint).where(*where))
    return [(channel, hashed) for channel, hashed in found]


def unconfirm(session: Session, practice_id: str, confirmed_by: str) -> list[str]:
    """Take the confirmation from accounts that nobody but this import confirmed; return them in order of ids."""
    rows = session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, Guarantor.confirmed_by == confirmed_by).order_by(Guarantor.id)).all()
    for row in rows:
        row.confirmed_at, row.confirmed_by = None, None
    session.flush()
    return [row.id for row in rows]
