"""SQL of who looks after a conversation."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.prepared import Query, ask_together, given, prepared
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


class Noted(NamedTuple):
    """A word among colleagues; the attributes of ThreadNote."""

    by: str
    body: str
    at: datetime


class Present(NamedTuple):
    """Somebody who has the thread open; the attributes of Presence."""

    login: str
    typing_at: datetime | None


@prepared
def _notes() -> Query:
    return (select(*(getattr(ThreadNote, name) for name in Noted._fields))
            .where(ThreadNote.conversation_id == given("conversation_id")).order_by(ThreadNote.at, ThreadNote.id))


@prepared
def _presences() -> Query:
    return (select(*(getattr(Presence, name) for name in Present._fields))
            .where(Presence.conversation_id == given("conversation_id"), Presence.reading_at > given("since"))
            .order_by(Presence.login))


def beside(session: Session, conversation_id: str, since: datetime) -> tuple[list[Noted], list[Present]]:
    """What colleagues noted on a thread, in their order, and who has had it open ``since``."""
    notes, present = ask_together(session, (_notes, {"conversation_id": conversation_id}),
                                  (_presences, {"conversation_id": conversation_id, "since": since}))
    return [Noted._make(row) for row in notes], [Present._make(row) for row in present]


def be_present(session: Session, practice_id: str, conversation_id: str, login: str, now: datetime,
               typing_at: datetime | None) -> None:
    """Somebody has the thread open; ``typing_at`` None leaves what stood there."""
    row = {"conversation_id": conversation_id, "login": login, "practice_id": practice_id, "reading_at": now,
           "typing_at": typing_at}
    statement, values = driver.insertion(session, cast(Table, Presence.__table__), row)
    driver.run(session, statement + _RENEWED, *values)


_RENEWED = """ ON CONFLICT (conversation_id, login) DO UPDATE SET reading_at = excluded.reading_at,
typing_at = COALESCE(excluded.typing_at, presences.typing_at)"""
