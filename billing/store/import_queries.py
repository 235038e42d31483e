"""SQL of imports: runs, what was imported before, and what became of each claim."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.ledger_queries import chunks
from billing.store.tables import ClaimDocument, CsvRow, ImportRun, Remittance, RemittanceClaim


@dataclass(frozen=True, slots=True)
class ClaimOutcome:
    number: int
    outcome: str
    reason: str
    visit_id: str | None


#: An import that the same command goes on with.
UNFINISHED = ("posting", "waiting")


def find_unfinished(session: Session, practice_id: str, digest: str) -> ImportRun | None:
    return session.scalars(_unfinished(practice_id, digest)).first()


def lock_unfinished(session: Session, practice_id: str, digest: str) -> ImportRun | None:
    return session.scalars(_unfinished(practice_id, digest).with_for_update()).first()


def _unfinished(practice_id: str, digest: str) -> Select[ImportRun]:
    return select(ImportRun).where(
        ImportRun.practice_id == practice_id, ImportRun.digest == digest, ImportRun.status.in_(UNFINISHED)
    ).order_by(ImportRun.started_at).limit(1)


def has_remittance(session: Session, import_id: str) -> bool:
    return session.scalar(select(Remittance.id).where(Remittance.import_id == import_id).limit(1)) is not None


def lock_run(session: Session, import_id: str) -> ImportRun:
    return session.scalars(select(ImportRun).where(ImportRun.id == import_id).with_for_update()).one()


def advance(session: Session, import_id: str, expected: int, by: int) -> bool:
    """Move the cursor of an unfinished import on from ``expected``; False when it is not there."""
    return bool(driver.run(session, "UPDATE imports SET cursor = cursor + ? WHERE id = ? AND status = 'posting' "
                                    "AND cursor = ? RETURNING id", by, import_id, expected))


def find_run(session: Session, practice_id: str, import_id: str) -> ImportRun | None:
    return session.scalars(select(ImportRun).where(
        ImportRun.practice_id == practice_id, ImportRun.id == import_id)).one_or_none()


def list_runs(session: Session, practice_id: str, limit: int, before: str = "") -> Sequence[ImportRun]:
    """The newest first; ``before``: only those that began before that import."""
    query = select(ImportRun).where(ImportRun.practice_id == practice_id)
    if before:
        since = select(ImportRun.started_at, ImportRun.id).where(
            ImportRun.practice_id == practice_id, ImportRun.id == before).subquery()
        query = query.where(or_(ImportRun.started_at < since.c.started_at, and_(
            ImportRun.started_at == since.c.started_at, ImportRun.id < since.c.id)))
    return session.scalars(query.order_by(ImportRun.started_at.desc(), ImportRun.id.desc()).limit(limit)).all()


def find_remittance(session: Session, practice_id: str, identity: str) -> Remittance | None:
    """The newest generation of this remittance."""
    return session.scalars(select(Remittance).where(
        Remittance.practice_id == practice_id, Remittance.identity == identity)
        .order_by(Remittance.generation.desc())).first()


def claim_digests(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, set[str]]:
    """Digests of claims posted before, by claim hash; undone imports do not count."""
    found: dict[str, set[str]] = {}
    for part in chunks(set(hashes)):
        query = select(ClaimDocument.claim_hash, ClaimDocument.digest).where(
            ClaimDocument.practice_id == practice_id, ClaimDocument.claim_hash.in_(part),
            ClaimDocument.outcome == "posted")
        for claim_hash, digest in session.execute(query):
            found.setdefault(claim_hash, set()).add(digest)
    return found


def outcomes_of_remittance(session: Session, remittance_id: str) -> Iterator[ClaimOutcome]:
    query = select(RemittanceClaim.number, RemittanceClaim.outcome, RemittanceClaim.reason, RemittanceClaim.visit_id)
    for row in session.execute(query.where(RemittanceClaim.remittance_id == remittance_id)
                               .order_by(RemittanceClaim.number)):
        yield ClaimOutcome(*row)


def outcomes_of_claims(session: Session, import_id: str) -> Iterator[ClaimOutcome]:
    query = select(ClaimDocument.number, ClaimDocument.outcome, ClaimDocument.reason, ClaimDocument.visit_id)
    for row in session.execute(query.where(ClaimDocument.import_id == import_id).order_by(ClaimDocument.number)):
        yield ClaimOutcome(*row)


def tally(session: Session, import_id: str) -> dict[str, int]:
    """How many claims and rows of an import ended in which outcome."""
    found: dict[str, int] = {}
    queries = (
        select(RemittanceClaim.outcome, func.count()).join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
        .where(Remittance.import_id == import_id).group_by(RemittanceClaim.outcome),
        select(ClaimDocument.outcome, func.count()).where(ClaimDocument.import_id == import_id)
        .group_by(ClaimDocument.outcome),
        select(CsvRow.outcome, func.count()).where(CsvRow.import_id == import_id).group_by(CsvRow.outcome))
    for query in queries:
        for outcome, count in session.execute(query):
            found[outcome] = found.get(outcome, 0) + count
    return found
