"""SQL of undoing an import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, aliased

from billing.store.tables import (
    ClaimDocument,
    Coverage,
    CsvRow,
    Hold,
    ImportRun,
    Remittance,
    RemittanceClaim,
    ServiceLine,
    Transfer,
    Visit,
)


def lock_run(session: Session, practice_id: str, import_id: str) -> ImportRun | None:
    return session.scalars(select(ImportRun).where(
        ImportRun.practice_id == practice_id, ImportRun.id == import_id).with_for_update()).one_or_none()


def visits_touched(session: Session, import_id: str) -> list[str]:
    """Visits that the import posted to or opened."""
    posted = select(Transfer.visit_id).where(Transfer.import_id == import_id, Transfer.visit_id.is_not(None))
    opened = select(Visit.id).where(Visit.import_id == import_id)
    return sorted({v for v in session.scalars(posted.union(opened)) if v})


def later_imports(session: Session, import_id: str) -> Sequence[str]:
    """Imports whose standing payer postings rest on this one's visits, or that reversed rows of it."""
    mine, theirs = aliased(Transfer), aliased(Transfer)
    reversing = (select(theirs.import_id).join(mine, mine.id == theirs.reverses_id)
                 .where(mine.import_id == import_id, theirs.import_id != import_id))
    undone = select(Transfer.reverses_id).where(Transfer.reverses_id.is_not(None))
    resting = (select(Transfer.import_id).where(
        Transfer.visit_id.in_(select(Visit.id).where(Visit.import_id == import_id)),
        Transfer.import_id != import_id, Transfer.import_id.is_not(None), Transfer.reverses_id.is_(None),
        Transfer.id.not_in(undone), Transfer.source != "settle"))
    finished = select(ImportRun.id).where(ImportRun.status != "undone")
    rows = session.scalars(select(ImportRun.id).where(
        ImportRun.id.in_(finished), or_(ImportRun.id.in_(reversing), ImportRun.id.in_(resting)))
        .order_by(ImportRun.started_at.desc()))
    return rows.all()


def close_opened(session: Session, import_id: str) -> None:
    """Visits that the import opened are void; payers that it named answer for nothing any more."""
    opened = select(Visit.id).where(Visit.import_id == import_id)
    session.execute(update(Coverage).where(or_(Coverage.visit_id.in_(opened), Coverage.import_id == import_id))
                    .values(status="closed", claim_of_record=""))
    session.execute(update(Visit).where(Visit.import_id == import_id).values(void=True))


def reopen_answered(session: Session, import_id: str) -> None:
    """Payers whose answer came with this import have to answer again, where the visit itself stands; a reversal that
    came with it is no reversal any more.
    """
    claims = (select(RemittanceClaim).join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
              .where(Remittance.import_id == import_id))
    rows = session.scalars(claims).all()
    answered = [r.coverage_id for r in rows if r.outcome in ("posted", "reversal") and r.coverage_id]
    for coverage in session.scalars(select(Coverage).where(Coverage.id.in_(answered), Coverage.status != "closed")):
        coverage.status, coverage.claim_of_record = "pending", ""
    for row in rows:
        row.outcome = "undone"
    _restore_reversed(session, [r.id for r in rows])
    _restore_replaced(session, import_id)


def _restore_reversed(session: Session, reversal_ids: list[str]) -> None:
    for row in session.scalars(select(RemittanceClaim).where(RemittanceClaim.reversed_by_id.in_(reversal_ids))):
        if row.outcome == "reversed":
            row.outcome, row.reversed_by_id = "posted", None
            coverage = session.get(Coverage, row.coverage_id)
            if coverage is not None:
                coverage.status, coverage.claim_of_record = "answered", "835"


def _restore_replaced(session: Session, import_id: str) -> None:
    """A replacement or void that is undone gives the visit its earlier charges back."""
    documents = select(ClaimDocument).where(ClaimDocument.import_id == import_id, ClaimDocument.outcome == "posted")
    for document in session.scalars(documents):
        document.outcome = "undone"
        visit = session.get(Visit, document.visit_id)
        if visit is None or visit.import_id == import_id:
            continue
        lines = session.scalars(select(ServiceLine).where(
            ServiceLine.visit_id == visit.id, ServiceLine.import_id != import_id)).all()
        visit.version = max((line.version for line in lines), default=visit.version)
        visit.charge_minor = sum(line.charge_minor for line in lines if line.version == visit.version)
        visit.void = False


def mark_undone(session: Session, run: ImportRun, actor: str, now: datetime) -> None:
    session.execute(update(Remittance).where(Remittance.import_id == run.id).values(status="undone"))
    session.execute(update(CsvRow).where(CsvRow.import_id == run.id).values(outcome="undone"))
    run.status, run.undone_at, run.undone_by = "undone", now, actor


def holds_placed(session: Session, practice_id: str, import_id: str) -> list[str]:
    """Keys of the open holds that this import's answers placed."""
    claims = [row for row in session.scalars(
        select(RemittanceClaim.id).join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
        .where(Remittance.import_id == import_id))]
    wanted = [f"waiver:{claim}" for claim in claims]
    found: list[str] = []
    for start in range(0, len(wanted), 400):
        found.extend(session.scalars(select(Hold.dedupe).where(
            Hold.practice_id == practice_id, Hold.dedupe.in_(wanted[start:start + 400]), Hold.released_at.is_(None))))
    return found
