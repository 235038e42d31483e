"""SQL of the console's inbox and threads: a page of conversations, then what belongs to them in one query each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from billing.store.tables import Case, Conversation, Guarantor, Hold, Inbox, Outbox, ThreadCare
from billing.threads import of_hash


def page(session: Session, practice_id: str, *, wanted: str, language: str, owner: str, before: datetime | None,
         only: Collection[str] | None, most: int) -> Sequence[Conversation]:
    """Conversations by when the patient last wrote, newest first. ``only``: those of these accounts' numbers (keyed
    hashes); ``wanted``: person, unknown, dispute, mine, or all of them.
    """
    query = select(Conversation).where(Conversation.practice_id == practice_id)
    if wanted == "person":
        query = query.where(or_(_has_case(), _waits()))
    elif wanted == "unknown":
        query = query.where(exists().where(Outbox.conversation_id == Conversation.id, Outbox.status == "unknown"))
    elif wanted == "dispute":
        query = query.where(exists().where(Hold.guarantor_id == Conversation.guarantor_id, Hold.kind == "dispute",
                                           Hold.released_at.is_(None)) | _has_case("dispute"))
    elif wanted == "mine":
        query = query.where(exists().where(ThreadCare.conversation_id == Conversation.id, ThreadCare.owner == owner))
    if language:
        query = query.where(Conversation.language == language)
    if only is not None:
        query = query.where(Conversation.address_hash.in_(only))
    return session.scalars(_newest(query, before, most)).all()


def _newest(query: Select[Conversation], before: datetime | None, most: int) -> Select[Conversation]:
    at = func.coalesce(Conversation.last_inbound_at, Conversation.created_at)
    if before is not None:
        query = query.where(at < before)
    return query.order_by(at.desc(), Conversation.id).limit(most)


def _has_case(kind: str = "") -> ColumnElement[bool]:
    found = exists().where(Case.conversation_id == Conversation.id, Case.status == "open")
    return found.where(Case.kind == kind) if kind else found


def _waits() -> ColumnElement[bool]:
    return exists().where(ThreadCare.conversation_id == Conversation.id, ThreadCare.waiting_since.is_not(None))


def talk(session: Session, practice_id: str, conversation_id: str) -> Conversation | None:
    return session.scalar(select(Conversation).where(Conversation.practice_id == practice_id,
                                                     Conversation.id == conversation_id))


def lane(talk: Conversation) -> str:
    return of_hash(talk.practice_id, talk.channel, talk.address_hash)


def received(session: Session, lanes: Collection[str], most: int) -> Sequence[Inbox]:
    """The newest texts of each lane, ``most`` of each."""
    place = func.row_number().over(partition_by=Inbox.thread, order_by=Inbox.id.desc()).label("place")
    newest = select(Inbox.id, place).where(Inbox.thread.in_(lanes), Inbox.kind == "message").subquery()
    return session.scalars(select(Inbox).join(newest, newest.c.id == Inbox.id).where(newest.c.place <= most)
                           .order_by(Inbox.id)).all()


def sent(session: Session, conversation_ids: Collection[str], most: int) -> Sequence[Outbox]:
    """The newest messages to each conversation, ``most`` of each."""
    order = (Outbox.created_at.desc(), Outbox.sequence.desc(), Outbox.id.desc())
    place = func.row_number().over(partition_by=Outbox.conversation_id, order_by=order).label("place")
    newest = select(Outbox.id, place).where(Outbox.conversation_id.in_(conversation_ids)).subquery()
    return session.scalars(select(Outbox).join(newest, newest.c.id == Outbox.id).where(newest.c.place <= most)
                           .order_by(Outbox.created_at, Outbox.sequence, Outbox.id)).all()


def open_cases(session: Session, conversation_ids: Collection[str]) -> Sequence[Case]:
    return session.scalars(select(Case).where(Case.conversation_id.in_(conversation_ids), Case.status != "closed")
                           .order_by(Case.due_at)).all()


def names(session: Session, account_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """(name, account's number) by the account's id."""
    rows = session.execute(select(Guarantor.id, Guarantor.name, Guarantor.external)
                           .where(Guarantor.id.in_(account_ids)))
    return {row[0]: (row[1], row[2]) for row in rows}
