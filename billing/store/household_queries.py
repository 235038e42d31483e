"""SQL of the gate about whom a message reaches: the household's accounts, what left for them, in what capacity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks
from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import Campaign, ContactPoint, Conversation, Guarantor, Inbox, Outbox

WEEK = timedelta(days=7)

#: Messages in these states have reached nobody, whatever they were.
NEVER_LEFT = ("withheld", "cancelled", "failed")

#: A demand that is known not to have arrived says nothing about when the next one is in order.
NEVER_ARRIVED = (*NEVER_LEFT, "undelivered")

DEMANDS = ("statement", "reminder")
VALIDATION = "%validation_notice"


@dataclass(frozen=True, slots=True)
class Debtor:
    """What decides whether a creditor or a collector asks (T-20)."""

    capacity: str
    defaulted_on: date | None
    obtained_on: date | None


def _debtors(*which: ColumnElement[bool]) -> Query:
    return select(Guarantor.capacity, Guarantor.defaulted_on, Guarantor.obtained_on).where(
        Guarantor.practice_id == given("practice_id"), *which)


@prepared
def _debtor() -> Query:
    return _debtors(Guarantor.id == given("guarantor_id"))


@prepared
def _debtors_at() -> Query:
    return _debtors(Guarantor.id.in_(select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == given("practice_id"), ContactPoint.address_hash == given("address_hash"))))


def debtors(session: Session, practice_id: str, guarantor_id: str | None, address_hash: str) -> list[Debtor]:
    """The account named; without one, every account that has the address."""
    found = (_debtors_at(session, practice_id=practice_id, address_hash=address_hash) if guarantor_id is None
             else _debtor(session, practice_id=practice_id, guarantor_id=guarantor_id))
    return [Debtor(*row) for row in found]


def externals(session: Session, practice_id: str, guarantor_id: str | None, address_hash: str) -> Sequence[str]:
    """The practice's own numbers of the account named; without one, of every account that has the address."""
    wanted = [guarantor_id] if guarantor_id is not None else select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == practice_id, ContactPoint.address_hash == address_hash)
    return session.scalars(select(Guarantor.external).where(
        Guarantor.practice_id == practice_id, Guarantor.id.in_(wanted))).all()


def household(session: Session, practice_id: str, guarantor_id: str | None, address_hash: str) -> list[str]:
    """The address hashes of all accounts of the practice that share any contact point with the recipient."""
    own = select(ContactPoint.address_hash).where(
        ContactPoint.practice_id == practice_id, ContactPoint.guarantor_id == guarantor_id)
    near = select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == practice_id,
        or_(ContactPoint.address_hash == address_hash, ContactPoint.address_hash.in_(own)))
    found = session.scalars(select(ContactPoint.address_hash).where(
        ContactPoint.practice_id == practice_id, ContactPoint.guarantor_id.in_(near)).distinct())
    return sorted({address_hash, *found})


@prepared
def _hashes_of() -> Query:
    return select(ContactPoint.address_hash).where(one_of(ContactPoint.guarantor_id, "ids")).distinct()


def hashes_of(session: Session, guarantor_ids: Collection[str]) -> list[str]:
    """Every address hash that these accounts have."""
    return [row[0] for row in _hashes_of(session, ids=guarantor_ids)]


def channels_at(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, set[str]]:
    """By address hash: the channels of the contact points there."""
    found: dict[str, set[str]] = {}
    for part in chunks(sorted(hashes)):
        for hashed, channel in session.execute(select(ContactPoint.address_hash, ContactPoint.channel).where(
                ContactPoint.practice_id == practice_id, ContactPoint.address_hash.in_(part)).distinct()):
            found.setdefault(hashed, set()).add(channel)
    return found


