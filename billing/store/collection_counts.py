"""Counts of what still waits for somebody's word before anything is asked for."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import OpeningVisit


def unreleased(session: Session, practice_id: str) -> int:
    """Visits that were taken over from another system and are still held."""
    return session.scalar(select(func.count()).where(
        OpeningVisit.practice_id == practice_id, OpeningVisit.released_at.is_(None))) or 0
