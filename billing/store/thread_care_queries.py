"""SQL of who looks after a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Conversation, Presence, ThreadCare, ThreadNote


def is_taken(session: Session, conversation_id: str) -> bool:
    return session.scalar(select(ThreadCare.taken_at).where(ThreadCare.conversation_id == conversation_id)) is not None


def lock(session: Session, conversation_id: str) -> ThreadCare | None:
    return session.scalar(select(ThreadCare).where(ThreadCare.conversation_id == conversation_id).with_for_update()
                          .execution_options(populate_existing=True))


def talk(session: Session, practice_id: str, conversation_id: str) -> Conversation | None:
    return session.scalar(select(Conversation).where(Conversation.practice_id == practice_id,
                                                     Conversation.id == conversation_id))


def lock_talk(session: Session, practice_id: str, conversation_id: str) -> Conversation | None:
    return session.scalar(select(Conversation).where(
        Conversation.practice_id == practice_id, Conversation.id == conversation_id).with_for_update()
        .execution_options(populate_existing=True))


def add(session: Session, row: ThreadCare) -> ThreadCare:
    session.add(row)
    session.flush()
    return row


def add_note(session: Session, row: ThreadNote) -> ThreadNote:
    session.add(row)
    session.flush()
    return row


def notes(session: Session, conversation_id: str) -> Sequence[ThreadNote]:
    return session.scalars(select(ThreadNote).where(ThreadNote.conversation_id == conversation_id)
                           .order_by(ThreadNote.at, ThreadNote.id)).all()


def presence(session: Session, conversation_id: str, login: str) -> Presence | None:
    return session.get(Presence, (conversation_id, login))


def presences(session: Session, conversation_id: str, since: datetime) -> Sequence[Presence]:
    return session.scalars(select(Presence).where(Presence.conversation_id == conversation_id,
                                                  Presence.reading_at > since).order_by(Presence.login)).all()
