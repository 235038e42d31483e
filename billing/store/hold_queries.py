"""SQL of holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from billing.store import ledger_queries
from billing.store.tables import Hold


def by_dedupe(session: Session, practice_id: str, dedupe: str) -> Hold | None:
    return session.scalars(select(Hold).where(Hold.practice_id == practice_id, Hold.dedupe == dedupe)).one_or_none()


def by_id(session: Session, practice_id: str, hold_id: str) -> Hold | None:
    return session.scalars(select(Hold).where(Hold.practice_id == practice_id, Hold.id == hold_id)).one_or_none()


def open_alike(session: Session, guarantor_id: str, kind: str, visit_id: str | None) -> Hold | None:
    """An open hold of this kind in exactly this place."""
    place = Hold.visit_id.is_(None) if visit_id is None else Hold.visit_id == visit_id
    return session.scalars(select(Hold).where(
        Hold.guarantor_id == guarantor_id, Hold.kind == kind, place, Hold.released_at.is_(None))
        .order_by(Hold.id).limit(1)).one_or_none()


def open_of(session: Session, guarantor_id: str) -> Sequence[Hold]:
    return session.scalars(select(Hold).where(
        Hold.guarantor_id == guarantor_id, Hold.released_at.is_(None)).order_by(Hold.id)).all()


def open_on_visit(session: Session, visit_id: str) -> Sequence[Hold]:
    return session.scalars(select(Hold).where(
        Hold.visit_id == visit_id, Hold.released_at.is_(None)).order_by(Hold.id)).all()


def to_review(session: Session, practice_id: str, today: date) -> Sequence[Hold]:
    return session.scalars(select(Hold).where(
        Hold.practice_id == practice_id, Hold.released_at.is_(None), Hold.review_on <= today)
        .order_by(Hold.review_on, Hold.id)).all()


def open_from(session: Session, practice_id: str, sources: Sequence[str]) -> Sequence[Hold]:
    """Open holds that one of these sources (``case:ID`` ...) has placed, or that carry it as their key."""
    return session.scalars(select(Hold).where(
        Hold.practice_id == practice_id, Hold.released_at.is_(None),
        or_(Hold.source.in_(sources), Hold.dedupe.in_(sources))).order_by(Hold.guarantor_id, Hold.id)).all()


def add(session: Session, row: Hold) -> Hold:
    session.add(row)
    session.flush()
    return row


def lock_and_bump(session: Session, guarantor_id: str) -> None:
    """A hold changes what is due, hence the balance's version; the guarantor is locked first, as posting does."""
    ledger_queries.lock_guarantors(session, [guarantor_id])
    ledger_queries.bump_versions(session, [guarantor_id])


def lock(session: Session, guarantor_id: str) -> None:
    ledger_queries.lock_guarantors(session, [guarantor_id])
