"""SQL of the console's inbox and threads: a page of conversations, then what belongs to them, all in one trip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, ask_together, given, one_of, prepared
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


class Came(NamedTuple):
    """A text of a patient."""

    thread: str
    payload: Mapping[str, Any]
    status: str
    received_at: datetime


class Went(NamedTuple):
    """A message of ours."""

    conversation_id: str
    id: str
    purpose: str
    template: str
    body: str
    status: str
    created_at: datetime


class OpenCase(NamedTuple):
    conversation_id: str
    id: str
    number: int
    kind: str
    title: str
    status: str
    owner: str | None
    due_at: datetime


class Care(NamedTuple):
    """Who looks after a conversation."""

    conversation_id: str
    owner: str | None
    taken_by: str | None
    taken_at: datetime | None
    waiting_since: datetime | None


class Belonging(NamedTuple):
    """What belongs to some conversations. ``names``: (name, account's number) by the account's id; the rest oldest
    first, cases by when they are due.
    """

    received: list[Came]
    sent: list[Went]
    cases: list[OpenCase]
    care: dict[str, Care]
    names: dict[str, tuple[str, str]]


@prepared
def _received() -> Query:
    place = func.row_number().over(partition_by=Inbox.thread, order_by=Inbox.id.desc()).label("place")
    newest = select(Inbox.id, place).where(one_of(Inbox.thread, "lanes"), Inbox.kind == "message").subquery()
    return (select(Inbox.thread, Inbox.payload, Inbox.status, Inbox.received_at)
            .join(newest, newest.c.id == Inbox.id).where(newest.c.place <= given("most")).order_by(Inbox.id))


@prepared
def _sent() -> Query:
    order = (Outbox.created_at.desc(), Outbox.sequence.desc(), Outbox.id.desc())
    place = func.row_number().over(partition_by=Outbox.conversation_id, order_by=order).label("place")
    newest = select(Outbox.id, place).where(one_of(Outbox.conversation_id, "ids")).subquery()
    return (select(*(getattr(Outbox, name) for name in Went._fields)).join(newest, newest.c.id == Outbox.id)
            .where(newest.c.place <= given("most")).order_by(Outbox.created_at, Outbox.sequence, Outbox.id))


@prepared
def _open_cases() -> Query:
    return (select(*(getattr(Case, name) for name in OpenCase._fields))
            .where(one_of(Case.conversation_id, "ids"), Case.status != "closed").order_by(Case.due_at))


@prepared
def _care() -> Query:
    return select(*(getattr(ThreadCare, name) for name in Care._fields)).where(
        one_of(ThreadCare.conversation_id, "ids"))


@prepared
def _names() -> Query:
    return select(Guarantor.id, Guarantor.name, Guarantor.external).where(one_of(Guarantor.id, "accounts"))


def belonging(session: Session, talks: Sequence[Conversation], most: int) -> Belonging:
    """Of texts and messages the newest, ``most`` of each conversation."""
    ids: dict[str, object] = {"ids": [talk.id for talk in talks]}
    received, sent, cases, care, names = ask_together(
        session, (_received, {"lanes": [lane(talk) for talk in talks], "most": most}), (_sent, {**ids, "most": most}),
        (_open_cases, ids), (_care, ids),
        (_names, {"accounts": {talk.guarantor_id for talk in talks if talk.guarantor_id}}))
    return Belonging(
        [Came._make(row) for row in received], [Went._make(row) for row in sent],
        [OpenCase._make(row) for row in cases], {row[0]: Care._make(row) for row in care},
        {id_: (name, external) for id_, name, external in names})
