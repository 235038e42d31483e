"""The SQL of the road: inbox, conversations, outbox. Rows taken for work are locked where the database can.

PostgreSQL locks row by row and skips what another worker holds; on SQLite a writer is alone anyway, and SQLAlchemy
leaves the lock clause out there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    Update,
    and_,
    bindparam,
    exists,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased, defer
from sqlalchemy.orm.attributes import set_committed_value

from billing.message_life import MAY_HAVE_LEFT
from billing.store import driver
from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import Case, Conversation, Guarantor, Inbox, Lease, Outbox

#: Outbox states that keep a later reply of the same conversation waiting. ``unknown`` does not: it may take days.
UNSETTLED = ("queued", "claimed", "sending")


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
    found = _message_of_key(session, practice_id=practice_id, idempotency_key=idempotency_key)
    return session.get(Outbox, found[0][0]) if found else None


@prepared
def _message_of_key() -> Query:
    return select(Outbox.id).where(Outbox.practice_id == given("practice_id"),
                                   Outbox.idempotency_key == given("idempotency_key"))


_LOCKED = select(Outbox).with_for_update().execution_options(populate_existing=True)
"""Locked rows as they are now, whatever the session has read of them before."""


def lock_message(session: Session, outbox_id: str) -> Outbox | None:
    return session.scalar(_LOCKED.where(Outbox.id == outbox_id))


_LOCKED_SET = (_LOCKED.where(Outbox.id.in_(bindparam("ids", expanding=True))).order_by(Outbox.id)
               .options(defer(Outbox.arguments)))


def lock_messages(session: Session, outbox_ids: Sequence[str]) -> list[Outbox]:
    """Lock many, in the order of their ids, and return them in the order asked for."""
    found = {row.id: row for row in session.scalars(_LOCKED_SET, {"ids": outbox_ids})}
    return [found[one] for one in outbox_ids if one in found]


def lock_household(session: Session, hashes: Iterable[str]) -> None:
    """Let one transaction at a time decide about messages to these addresses; the next one sees what left."""
    if session.get_bind().dialect.name != "postgresql":
        return  # one writer at a time anyway
    driver.run(session, "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended('house:' || one, 0) "
                        "AS k FROM unnest(string_to_array(?, ',')) AS one ORDER BY k) AS keys", ",".join(hashes))


def lock_message_by_provider(session: Session, channel: str, provider_id: str) -> Outbox | None:
    return session.scalar(_LOCKED.where(Outbox.channel == channel, Outbox.provider_id == provider_id,
                                        Outbox.purpose != "redaction"))


def _due_now() -> Query:
    return (select(Outbox.id).where(Outbox.status == "queued", Outbox.due_at <= given("now"), Outbox.channel != "paper",
                                    ~_earlier_reply_unsettled(), ~_channel_paused())
            .order_by(Outbox.due_at, Outbox.sequence, Outbox.id).limit(bindparam("most", None, Integer()))
            .with_for_update(skip_locked=True, of=Outbox))


_due = prepared(_due_now)


@prepared
def _due_there() -> Query:
    return _due_now().where(Outbox.channel == given("channel"), Outbox.address_hash == given("hashed"))


@prepared
def _claim() -> Update:
    return update(Outbox).where(one_of(Outbox.id, "ids")).values(
        status="claimed", claimed_by=given("worker"), claimed_until=given("until"))


def claim(session: Session, worker: str, now: datetime, until: datetime, limit: int,
          only: tuple[str, str] | None = None) -> list[str]:
    """Claim due messages and return their ids: none on a paused channel, no reply before an earlier one of its
    conversation, and no letter (those leave by a print run: billing/mailing.py). ``only``: those of one channel to one
    address hash.
    """
    found = (_due(session, now=now, most=limit) if only is None else
             _due_there(session, now=now, most=limit, channel=only[0], hashed=only[1]))
    ids = [row[0] for row in found]
    if ids:
        _claim(session, ids=ids, worker=worker, until=until)
    return ids


@prepared
def _mark() -> Update:
    return update(Outbox).where(one_of(Outbox.id, "ids")).values(
        status="sending", attempts=Outbox.attempts + 1, sending_at=given("at"), claimed_by=given("worker"),
        claimed_until=given("until"), lookups=0, looked_up_at=null())


def mark_sending(session: Session, rows: Sequence[Outbox], worker: str, at: datetime, until: datetime) -> None:
    """Mark locked messages as being sent by ``worker``, whose claim on them lasts until ``until``."""
    _mark(session, ids=[row.id for row in rows], worker=worker, at=at, until=until)
    for row in rows:
        now = {"status": "sending", "attempts": row.attempts + 1, "sending_at": at, "claimed_by": worker,
               "claimed_until": until, "lookups": 0, "looked_up_at": None}
        for name, value in now.items():
            set_committed_value(row, name, value)


_SENT = """
UPDATE outbox SET
  provider_id = CASE WHEN purpose = 'redaction' THEN outbox.provider_id ELSE told.provider_id END,
  status = CASE WHEN status IN ('sending', 'unknown') THEN 'sent' ELSE status END,
  claimed_by = CASE WHEN status IN ('sending', 'unknown') THEN NULL ELSE claimed_by END,
  claimed_until = CASE WHEN status IN ('sending', 'unknown') THEN NULL ELSE claimed_until END
