"""SQL of undoing an import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from billing.store.ledger_queries import chunks
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

#: Why a waiver hold ends when its answer is taken back (billing/answers.py).
PAYER_REVERSED = "the payer reversed its answer"


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
    answered = [r.coverage_id for r in rows if r.outcome in ("posted", "reversed", "reversal") and r.coverage_id]
    for row in rows:
        row.outcome = "undone"
    for part in chunks([r.id for r in rows]):
        _restore_reversed(session, part)
    restored = _restore_replaced(session, import_id)
    session.flush()
    for part in chunks(answered):
        _restate(session, import_id, Coverage.id.in_(part))
    for part in chunks(restored):
        _restate(session, import_id, Coverage.visit_id.in_(part))


def _restate(session: Session, import_id: str, which: ColumnElement[bool]) -> None:
    """A payer has answered if an answer of it stands: a remittance's, or the one that a later payer's claim copied.
    On a void visit such an answer still has to be taken back. Payers that an undone import named stay closed.
    """
    query = (select(Coverage, Visit.void).join(Visit, Visit.id == Coverage.visit_id)
             .join(ImportRun, ImportRun.id == Coverage.import_id)
             .where(which, ImportRun.status != "undone", Coverage.import_id != import_id, Visit.import_id != import_id))
    rows = session.execute(query).all()
    standing = _standing_answers(session, [coverage for coverage, _ in rows])
    for coverage, void in rows:
        coverage.claim_of_record, answer = standing.get(coverage.id, ("", ""))
        if void:
            coverage.status = "pending" if answer else "closed"
        else:
            coverage.status = answer or "pending"


def _standing_answers(session: Session, coverages: Sequence[Coverage]) -> dict[str, tuple[str, str]]:
    """By coverage, where its standing answer came from and what that makes it; those that have one."""
    ids, reversing = [one.id for one in coverages], aliased(Transfer)
    reported = session.scalars(select(Transfer.coverage_id).where(
        Transfer.visit_id.in_({one.visit_id for one in coverages}), Transfer.coverage_id.in_(ids),
        Transfer.source == "claim-cob", Transfer.code != "reversal",
        ~exists().where(reversing.reverses_id == Transfer.id)))
    found = {coverage_id: ("837", "answered") for coverage_id in reported if coverage_id}
    remitted = session.execute(select(RemittanceClaim.coverage_id, RemittanceClaim.status_code).where(
        RemittanceClaim.coverage_id.in_(ids), RemittanceClaim.outcome == "posted").order_by(RemittanceClaim.id.desc()))
    for coverage_id, code in remitted:
        if coverage_id:
            found[coverage_id] = ("835", "denied" if code == "4" else "answered")
    return found


def _restore_reversed(session: Session, reversal_ids: list[str]) -> None:
    restored = []
    for row in session.scalars(select(RemittanceClaim).where(RemittanceClaim.reversed_by_id.in_(reversal_ids))):
        if row.outcome == "reversed":
            row.outcome, row.reversed_by_id = "posted", None
            restored.append(f"waiver:{row.id}")
    # Its waiver check ended with the reversal; the money is asked for again only with the check open again.
    session.execute(update(Hold).where(Hold.dedupe.in_(restored), Hold.released_reason == PAYER_REVERSED).values(
        released_at=None, released_by=None, released_reason=None))


def _restore_replaced(session: Session, import_id: str) -> list[str]:
    """A replacement or void that is undone gives the visit its earlier charges back; return those visits."""
    restored = []
    documents = select(ClaimDocument).where(ClaimDocument.import_id == import_id, ClaimDocument.outcome == "posted")
    for document in session.scalars(documents):
        document.outcome = "undone"
        visit = session.get(Visit, document.visit_id) if document.visit_id is not None else None
        if visit is None or visit.import_id == import_id:
            continue
        if document.frequency == "8" or _gave_lines(session, visit.id, import_id):
            _restore_lines(session, visit, import_id)
            restored.append(visit.id)
    return restored


def _gave_lines(session: Session, visit_id: str, import_id: str) -> bool:
    return bool(session.scalar(select(exists().where(
        ServiceLine.visit_id == visit_id, ServiceLine.import_id == import_id))))


def _restore_lines(session: Session, visit: Visit, import_id: str) -> None:
    lines = session.scalars(select(ServiceLine).join(ImportRun, ImportRun.id == ServiceLine.import_id).where(
        ServiceLine.visit_id == visit.id, ServiceLine.import_id != import_id, ImportRun.status != "undone")).all()
    visit.version = max((line.version for line in lines), default=visit.version)
    current = [line for line in lines if line.version == visit.version]
    visit.charge_minor, visit.void = sum(line.charge_minor for line in current), False
    if visit.kind == "835" and all(line.import_id == visit.import_id for line in current):
        visit.origin = "remittance"


def mark_undone(session: Session, run: ImportRun, actor: str, now: datetime) -> None:
    session.execute(update(Remittance).where(Remittance.import_id == run.id).values(status="undone"))
    session.execute(update(CsvRow).where(CsvRow.import_id == run.id).values(outcome="undone"))
    run.status, run.undone_at, run.undone_by = "undone", now, actor


def holds_placed(session: Session, practice_id: str, import_id: str) -> list[str]:
    """Keys of the open holds that this import's answers placed."""
    claims = session.scalars(
        select(RemittanceClaim.id).join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
        .where(Remittance.import_id == import_id))
    wanted = [f"waiver:{claim}" for claim in claims]
    found: list[str] = []
    for start in range(0, len(wanted), 400):
        found.extend(session.scalars(select(Hold.dedupe).where(
            Hold.practice_id == practice_id, Hold.dedupe.in_(wanted[start:start + 400]), Hold.released_at.is_(None))))
    return found
