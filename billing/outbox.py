"""Every message that leaves is a row here first: rendered, judged by the gate, with a life that people can look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import formataddr
from typing import Any

from sqlalchemy.orm import Session

from billing import gate, sending_errors, withheld
from billing.ids import new_id
from billing.message_life import FINAL, check_move, report_moves
from billing.policy.core import Ruling
from billing.store import practices, road_queries
from billing.store.tables import Outbox

LEASE = timedelta(minutes=2)
"""Longer than any time limit of a channel's client, so that a live worker never loses a message it is sending."""

REDACTION = "redaction"
"""Purpose of a row that takes a text away at the provider (T-52); it says nothing to anybody, so no gate is asked."""

_MOVED = frozenset({"balance-moved", "nothing-due"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A rendered message. ``idempotency_key`` comes from row ids: the same one again changes nothing."""

    practice_id: str
    channel: str
    address: str
    address_hash: str
    purpose: str
    template: str
    template_version: str
    language: str
    privacy: str
    body: str
    segments: int
    idempotency_key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    guarantor_id: str | None = None
    balance_version: int | None = None
    amount_minor: int | None = None
    reply_to: int | None = None
    statement_id: str | None = None
    sequence: int = 0
    due_at: datetime | None = None
    provider_id: str | None = None  # of the message a redaction is about
    buttons: tuple[tuple[str, str], ...] = ()  # (label, text that pressing it stands for)
    campaign_id: str | None = None
    step: str | None = None  # of the dunning schedule
    subject: str = ""  # of an e-mail
    passed: tuple[tuple[str, str], ...] = ()  # (way, why) of the channels that were passed over for this one


@dataclass(frozen=True, slots=True)
class Order:
    """What a channel needs to send a message, or to look for it; plain values, for use outside the transaction."""

    outbox_id: str
    practice_id: str
    channel: str
    purpose: str
    sender: str  # the practice's number, or its name on channels without numbers
    address: str
    body: str
    provider_id: str | None
    sending_at: datetime | None
    buttons: tuple[tuple[str, str], ...] = ()
    document: str = ""  # the statement that goes along as a PDF, on channels that carry files
    guarantor_id: str | None = None
    subject: str = ""  # of an e-mail, as what follows
    reply_to: str = ""
    language: str = "en"
    stop_url: str = ""  # of the page that stops messages like it; made when it leaves


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """``status``: queued, sent, delivered, undelivered, failed. ``error_kind`` is the channel's verdict on the code."""

    channel: str
    provider_id: str
    status: str
    error_code: str = ""
    error_kind: str = ""
    outbox_id: str = ""


class UnknownMessage(Exception):
    """A delivery report about a message that is not (yet) in the outbox; it may have overtaken our own record."""


def put(session: Session, draft: Draft, now: datetime) -> Outbox:
    """Queue a message and ask the gate about it; its answer decides between queued, deferred and withheld."""
    found = road_queries.find_message(session, draft.practice_id, draft.idempotency_key)
    if found is not None:
        return found
    row = row_of(draft, new_id("msg"), now)
    session.add(row)
    session.flush()
    if row.purpose != REDACTION:
        obey(session, row, gate.judge(session, row, stage="queueing", now=now), now)
    return row


def row_of(draft: Draft, outbox_id: str, now: datetime) -> Outbox:
    """The message as a row that nothing has been asked about."""
    values = {one.name: getattr(draft, one.name) for one in dataclasses.fields(draft)}
    values |= {"arguments": plain(draft.arguments), "due_at": draft.due_at or now, "buttons": plain(draft.buttons),
               "passed": plain(draft.passed)}
    return Outbox(id=outbox_id, status="queued", attempts=0, lookups=0, created_at=now, **values)


def plain(value: Any) -> Any:
    """Return template arguments as JSON can hold them: days and instants in ISO form, dataclasses as objects."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value


def claim(session: Session, worker: str, now: datetime, limit: int = 20, only: tuple[str, str] | None = None,
          ) -> list[str]:
    """Take due messages for ``LEASE`` and return their ids; commit before going on. ``only``: those of one channel to
    one address hash, for whoever serves a single conversation.
    """
    return road_queries.claim(session, worker, now, now + LEASE, limit, only)


def begin_sending(session: Session, outbox_id: str, worker: str, now: datetime) -> Order | None:
    """Ask the gate again and mark the message as being sent. None: it is not to be sent (now), or not by us.

    The commit of this is the promise never to send the message again without evidence that it did not leave.
    """
    row = road_queries.lock_message(session, outbox_id)
    if row is None or row.status != "claimed" or row.claimed_by != worker:
        return None
    ruling = gate.judge(session, row, stage="sending", now=now) if row.purpose != REDACTION else _UNJUDGED
    return next(iter(begin(session, [(row, ruling)], worker, now)), None)


_UNJUDGED = Ruling("send", "allowed", "it says nothing to anybody")


def begin(session: Session, ruled: Sequence[tuple[Outbox, Ruling]], worker: str, now: datetime) -> list[Order]:
    """Do with claimed messages as the gate has ruled, and mark as being sent what may leave. From the commit of this on
    it may have left: whoever sends it has LEASE to say what became of it.
    """
    for row, ruling in ruled:
        obey(session, row, ruling, now)
    leaving = [row for row, ruling in ruled if ruling.sends]
    for row in leaving:
        check_move(row.status, "sending")
    if leaving:
        road_queries.mark_sending(session, leaving, worker, now, now + LEASE)
    return [order_of(session, row) for row in leaving]


def order_of(session: Session, row: Outbox) -> Order:
    sender, reply_to = _from(session, row)
    return Order(row.id, row.practice_id, row.channel, row.purpose, sender, row.address, row.body,
                 row.provider_id, row.sending_at, tuple((str(label), str(text)) for label, text in row.buttons or ()),
                 _document(row), row.guarantor_id, row.subject, reply_to, row.language)


def _from(session: Session, row: Outbox) -> tuple[str, str]:
    """Who a message comes from, and where an answer to an e-mail goes."""
    practice = practices.find_practice(session, row.practice_id)
    if practice is None:
        return "", ""
    if row.channel != "email":
        return (practice.sms_number if row.channel == "sms" else practice.name) or "", ""
    policy = practices.policy_of(practice)
    if policy.mail is None:
        return "", ""
    return formataddr((policy.name, policy.mail.sender)), policy.mail.reply_to or policy.email or ""


def _document(row: Outbox) -> str:
    """A statement asked for in a chat that may carry it (T-19) goes along; everywhere else its link does."""
    attached = row.channel == "telegram" and row.privacy == "amounts" and row.purpose == "reply"
    return row.statement_id or "" if attached else ""


def record_sent(session: Session, sent: Sequence[tuple[str, str]]) -> None:
    """The provider took these messages (our id, its id). A delivery report may have said so, and more, before us."""
    road_queries.settle_sent(session, dict(sent))


def record_error(session: Session, outbox_id: str, kind: str, code: str, now: datetime,
                 retry_after_seconds: int = 0) -> None:
    """A send did not succeed; ``kind`` is one of SendError's. What follows from each: billing/sending_errors.py."""
    row = road_queries.lock_message(session, outbox_id)
    if row is None or row.status != "sending":
        return
    row.error_code = code
    if row.purpose == REDACTION and kind == "unknown":
        kind = "retry"  # taking a text away twice does no harm
    outcome = sending_errors.react(session, row, kind, code, now, retry_after_seconds)
    move(row, outcome.status, now)
    if outcome.due_at is not None:
        row.due_at = outcome.due_at


def give_back(session: Session, outbox_id: str, worker: str, error: str, now: datetime) -> None:
    """A claimed message could not even be judged (``error``: the exception's type): later again, then staff."""
    row = road_queries.lock_message(session, outbox_id)
    if row is None or row.status != "claimed" or row.claimed_by != worker:
        return
    row.attempts += 1
    outcome = sending_errors.react(session, row, "retry", error, now, 0)
    move(row, outcome.status, now)
    row.due_at = outcome.due_at or row.due_at


def apply_receipt(session: Session, report: DeliveryReport, now: datetime) -> bool:
    """Settle a message by a delivery report; False if it changes nothing (late, repeated, or only "queued").

    Raises UnknownMessage when no message of ours fits: the report may have come before our own record did.
    """
    row = _reported_message(session, report)
    if row is None:
        raise UnknownMessage
    row.provider_id = row.provider_id or report.provider_id
    status = report.status
    if status == "queued" and row.status in ("sending", "unknown"):
        status = "sent"  # it exists at the provider: the question of an unknown outcome is answered
    if row.attempts == 0 or not report_moves(row.status, status):
        return False
    if status in ("undelivered", "failed"):
        row.error_code = report.error_code or None
        sending_errors.react_to_report(session, row, report.error_kind, report.error_code, now)
    _settle(row, status, now)
    return True


def _reported_message(session: Session, report: DeliveryReport) -> Outbox | None:
    if report.outbox_id:
        row = road_queries.lock_message(session, report.outbox_id)
        if row is not None and row.channel == report.channel:
            return row
    return road_queries.lock_message_by_provider(session, report.channel, report.provider_id)


def cancel(session: Session, outbox_id: str, now: datetime) -> bool:
    """Withdraw a message that has not begun to leave; False if it is too late."""
    row = road_queries.lock_message(session, outbox_id)
    if row is None or row.status not in ("queued", "deferred", "claimed"):
        return False
    move(row, "cancelled", now)
    return True


def wake_deferred(session: Session, now: datetime, limit: int = 500) -> int:
    """Queue deferred messages whose time has come; the gate is asked again before they leave."""
    rows = road_queries.due_deferred(session, now, limit)
    for row in rows:
        move(row, "queued", now)
    return len(rows)


def release_expired(session: Session, now: datetime) -> tuple[int, int]:
    """Claims of vanished workers go back; what they were sending is of unknown outcome. Return both counts."""
    claims = road_queries.expired_outbox(session, "claimed", now)
    for row in claims:
        move(row, "queued", now)
    lost = road_queries.expired_outbox(session, "sending", now)
    for row in lost:
        record_error(session, row.id, "unknown", "worker_lost", now)
    return len(claims), len(lost)


def obey(session: Session, row: Outbox, ruling: Ruling, now: datetime) -> None:
    """Do with a message as the gate has ruled; one that may go stays where it is."""
    if ruling.outcome == "send":
        return
    if ruling.outcome == "defer":
        row.due_at = ruling.until_at or now + timedelta(minutes=15)
        move(row, "deferred", now)
        return
    move(row, "cancelled" if ruling.rule in _MOVED and row.status == "claimed" else "withheld", now)
    withheld.follow_up(session, row, ruling, now)


def move(row: Outbox, status: str, now: datetime) -> None:
    """Take a message to another state. Raises IllegalMove."""
    check_move(row.status, status)
    _settle(row, status, now)


def _settle(row: Outbox, status: str, now: datetime) -> None:
    row.status = status
    if status not in ("claimed", "sending"):
        row.claimed_by = row.claimed_until = None
    if status in FINAL:
        row.settled_at = now