def unasked() -> ColumnElement[bool]:
    """Whether an outbox row went out of our own accord: demands, notices, plan news, what staff wrote first. Needs an
    outer join of Inbox on ``reply_to``. The office's notices to its own people are about nobody and do not count.
    """
    not_asked_for = or_(Outbox.reply_to.is_(None), Inbox.kind != "message")
    counted = or_(Outbox.purpose.in_((*DEMANDS, "notice", "staff")), Outbox.template.like(r"plan\_%", escape="\\"),
                  and_(Outbox.purpose == "reply", Outbox.reply_to.is_(None)))
    return and_(not_asked_for, counted, or_(Outbox.guarantor_id.is_not(None), Outbox.conversation_id.is_not(None)))


def unasked_since(session: Session, practice_id: str, hashes: Sequence[str], but_id: str, now: datetime,
                  ) -> tuple[datetime, ...]:
    """When what nobody asked for left for these addresses in the last seven days, ``but_id`` aside."""
    found = session.scalars(select(Outbox.sending_at).outerjoin(Inbox, Inbox.id == Outbox.reply_to).where(
        Outbox.practice_id == practice_id, Outbox.address_hash.in_(hashes), Outbox.id != but_id,
        Outbox.sending_at > now - WEEK, Outbox.status.notin_(NEVER_LEFT), unasked()).order_by(Outbox.sending_at))
    return tuple(at for at in found if at is not None)


def demanded_at(session: Session, guarantor_id: str, but_id: str) -> datetime | None:
    """When the newest demand about the account left that is not known to have failed."""
    return session.scalar(select(func.max(Outbox.sending_at)).where(
        Outbox.guarantor_id == guarantor_id, Outbox.id != but_id, Outbox.purpose.in_(DEMANDS),
        Outbox.status.notin_(NEVER_ARRIVED)))


@prepared
def _last_inbound_at() -> Query:
    return select(func.max(Conversation.last_inbound_at)).where(
        Conversation.practice_id == given("practice_id"), Conversation.address_hash == given("address_hash"))


def last_inbound_at(session: Session, practice_id: str, address_hash: str) -> datetime | None:
    """When somebody last wrote to us from the number."""
    (at,), = _last_inbound_at(session, practice_id=practice_id, address_hash=address_hash)
    return cast(datetime | None, at)


@dataclass(frozen=True, slots=True)
class PointFacts:
    """A contact point at an address: whether it works, is an employer's, and when it was checked for a new owner."""

    guarantor_id: str
    status: str
    at_work: bool
    checked_on: date | None


@prepared
def _points() -> Query:
    return select(
        ContactPoint.guarantor_id, ContactPoint.status, ContactPoint.at_work, ContactPoint.reassigned_checked_on,
    ).where(ContactPoint.practice_id == given("practice_id"), ContactPoint.address_hash == given("address_hash"))


def points(session: Session, practice_id: str, address_hash: str, guarantor_id: str | None) -> list[PointFacts]:
    """Every contact point at the address, or the account's."""
    found = [PointFacts(*row) for row in _points(session, practice_id=practice_id, address_hash=address_hash)]
    return [one for one in found if guarantor_id in (None, one.guarantor_id)]


def left_before(session: Session, guarantor_id: str, but_id: str) -> bool:
    """Whether anything about the account has left that is not known to have failed."""
    return session.scalar(select(Outbox.id).where(
        Outbox.guarantor_id == guarantor_id, Outbox.id != but_id, Outbox.sending_at.is_not(None),
        Outbox.status.notin_(NEVER_ARRIVED)).limit(1)) is not None


def validated_at(session: Session, guarantor_id: str, but_id: str) -> datetime | None:
    """When the account's first validation notice left that is not known to have failed."""
    return session.scalar(select(func.min(Outbox.sending_at)).where(
        Outbox.guarantor_id == guarantor_id, Outbox.id != but_id, Outbox.template.like(VALIDATION),
        Outbox.status.notin_(NEVER_ARRIVED)))


def campaign_status(session: Session, campaign_id: str | None) -> str:
    """The state as it is in the database now: whoever paused or stopped it is obeyed within a second."""
    if campaign_id is None:
        return ""
    return session.scalar(select(Campaign.status).where(Campaign.id == campaign_id)) or "unknown"
