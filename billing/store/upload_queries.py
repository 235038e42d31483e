"""SQL of files given to the console: whose turn it is, how far each has come, and their pieces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from billing.store.tables import ImportFile, ImportPart, ImportRun

#: What somebody's turn makes of each state.
TURNS = {"received": "checking", "asked": "posting"}
OVER = ("done", "known", "failed", "dropped")


def add(session: Session, row: ImportFile, parts: Sequence[str]) -> None:
    session.add(row)
    session.flush()
    session.add_all(ImportPart(file_id=row.id, number=number, practice_id=row.practice_id, content=content)
                    for number, content in enumerate(parts))
    session.flush()
    session.expunge_all()


def find(session: Session, practice_id: str, file_id: str) -> ImportFile | None:
    return session.scalar(select(ImportFile).where(ImportFile.practice_id == practice_id, ImportFile.id == file_id))


def lock(session: Session, file_id: str) -> ImportFile | None:
    return session.scalar(select(ImportFile).where(ImportFile.id == file_id).with_for_update()
                          .execution_options(populate_existing=True))


def of_import(session: Session, import_id: str) -> ImportFile | None:
    return session.scalar(select(ImportFile).where(ImportFile.import_id == import_id)
                          .order_by(ImportFile.given_at.desc()).limit(1))


def under_way(session: Session, practice_id: str) -> Sequence[ImportFile]:
    """Everything that somebody still has to look at or wait for, the newest first."""
    return session.scalars(select(ImportFile).where(
        ImportFile.practice_id == practice_id, ImportFile.status.not_in(OVER))
        .order_by(ImportFile.given_at.desc(), ImportFile.id)).all()


def ready(session: Session, now: datetime) -> list[str]:
    """Files whose turn it is and that nobody works on, or whose worker has not been heard of."""
    query = select(ImportFile.id).where(or_(
        and_(ImportFile.status.in_(tuple(TURNS)),
             or_(ImportFile.claimed_until.is_(None), ImportFile.claimed_until < now)),
        and_(ImportFile.status.in_(tuple(TURNS.values())), ImportFile.claimed_until < now)))
    return list(session.scalars(query.order_by(ImportFile.given_at, ImportFile.id).limit(20)))


def note(session: Session, file_id: str, worker: str, done_bytes: int, until: datetime) -> None:
    session.execute(update(ImportFile).where(ImportFile.id == file_id, ImportFile.claimed_by == worker)
                    .values(done_bytes=done_bytes, claimed_until=until))


def part(session: Session, file_id: str, number: int) -> str | None:
    return session.scalar(select(ImportPart.content).where(
        ImportPart.file_id == file_id, ImportPart.number == number))


def drop_parts(session: Session, file_id: str) -> None:
    session.execute(delete(ImportPart).where(ImportPart.file_id == file_id))


def left_lying(session: Session, before: datetime) -> Sequence[ImportFile]:
    """Files that were checked before then and that nobody asked to post; whoever presses now has it first."""
    return session.scalars(select(ImportFile).where(
        ImportFile.status == "checked", ImportFile.given_at < before).limit(50)
        .with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()


def posted_before(session: Session, practice_id: str, digest: str) -> ImportRun | None:
    """The newest import of the same bytes that posted something and stands."""
    return session.scalar(select(ImportRun).where(
        ImportRun.practice_id == practice_id, ImportRun.digest == digest, ImportRun.status == "finished",
        ImportRun.outcome.in_(("posted", "partial"))).order_by(ImportRun.started_at.desc()).limit(1))


def running(session: Session, practice_id: str, digests: Collection[str]) -> dict[str, ImportRun]:
    """Imports that post now, by the digest of their file."""
    if not digests:
        return {}
    rows = session.scalars(select(ImportRun).where(
        ImportRun.practice_id == practice_id, ImportRun.digest.in_(digests), ImportRun.status == "posting"))
    return {row.digest: row for row in rows}
