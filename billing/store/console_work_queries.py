"""SQL of the worklists: open cases by the time they are due, and how many there are of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store.tables import Case, Guarantor


def counts(session: Session, practice_id: str, now: datetime) -> list[tuple[str, int, int]]:
    """(kind, open, of them overdue), most first."""
    overdue = func.count().filter(Case.due_at <= now)
    rows = session.execute(select(Case.kind, func.count(), overdue).where(
        Case.practice_id == practice_id, Case.status == "open").group_by(Case.kind).order_by(func.count().desc(),
                                                                                              Case.kind))
    return [(row[0], row[1], row[2]) for row in rows]


def page(session: Session, practice_id: str, *, kind: str, owner: str, closed: bool, after: tuple[datetime, int] | None,
         most: int) -> Sequence[tuple[Case, str | None]]:
    """(case, account's number), the one due first on top; ``after``: when the last page's last one was due, its number.
    """
    query = select(Case, Guarantor.external).outerjoin(Guarantor, Guarantor.id == Case.guarantor_id).where(
        Case.practice_id == practice_id)
    query = query.where(Case.status == "closed") if closed else query.where(Case.status != "closed")
    if kind:
        query = query.where(Case.kind == kind)
    if owner:
        query = query.where(Case.owner == owner)
    if after is not None:
        query = query.where(or_(Case.due_at > after[0], and_(Case.due_at == after[0], Case.number > after[1])))
    return [(row[0], row[1]) for row in session.execute(query.order_by(Case.due_at, Case.number).limit(most))]


def case(session: Session, practice_id: str, case_id: str) -> Case | None:
    return session.scalar(select(Case).where(Case.practice_id == practice_id, Case.id == case_id))
