"""SQL of the policy's versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import PolicyChange, Practice


def add(session: Session, row: PolicyChange) -> None:
    session.add(row)
    session.flush()


def lock_practice(session: Session, practice_id: str) -> Practice:
    """The practice's row, so that two changes of its policy come one after the other."""
    return session.scalars(select(Practice).where(Practice.id == practice_id).with_for_update()
                           .execution_options(populate_existing=True)).one()


def lock(session: Session, practice_id: str, change_id: str) -> PolicyChange | None:
    return session.scalar(select(PolicyChange).where(
        PolicyChange.practice_id == practice_id, PolicyChange.id == change_id).with_for_update()
        .execution_options(populate_existing=True))


def find(session: Session, practice_id: str, change_id: str) -> PolicyChange | None:
    return session.scalar(select(PolicyChange).where(
        PolicyChange.practice_id == practice_id, PolicyChange.id == change_id))


def every(session: Session, practice_id: str, *, before: int | None = None, most: int = 51) -> Sequence[PolicyChange]:
    """Newest first."""
    query = select(PolicyChange).where(PolicyChange.practice_id == practice_id)
    if before is not None:
        query = query.where(PolicyChange.number < before)
    return session.scalars(query.order_by(PolicyChange.number.desc()).limit(most)).all()


def open_ones(session: Session, practice_id: str) -> Sequence[PolicyChange]:
    """Proposed or approved, and not in force yet."""
    return session.scalars(select(PolicyChange).where(
        PolicyChange.practice_id == practice_id, PolicyChange.status.in_(("asked", "approved")))
        .order_by(PolicyChange.number)).all()


def due(session: Session, practice_id: str, today: date) -> Sequence[str]:
    """Approved ones whose day has come, in the order of their days."""
    return session.scalars(select(PolicyChange.id).where(
        PolicyChange.practice_id == practice_id, PolicyChange.status == "approved", PolicyChange.starts_on <= today)
        .order_by(PolicyChange.starts_on, PolicyChange.number)).all()
