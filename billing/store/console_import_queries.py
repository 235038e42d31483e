"""SQL of the console's imports: the history a page at a time, one run with its remittances and what was not posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from billing.store.tables import (
    Case,
    ClaimDocument,
    CsvRow,
    ImportRun,
    Remittance,
    RemittanceClaim,
    Visit,
)

#: Outcomes that somebody should look at.
NOT_POSTED = ("skipped", "suspended", "refused")


def runs(session: Session, practice_id: str, before: tuple[datetime, str] | None, most: int) -> Sequence[ImportRun]:
    """The newest first; ``before``: beginning and id of the last one of the page before."""
    query = select(ImportRun).where(ImportRun.practice_id == practice_id)
    if before is not None:
        query = query.where(or_(ImportRun.started_at < before[0],
                                and_(ImportRun.started_at == before[0], ImportRun.id < before[1])))
    return session.scalars(query.order_by(ImportRun.started_at.desc(), ImportRun.id.desc()).limit(most)).all()


def tallies(session: Session, import_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many claims and rows of each import ended in which outcome."""
    found: dict[str, dict[str, int]] = {}
    queries = (
        select(Remittance.import_id, RemittanceClaim.outcome, func.count()).join(
            Remittance, Remittance.id == RemittanceClaim.remittance_id).where(Remittance.import_id.in_(import_ids))
        .group_by(Remittance.import_id, RemittanceClaim.outcome),
        select(ClaimDocument.import_id, ClaimDocument.outcome, func.count()).where(
            ClaimDocument.import_id.in_(import_ids)).group_by(ClaimDocument.import_id, ClaimDocument.outcome),
        select(CsvRow.import_id, CsvRow.outcome, func.count()).where(CsvRow.import_id.in_(import_ids))
        .group_by(CsvRow.import_id, CsvRow.outcome))
    for query in queries:
        for import_id, outcome, count in session.execute(query):
            sums = found.setdefault(import_id, {})
            sums[outcome] = sums.get(outcome, 0) + count
    return found


def remittances(session: Session, import_id: str) -> Sequence[Remittance]:
    return session.scalars(select(Remittance).where(Remittance.import_id == import_id)
                           .order_by(Remittance.position, Remittance.id)).all()


def not_posted(session: Session, import_id: str, most: int) -> list[tuple[Any, ...]]:
    """(place, claim's own id or "", outcome, reason, account id or None) of what was not posted, by its place."""
    claims = (select(RemittanceClaim.position, RemittanceClaim.claim_id, RemittanceClaim.outcome,
                     RemittanceClaim.reason, Visit.guarantor_id)
              .join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
              .outerjoin(Visit, Visit.id == RemittanceClaim.visit_id)
              .where(Remittance.import_id == import_id, RemittanceClaim.outcome.in_(NOT_POSTED))
              .order_by(Remittance.position, RemittanceClaim.number).limit(most))
    others = union_all(
        select(ClaimDocument.position.label("place"), ClaimDocument.outcome, ClaimDocument.reason,
               ClaimDocument.visit_id).where(ClaimDocument.import_id == import_id,
                                             ClaimDocument.outcome.in_(NOT_POSTED)),
        select(CsvRow.line, CsvRow.outcome, CsvRow.reason, CsvRow.visit_id).where(
            CsvRow.import_id == import_id, CsvRow.outcome.in_(NOT_POSTED))).subquery()
    rows = (select(others.c.place, literal(""), others.c.outcome, others.c.reason, Visit.guarantor_id)
            .outerjoin(Visit, Visit.id == others.c.visit_id).order_by(others.c.place).limit(most))
    return [tuple(row) for query in (claims, rows) for row in session.execute(query)][:most]


def in_suspense(session: Session, practice_id: str, after: tuple[datetime, str] | None,
                most: int) -> Sequence[Row[RemittanceClaim, Remittance, str, str]]:
    """(claim row, remittance, account id or None, case id or None) of remittance money that no visit took, oldest
    first; what a later remittance took back is over.
    """
    query = (select(RemittanceClaim, Remittance, Visit.guarantor_id, Case.id)
             .join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
             .outerjoin(Visit, Visit.id == RemittanceClaim.visit_id)
             .outerjoin(Case, and_(Case.practice_id == practice_id,
                                   Case.dedupe == literal("suspense:").concat(RemittanceClaim.id)))
             .where(RemittanceClaim.practice_id == practice_id, Remittance.status == "posted",
                    RemittanceClaim.outcome.in_(("suspended", "skipped")), RemittanceClaim.reversed_by_id.is_(None)))
    if after is not None:
        query = query.where(or_(Remittance.created_at > after[0], and_(Remittance.created_at == after[0],
                                                                       RemittanceClaim.id > after[1])))
    return session.execute(query.order_by(Remittance.created_at, RemittanceClaim.id).limit(most)).all()
