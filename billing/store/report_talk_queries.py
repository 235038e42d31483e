"""SQL of what the reports say about messages, talks, cases, plans and refunds: counted in the database, or streamed in
an order that needs nothing kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from billing.message_life import MAY_HAVE_LEFT
from billing.store.tables import (
    Campaign,
    Case,
    Consent,
    Conversation,
    Inbox,
    Outbox,
    Payment,
    PaymentDispute,
    Plan,
    Refund,
)

_STREAM = {"yield_per": 2_000}
_LEFT = (*MAY_HAVE_LEFT, "undelivered")
_REDACTION = "redaction"  # billing/outbox.py: it says nothing to anybody
DEMANDS = ("statement", "reminder")


@dataclass(frozen=True, slots=True)
class Messages:
    """What left by one way for one purpose."""

    channel: str
    purpose: str
    count: int
    segments: int


def messages(session: Session, practice_id: str, since: datetime, until: datetime) -> list[Messages]:
    return [Messages(channel, purpose, int(count), int(segments)) for channel, purpose, count, segments in
            session.execute(select(Outbox.channel, Outbox.purpose, func.count(), func.sum(Outbox.segments)).where(
                *_left(practice_id, since, until)).group_by(Outbox.channel, Outbox.purpose)
                .order_by(Outbox.channel, Outbox.purpose))]


def _left(practice_id: str, since: datetime, until: datetime) -> list[ColumnElement[bool]]:
    return [Outbox.practice_id == practice_id, Outbox.status.in_(_LEFT), Outbox.sending_at >= since,
            Outbox.sending_at < until, Outbox.purpose != _REDACTION]


def accounts_asked(session: Session, practice_id: str, since: datetime, until: datetime) -> int:
    """Accounts that a demand left for."""
    return int(session.scalar(select(func.count(Outbox.guarantor_id.distinct())).where(
        *_left(practice_id, since, until), Outbox.purpose.in_(DEMANDS))) or 0)


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Numbers that were texted, numbers that opted out, and those of them that had been texted in these days."""

    texted: int
    opted_out: int


def opt_outs(session: Session, practice_id: str, since: datetime, until: datetime) -> OptOuts:
    texted = session.scalar(select(func.count(Outbox.address_hash.distinct())).where(
        *_left(practice_id, since, until), Outbox.channel == "sms"))
    stopped = session.scalar(select(func.count(Consent.address_hash.distinct())).where(
        Consent.practice_id == practice_id, Consent.event == "revoked", Consent.purpose == "texts",
        Consent.channel == "sms", Consent.at >= since, Consent.at < until))
    return OptOuts(int(texted or 0), int(stopped or 0))


@dataclass(frozen=True, slots=True)
class CampaignCount:
    campaign_id: str
    number: int
    name: str
    started_at: datetime
    left: int
    texted: int


def campaigns(session: Session, practice_id: str, since: datetime, until: datetime) -> list[CampaignCount]:
    """Campaigns that began to send in these days, with the messages that left (``texted``: by SMS), oldest first."""
    texts = func.sum(case((Outbox.channel == "sms", 1), else_=0))
    rows = session.execute(
        select(Campaign.id, Campaign.number, Campaign.name, Campaign.started_at, func.count(Outbox.id), texts)
        .outerjoin(Outbox, and_(Outbox.campaign_id == Campaign.id, Outbox.status.in_(_LEFT),
                                Outbox.sending_at.is_not(None), Outbox.sending_at < until))
        .where(Campaign.practice_id == practice_id, Campaign.started_at >= since, Campaign.started_at < until)
        .group_by(Campaign.id, Campaign.number, Campaign.name, Campaign.started_at).order_by(Campaign.number))
    return [CampaignCount(one, number, name, at, int(left), int(texted or 0))
            for one, number, name, at, left, texted in rows]


def campaign_opt_outs(session: Session, practice_id: str, since: datetime, until: datetime,
                      ) -> Iterator[tuple[str, datetime, datetime]]:
    """(campaign, when its text left, the first opt-out of that number afterwards); only of numbers that opted out."""
    query = (select(Outbox.campaign_id, Outbox.sending_at, func.min(Consent.at))
             .join(Campaign, Campaign.id == Outbox.campaign_id)
             .join(Consent, and_(Consent.practice_id == Outbox.practice_id, Consent.channel == "sms",
                                 Consent.address_hash == Outbox.address_hash, Consent.at > Outbox.sending_at))
             .where(Outbox.practice_id == practice_id, Outbox.channel == "sms", Outbox.status.in_(_LEFT),
                    Campaign.started_at >= since, Campaign.started_at < until, Consent.event == "revoked",
                    Consent.purpose == "texts", Consent.at < until)
             .group_by(Outbox.id, Outbox.campaign_id, Outbox.sending_at))
    for campaign_id, sending_at, stopped_at in session.execute(query, execution_options=_STREAM):
        if campaign_id is not None and sending_at is not None:
            yield campaign_id, sending_at, stopped_at


