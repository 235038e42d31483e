"""SQL of the claims that a payer has denied or not answered, and what staff keep about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from billing.store.tables import ClaimWork, Coverage, Guarantor, Remittance, RemittanceClaim, Visit

Found = tuple[Coverage, Visit, str, datetime, ClaimWork | None]


def page(session: Session, practice_id: str, *, cutoff: datetime, show: str, owner: str, done: Sequence[str],
         after: tuple[datetime, str] | None, most: int) -> Sequence[Found]:
    """(coverage, visit, account's number, waiting since, work), the one that waits longest first. ``show``: denied,
    unanswered, or empty for both; ``done``: outcomes that end the work, which leave the list.
    """
    since = _since()
    query = _work(select(Coverage, Visit, Guarantor.external, since, ClaimWork), practice_id, cutoff, show, done)
    query = query.join(Guarantor, Guarantor.id == Visit.guarantor_id)
    if owner:
        query = query.where(ClaimWork.owner == owner)
    if after is not None:
        query = query.where(or_(since > after[0], and_(since == after[0], Coverage.id > after[1])))
    rows = session.execute(query.order_by(since, Coverage.id).limit(most))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def counts(session: Session, practice_id: str, cutoff: datetime, done: Sequence[str]) -> dict[str, int]:
    """How many are denied, and how many unanswered."""
    query = _work(select(Coverage.status, func.count()), practice_id, cutoff, "", done)
    return {row[0]: row[1] for row in session.execute(query.group_by(Coverage.status))}


def coverage(session: Session, practice_id: str, coverage_id: str, *, lock: bool = False,
             ) -> tuple[Coverage, Visit] | None:
    query = select(Coverage, Visit).join(Visit, Visit.id == Coverage.visit_id).where(
        Coverage.practice_id == practice_id, Coverage.id == coverage_id)
    row = session.execute(query.with_for_update(of=Coverage) if lock else query).one_or_none()
    return (row[0], row[1]) if row is not None else None


def work_of(session: Session, practice_id: str, coverage_id: str) -> ClaimWork | None:
    return session.scalar(select(ClaimWork).where(
        ClaimWork.practice_id == practice_id, ClaimWork.coverage_id == coverage_id)
        .execution_options(populate_existing=True))


def add(session: Session, row: ClaimWork) -> ClaimWork:
    session.add(row)
    session.flush()
    return row


def reasons(session: Session, coverage_ids: Sequence[str]) -> dict[str, str]:
    """What the payer's last answer was kept with, by coverage."""
    rows = session.execute(select(RemittanceClaim.coverage_id, RemittanceClaim.reason).where(
        RemittanceClaim.coverage_id.in_(coverage_ids)).order_by(RemittanceClaim.id))
    return {row[0] or "": row[1] for row in rows}


def _work(query: Any, practice_id: str, cutoff: datetime, show: str, done: Sequence[str]) -> Any:
    waits = and_(Coverage.status == "pending", ~_earlier_waits(), _since() <= cutoff)
    wanted = {"denied": Coverage.status == "denied", "unanswered": waits}.get(
        show, or_(Coverage.status == "denied", waits))
    return (query.select_from(Coverage).join(Visit, Visit.id == Coverage.visit_id)
            .outerjoin(ClaimWork, ClaimWork.coverage_id == Coverage.id)
            .where(Coverage.practice_id == practice_id, Visit.void.is_(False), wanted,
                   or_(ClaimWork.outcome.is_(None), ClaimWork.outcome.not_in(done), ClaimWork.at < _answered())))


def _earlier_waits() -> ColumnElement[bool]:
    """A later payer is not late before the one ahead of it has answered."""
    ahead = aliased(Coverage)
    return exists().where(ahead.visit_id == Coverage.visit_id, ahead.rank < Coverage.rank, ahead.status == "pending")


def _answered() -> ColumnElement[datetime]:
    """When this payer answered last: an answer that came after the work was done is new work."""
    return (select(func.max(Remittance.created_at))
            .join(RemittanceClaim, RemittanceClaim.remittance_id == Remittance.id)
            .where(RemittanceClaim.coverage_id == Coverage.id, RemittanceClaim.outcome == "posted")
            .correlate(Coverage).scalar_subquery())


def _since() -> ColumnElement[datetime]:
    """Since when the payer could answer: since the answer before its own, else since the claim is on file."""
    last = (select(func.max(Remittance.created_at))
            .join(RemittanceClaim, RemittanceClaim.remittance_id == Remittance.id)
            .where(RemittanceClaim.visit_id == Visit.id, RemittanceClaim.outcome == "posted")
            .correlate(Visit).scalar_subquery())
    return func.coalesce(last, Visit.created_at, type_=Visit.created_at.type)
