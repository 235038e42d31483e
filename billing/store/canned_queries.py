"""SQL of the words that stand ready."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import CannedReply


def named(session: Session, practice_id: str, name: str, language: str) -> CannedReply | None:
    return session.scalar(select(CannedReply).where(CannedReply.practice_id == practice_id, CannedReply.name == name,
                                                    CannedReply.language == language))


def by_id(session: Session, practice_id: str, canned_id: str) -> CannedReply | None:
    return session.scalar(select(CannedReply).where(CannedReply.practice_id == practice_id,
                                                    CannedReply.id == canned_id))


def standing(session: Session, practice_id: str, language: str) -> Sequence[CannedReply]:
    query = select(CannedReply).where(CannedReply.practice_id == practice_id, CannedReply.retired_at.is_(None))
    if language:
        query = query.where(CannedReply.language == language)
    return session.scalars(query.order_by(CannedReply.name, CannedReply.language)).all()


def add(session: Session, row: CannedReply) -> CannedReply:
    session.add(row)
    session.flush()
    return row