@dataclass(frozen=True, slots=True)
class Moment:
    """Something in a conversation. ``what``: said (by the patient), case, staff (a colleague wrote)."""

    conversation_id: str
    at: datetime
    what: str


def moments(session: Session, practice_id: str, since: datetime, until: datetime) -> Iterator[Moment]:
    """What patients wrote, and where a person came in: conversation by conversation, each in order, as a stream."""
    lane = (literal("talk:") + Conversation.channel + literal(":") + Conversation.practice_id + literal(":")
            + Conversation.address_hash)
    said = select(Conversation.id.label("one"), Inbox.received_at.label("at"), literal("said").label("what")).join(
        Inbox, Inbox.thread == lane).where(
        Conversation.practice_id == practice_id, Inbox.kind == "message", Inbox.received_at >= since,
        Inbox.received_at < until)
    opened = select(Case.conversation_id, Case.opened_at, literal("case")).where(
        Case.practice_id == practice_id, Case.conversation_id.is_not(None), Case.opened_at >= since,
        Case.opened_at < until)
    wrote = select(Outbox.conversation_id, Outbox.created_at, literal("staff")).where(
        Outbox.practice_id == practice_id, Outbox.conversation_id.is_not(None), Outbox.purpose == "staff",
        Outbox.created_at >= since, Outbox.created_at < until)
    every = union_all(said, opened, wrote).subquery()
    query = select(every.c.one, every.c.at, every.c.what).order_by(every.c.one, every.c.at, every.c.what.desc())
    for one, at, what in session.execute(query, execution_options=_STREAM):
        yield Moment(one, at, what)


def failed_messages(session: Session, practice_id: str, since: datetime, until: datetime) -> tuple[int, int]:
    """(patients' messages that arrived, those of them that could not be worked)."""
    count, failed = session.execute(
        select(func.count(), func.sum(case((Inbox.status == "failed", 1), else_=0))).where(
            Inbox.practice_id == practice_id, Inbox.kind == "message", Inbox.received_at >= since,
            Inbox.received_at < until)).one()
    return int(count), int(failed or 0)


def cases(session: Session, practice_id: str, since: datetime, until: datetime) -> dict[str, int]:
    """How many cases of each kind were opened."""
    return {kind: int(count) for kind, count in session.execute(select(Case.kind, func.count()).where(
        Case.practice_id == practice_id, Case.opened_at >= since, Case.opened_at < until).group_by(Case.kind))}


def bank_disputes(session: Session, practice_id: str, since: datetime, until: datetime) -> tuple[int, int]:
    """(chargebacks and returned debits that were opened, payments that arrived)."""
    opened = session.scalar(select(func.count()).select_from(PaymentDispute).where(
        PaymentDispute.practice_id == practice_id, PaymentDispute.opened_at >= since,
        PaymentDispute.opened_at < until)) or 0
    paid = session.scalar(select(func.count()).select_from(Payment).where(
        Payment.practice_id == practice_id, Payment.paid_at >= since, Payment.paid_at < until)) or 0
    return int(opened), int(paid)


@dataclass(frozen=True, slots=True)
class PlanCount:
    """Agreed plans in one state at the end of the last day. ``minor``: what was agreed, in cents."""

    status: str
    plans: int
    minor: int


def plans(session: Session, practice_id: str, since: datetime, until: datetime) -> list[PlanCount]:
    """Plans agreed in these days; one that ended later was still running."""
    state = case((or_(Plan.ended_at.is_(None), Plan.ended_at < until), Plan.status), else_="active")
    rows = select(state.label("state"), Plan.total_minor.label("minor")).where(
        Plan.practice_id == practice_id, Plan.agreed_at >= since, Plan.agreed_at < until).subquery()
    return [PlanCount(status, int(count), int(minor)) for status, count, minor in session.execute(
        select(rows.c.state, func.count(), func.sum(rows.c.minor)).group_by(rows.c.state).order_by(rows.c.state))]


@dataclass(frozen=True, slots=True)
class Returned:
    """A refund that went through. ``asked_at``: the newest demand that left for the account before it was paid."""

    reason: str
    minor: int
    paid_at: datetime
    asked_at: datetime | None


def refunds(session: Session, practice_id: str, since: datetime, until: datetime) -> Iterator[Returned]:
    """Refunds that went through in these days, as a stream."""
    message = aliased(Outbox)
    asked = (select(func.max(message.sending_at)).where(
        message.practice_id == Payment.practice_id, message.guarantor_id == Payment.guarantor_id,
        message.purpose.in_(DEMANDS), message.status.in_(_LEFT), message.sending_at <= Payment.created_at)
        .correlate(Payment).scalar_subquery())
    query = (select(Refund.reason, Refund.amount_minor, Payment.created_at, asked)
             .join(Payment, Payment.id == Refund.payment_id)
             .where(Refund.practice_id == practice_id, Refund.status == "succeeded", Refund.settled_at >= since,
                    Refund.settled_at < until))
    for reason, minor, paid_at, asked_at in session.execute(query, execution_options=_STREAM):
        yield Returned(reason, int(minor), paid_at, asked_at)
