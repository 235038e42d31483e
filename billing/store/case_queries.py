"""SQL of cases and their notes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from billing.store.prepared import given, prepared
from billing.store.tables import Case, CaseFile, CaseNote, Staff, Visit


def by_dedupe(session: Session, practice_id: str, dedupe: str) -> Case | None:
    return session.scalars(select(Case).where(Case.practice_id == practice_id, Case.dedupe == dedupe)
                           .execution_options(populate_existing=True)).one_or_none()


def by_number(session: Session, practice_id: str, number: int) -> Case | None:
    return session.scalars(select(Case).where(
        Case.practice_id == practice_id, Case.number == number)).one_or_none()


def by_id(session: Session, practice_id: str, case_id: str) -> Case | None:
    return session.scalars(select(Case).where(Case.practice_id == practice_id, Case.id == case_id)).one_or_none()


def lock(session: Session, case_id: str) -> Case:
    """The case as it is now, locked until the commit."""
    return session.scalars(select(Case).where(Case.id == case_id).with_for_update()
                           .execution_options(populate_existing=True)).one()


def add(session: Session, row: Case) -> Case:
    session.add(row)
    session.flush()
    return row


def add_note(session: Session, row: CaseNote) -> None:
    session.add(row)
    session.flush()


def notes_of(session: Session, case_id: str) -> Sequence[CaseNote]:
    return session.scalars(select(CaseNote).where(CaseNote.case_id == case_id).order_by(CaseNote.id)).all()


def in_states(session: Session, practice_id: str, states: Collection[str]) -> Sequence[Case]:
    return session.scalars(select(Case).where(
        Case.practice_id == practice_id, Case.status.in_(states)).order_by(Case.due_at, Case.number)).all()


def overdue(session: Session, now: datetime) -> Sequence[Case]:
    """Open cases past their time that somebody higher up can still take."""
    return session.scalars(select(Case).where(
        Case.status == "open", Case.due_at <= now, Case.level < 2).order_by(Case.due_at, Case.id)).all()


def is_open_in(session: Session, conversation_id: str, kind: str) -> bool:
    """Whether a conversation has a case of this kind that is not closed."""
    return bool(_open_in(session, conversation_id=conversation_id, kind=kind))


@prepared
def _open_in() -> Select[Any]:
    return select(Case.id).where(
        Case.conversation_id == given("conversation_id"), Case.kind == given("kind"), Case.status != "closed").limit(1)


def least_busy(session: Session, practice_id: str, role: str) -> str | None:
    """The active person of a role with the fewest cases not closed; of equals the first by login."""
    return session.scalar(
        select(Staff.login)
        .outerjoin(Case, and_(Case.practice_id == practice_id, Case.owner == Staff.login, Case.status != "closed"))
        .where(Staff.practice_id == practice_id, Staff.role == role, Staff.active.is_(True))
        .group_by(Staff.login).order_by(func.count(Case.id), Staff.login).limit(1))


def owner_of_visit(session: Session, practice_id: str, visit_id: str) -> str | None:
    return session.scalar(select(Visit.guarantor_id).where(Visit.practice_id == practice_id, Visit.id == visit_id))


def open_of_account(session: Session, practice_id: str, guarantor_id: str, kinds: Collection[str]) -> Sequence[Case]:
    """Cases of an account that are not closed, the newest first."""
    return session.scalars(select(Case).where(
        Case.practice_id == practice_id, Case.guarantor_id == guarantor_id, Case.kind.in_(kinds),
        Case.status != "closed").order_by(Case.number.desc())).all()


def add_file(session: Session, row: CaseFile) -> None:
    session.add(row)
    session.flush()


def file_facts(session: Session, case_id: str) -> Sequence[tuple[int, str, str, int, str, datetime]]:
    """(number, label, media type, bytes, digest, when) of a case's files, without opening any of them."""
    rows = session.execute(select(
        CaseFile.number, CaseFile.label, CaseFile.media_type, CaseFile.bytes_count, CaseFile.digest, CaseFile.sent_at)
        .where(CaseFile.case_id == case_id).order_by(CaseFile.number))
    return [(number, label, kind, size, digest, at) for number, label, kind, size, digest, at in rows]


def file_of(session: Session, case_id: str, number: int) -> CaseFile | None:
    return session.scalars(select(CaseFile).where(
        CaseFile.case_id == case_id, CaseFile.number == number)).one_or_none()
