"""SQL of a practice's own words for messages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import WordsChange

IN_FORCE = "in_force"


def in_force(session: Session, practice_id: str) -> Sequence[WordsChange]:
    """What the practice says in its own words, one row a message and language."""
    return session.scalars(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.status == IN_FORCE)).all()


def by_states(session: Session, practice_id: str, states: Sequence[str], most: int) -> Sequence[WordsChange]:
    return session.scalars(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.status.in_(states))
        .order_by(WordsChange.asked_at.desc(), WordsChange.id.desc()).limit(most)).all()


def of_message(session: Session, practice_id: str, template: str, most: int) -> Sequence[WordsChange]:
    """Every change of a message that was asked for, newest first."""
    return session.scalars(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.template == template)
        .order_by(WordsChange.asked_at.desc(), WordsChange.id.desc()).limit(most)).all()


def lock(session: Session, practice_id: str, change_id: str) -> WordsChange | None:
    return session.scalar(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.id == change_id).with_for_update()
        .execution_options(populate_existing=True))


def find(session: Session, practice_id: str, change_id: str) -> WordsChange | None:
    return session.scalar(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.id == change_id))


def standing(session: Session, practice_id: str, language: str, template: str, status: str) -> Sequence[WordsChange]:
    return session.scalars(select(WordsChange).where(
        WordsChange.practice_id == practice_id, WordsChange.language == language, WordsChange.template == template,
        WordsChange.status == status).with_for_update()).all()


def add(session: Session, row: WordsChange) -> WordsChange:
    session.add(row)
    session.flush()
    return row
