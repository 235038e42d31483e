"""The SQL of the road: inbox, conversations, outbox. Rows taken for work are locked where the database can.

PostgreSQL locks row by row and skips what another worker holds; on SQLite a writer is alone anyway, and SQLAlchemy
leaves the lock clause out there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, aliased, defer

from billing.store.tables import Base, Case, Conversation, Guarantor, Inbox, Lease, Outbox, Practice

#: Outbox states that keep a later reply of the same conversation waiting. ``unknown`` does not: it may take days.
UNSETTLED = ("queued", "claimed", "sending")

#: Outbox states of what left as far as anybody knows: whoever answers it has read it.
LEFT = ("sending", "sent", "delivered", "unknown")


def insert_once(session: Session, table: type[Base], values: Mapping[str, Any], unique: Sequence[str]) -> bool:
    """Insert a row unless one with the same ``unique`` columns is there; return whether it was inserted."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    keys = [getattr(table, name) for name in unique]
    made = insert(table).values(**values).on_conflict_do_nothing(index_elements=keys).returning(keys[0])
    return session.execute(made).first() is not None


def lock_thread(session: Session, thread: str) -> None:
    """Let one transaction at a time add to a thread, so that ids rise in the order of commits."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:thread, 0))"), {"thread": thread})


def claimable_inbox(session: Session, now: datetime, limit: int) -> list[Inbox]:
    """Return due rows, at most one per thread: its oldest, and none of a thread that is being worked."""
    other = aliased(Inbox)
    in_the_way = exists().where(
        other.thread == Inbox.thread,
        or_(other.status == "working", and_(other.status == "accepted", other.id < Inbox.id)))
    found = (select(Inbox).where(Inbox.status == "accepted", Inbox.due_at <= now, ~in_the_way)
             .order_by(Inbox.due_at, Inbox.id).limit(limit).with_for_update(skip_locked=True, of=Inbox))
    return list(session.scalars(found))


def expired_inbox(session: Session, now: datetime) -> list[Inbox]:
    """Return rows whose worker did not come back in time."""
    found = select(Inbox).where(Inbox.status == "working", Inbox.claimed_until <= now)
    return list(session.scalars(found.with_for_update(skip_locked=True)))


def lock_inbox(session: Session, inbox_id: int) -> Inbox | None:
    return session.scalar(select(Inbox).where(Inbox.id == inbox_id).with_for_update())


def lock_conversation(session: Session, practice_id: str, channel: str, address_hash: str) -> Conversation | None:
    found = select(Conversation).where(Conversation.practice_id == practice_id, Conversation.channel == channel,
                                       Conversation.address_hash == address_hash)
    return session.scalar(found.with_for_update())


def lock_conversation_by_id(session: Session, conversation_id: str) -> Conversation | None:
    return session.scalar(select(Conversation).where(Conversation.id == conversation_id).with_for_update())


def find_message(session: Session, practice_id: str, idempotency_key: str) -> Outbox | None:
    return session.scalar(select(Outbox).where(Outbox.practice_id == practice_id,
                                               Outbox.idempotency_key == idempotency_key))


def lock_message(session: Session, outbox_id: str) -> Outbox | None:
    return session.scalar(select(Outbox).where(Outbox.id == outbox_id).with_for_update())


def lock_messages(session: Session, outbox_ids: Sequence[str], *, words: bool = True) -> list[Outbox]:
    """Lock many, in the order of their ids, and return them in the order asked for. ``words``: with what is sealed."""
    query = select(Outbox).where(Outbox.id.in_(outbox_ids)).order_by(Outbox.id).with_for_update()
    if not words:
        query = query.options(defer(Outbox.address), defer(Outbox.body), defer(Outbox.arguments))
    found = {row.id: row for row in session.scalars(query)}
    return [found[one] for one in outbox_ids if one in found]


def lock_household(session: Session, hashes: Iterable[str]) -> None:
    """Let one transaction at a time decide about messages to these addresses; the next one sees what left."""
    if session.get_bind().dialect.name != "postgresql":
        return  # one writer at a time anyway
    session.execute(text(
        "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended('house:' || one, 0) AS k "
        "FROM unnest(string_to_array(:hashes, ',')) AS one ORDER BY k) AS keys"), {"hashes": ",".join(hashes)})


def lock_message_by_provider(session: Session, channel: str, provider_id: str) -> Outbox | None:
    found = select(Outbox).where(Outbox.channel == channel, Outbox.provider_id == provider_id,
                                 Outbox.purpose != "redaction")
    return session.scalar(found.with_for_update())


def claimable_outbox(session: Session, now: datetime, limit: int, only: tuple[str, str] | None = None,
                     ) -> list[Outbox]:
    """Return due messages: none on a paused channel, no reply before an earlier one of its conversation, and no letter
    (those leave by a print run: billing/mailing.py). ``only``: those of one channel to one address hash.
    """
    found = (select(Outbox).where(Outbox.status == "queued", Outbox.due_at <= now, Outbox.channel != "paper",
                                  ~_earlier_reply_unsettled(),
                                  ~_channel_paused(now))
             .order_by(Outbox.due_at, Outbox.sequence, Outbox.id).limit(limit)
             .with_for_update(skip_locked=True, of=Outbox))
    if only is not None:
        found = found.where(Outbox.channel == only[0], Outbox.address_hash == only[1])
    return list(session.scalars(found))


def _earlier_reply_unsettled() -> ColumnElement[bool]:
    earlier = aliased(Outbox)
    return exists().where(
        earlier.conversation_id == Outbox.conversation_id, earlier.status.in_(UNSETTLED),
        earlier.purpose != "redaction", or_(earlier.reply_to < Outbox.reply_to, and_(
            earlier.reply_to == Outbox.reply_to, earlier.sequence < Outbox.sequence)))


def pause_name(practice_id: str, channel: str) -> str:
    """Return the name of the lease that pauses a channel of a practice."""
    return f"off:{channel}:{practice_id}"


def _channel_paused(now: datetime) -> ColumnElement[bool]:
    name = literal("off:") + Outbox.channel + ":" + Outbox.practice_id
    return exists().where(Lease.until_at > now, Lease.name == name)


def due_deferred(session: Session, now: datetime, limit: int) -> list[Outbox]:
    found = select(Outbox).where(Outbox.status == "deferred", Outbox.due_at <= now).order_by(Outbox.due_at)
    return list(session.scalars(found.limit(limit).with_for_update(skip_locked=True)))


def expired_outbox(session: Session, status: str, now: datetime) -> list[Outbox]:
    """Return messages in ``status`` (claimed or sending) whose worker did not come back in time."""
    found = select(Outbox).where(Outbox.status == status, Outbox.claimed_until <= now)
    return list(session.scalars(found.with_for_update(skip_locked=True)))


def unknown_messages(
    session: Session, now: datetime, most_lookups: int, apart: timedelta, first_after: timedelta, limit: int,
) -> list[Outbox]:
    """Return messages of unknown outcome that are to be looked up now, longest waiting first."""
    rested = or_(Outbox.looked_up_at.is_(None), Outbox.looked_up_at <= now - apart)
    found = select(Outbox).where(Outbox.status == "unknown", Outbox.lookups < most_lookups, rested,
                                 Outbox.sending_at <= now - first_after)
    return list(session.scalars(found.order_by(Outbox.sending_at).limit(limit)))


def known_provider_ids(session: Session, channel: str, provider_ids: Sequence[str]) -> set[str]:
    """Return those of ``provider_ids`` that are already another message of ours."""
    found = select(Outbox.provider_id).where(Outbox.channel == channel, Outbox.provider_id.in_(provider_ids))
    return {one for one in session.scalars(found) if one is not None}


def practice_of_number(session: Session, number: str) -> str | None:
    """Return the id of the practice that texts from this number (E.164)."""
    return session.scalar(select(Practice.id).where(Practice.sms_number == number))


def balance_version(session: Session, guarantor_id: str) -> int | None:
    return session.scalar(select(Guarantor.balance_version).where(Guarantor.id == guarantor_id))


def silent_conversations(session: Session, now: datetime, limit: int) -> Sequence[Conversation]:
    """Conversations whose open question has waited long enough."""
    return session.scalars(select(Conversation).where(Conversation.silent_at <= now)
                           .order_by(Conversation.silent_at).limit(limit).with_for_update(skip_locked=True)).all()


def untold_cases(session: Session, limit: int) -> Sequence[Case]:
    """Open cases out of conversations whose present holder was not told of them."""
    return session.scalars(select(Case).where(
        Case.status == "open", Case.conversation_id.is_not(None), Case.told_level < Case.level)
        .order_by(Case.opened_at).limit(limit).with_for_update(skip_locked=True)).all()


def newest_sent(session: Session, conversation_id: str, template: str) -> Outbox | None:
    """The newest message of this template that left in this conversation, as far as we know."""
    return session.scalar(select(Outbox).where(
        Outbox.conversation_id == conversation_id, Outbox.template == template, Outbox.status.in_(LEFT))
        .order_by(Outbox.created_at.desc(), Outbox.sequence.desc()).limit(1))