FROM ({told}) AS told WHERE outbox.id = told.id
"""
_SENT_POSTGRESQL = _SENT.format(told="SELECT unnest(?::text[]) AS id, unnest(?::text[]) AS provider_id")
_SENT_SQLITE = _SENT.format(told="SELECT ids.value AS id, theirs.value AS provider_id FROM json_each(?) AS ids "
                                 "JOIN json_each(?) AS theirs ON theirs.key = ids.key")
_LOCK = "SELECT id FROM outbox WHERE id IN_LIST ORDER BY id FOR UPDATE"


def settle_sent(session: Session, sent: Mapping[str, str]) -> None:
    """The provider took these messages (its id by ours). What was settled already keeps its state; a redaction is no
    message and keeps the id of the one it is about.
    """
    keys = driver.among(session, list(sent)), driver.among(session, list(sent.values()))
    if driver.is_postgresql(session):
        driver.run_together(session, [(_LOCK, keys[:1]), (_SENT_POSTGRESQL, keys)])
    else:
        driver.run(session, _SENT_SQLITE, *keys)
    for row in [one for one in session if isinstance(one, Outbox) and one.id in sent]:
        session.expire(row)


def _earlier_reply_unsettled() -> ColumnElement[bool]:
    earlier = aliased(Outbox)
    return exists().where(
        earlier.conversation_id == Outbox.conversation_id, earlier.status.in_(UNSETTLED),
        earlier.purpose != "redaction", or_(earlier.reply_to < Outbox.reply_to, and_(
            earlier.reply_to == Outbox.reply_to, earlier.sequence < Outbox.sequence)))


def pause_name(practice_id: str, channel: str) -> str:
    """Return the name of the lease that pauses a channel of a practice."""
    return f"off:{channel}:{practice_id}"


def _channel_paused() -> ColumnElement[bool]:
    name = literal("off:") + Outbox.channel + ":" + Outbox.practice_id
    return exists().where(Lease.until_at > given("now"), Lease.name == name)


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


def last_answers(session: Session, row: Outbox, limit: int, since: datetime) -> list[tuple[str, str, str]]:
    """(state, code, hash of the address) of the newest messages that had their answer before this one did: of its
    practice and channel, to other addresses, due since then.
    """
    found = select(Outbox.status, Outbox.error_code, Outbox.address_hash).where(
        Outbox.status.in_(("sent", "delivered", "undelivered", "failed")), Outbox.due_at >= since,
        Outbox.practice_id == row.practice_id, Outbox.channel == row.channel, Outbox.sending_at.is_not(None),
        Outbox.address_hash != row.address_hash)
    newest = session.execute(found.order_by(Outbox.sending_at.desc(), Outbox.id.desc()).limit(limit))
    return [(status, code or "", hashed) for status, code, hashed in newest]


def answered_alike(session: Session, row: Outbox, code: str, since: datetime) -> list[str]:
    """Hashes of the addresses, this one's among them, to which messages of its practice and channel that were due since
    then failed with this code.
    """
    return sorted({row.address_hash, *session.scalars(select(Outbox.address_hash).where(
        Outbox.status == "failed", Outbox.error_code == code, Outbox.due_at >= since,
        Outbox.practice_id == row.practice_id, Outbox.channel == row.channel).distinct())})


def practice_of_number(session: Session, number: str) -> str | None:
    """Return the id of the practice that texts from this number (E.164)."""
    return practices_of_numbers(session, (number,)).get(number)


def practices_of_numbers(session: Session, numbers: Collection[str]) -> Mapping[str, str]:
    """Return the practice's id of each of these numbers that one texts from."""
    return _pairs(session, "SELECT sms_number, id FROM practices WHERE sms_number IN_LIST", numbers)


def practices_of_messages(session: Session, outbox_ids: Collection[str]) -> Mapping[str, str]:
    """Return which practice sent each of these messages."""
    return _pairs(session, "SELECT id, practice_id FROM outbox WHERE id IN_LIST", outbox_ids)


def _pairs(session: Session, statement: str, values: Collection[str]) -> Mapping[str, str]:
    return dict(driver.run(session, statement, driver.among(session, values))) if values else {}


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
        Outbox.conversation_id == conversation_id, Outbox.template == template, Outbox.status.in_(MAY_HAVE_LEFT))
        .order_by(Outbox.created_at.desc(), Outbox.sequence.desc()).limit(1))
