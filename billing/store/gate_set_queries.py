"""SQL of the gate's facts in sets: what billing/store/facts.py and its neighbours read of one message, for thousands.

Every function takes the keys of a set and answers with plain values by key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import LargeBinary, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from billing.store.facts import NEVER_LEFT
from billing.store.household_queries import DEMANDS, NEVER_ARRIVED, VALIDATION, WEEK, unasked
from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import (
    Consent,
    ContactPoint,
    Conversation,
    Guarantor,
    Inbox,
    LedgerAccount,
    Outbox,
    Payment,
    Preference,
)

_T = TypeVar("_T", bound=Any)

class Person(NamedTuple):
    """A guarantor; name and number stay sealed."""

    id: str
    external_hash: str
    confirmed: bool
    region: str | None
    postal_code: bytes | None  # as it lies in the store
    postal_hash: str | None
    zone: str | None
    language: str
    balance_version: int
    capacity: str
    defaulted_on: date | None
    obtained_on: date | None


class Said(NamedTuple):
    """A consent event, with the attributes of Consent that what holds is derived from."""

    address_hash: str
    id: int
    guarantor_id: str | None
    event: str
    purpose: str
    wording: str
    medium: str
    recorded_by: str
    message_id: str | None
    at: datetime | None  # only of what was revoked: of nothing else it is asked, and reading instants takes time


class Wished(NamedTuple):
    """A wish, with the attributes of Preference that what holds is derived from."""

    address_hash: str
    id: int
    guarantor_id: str | None
    kind: str
    value: dict[str, Any]
    at: datetime


class OwnWish(NamedTuple):
    """An account's wish, wherever it was made."""

    guarantor_id: str
    channel: str
    address_hash: str
    kind: str
    value: dict[str, Any]
    at: datetime


class Point(NamedTuple):
    """A contact point as the gate needs one; ``sealed`` is the address as it lies in the store."""

    guarantor_id: str
    hashed: str
    channel: str
    status: str
    carrier: str
    at_work: bool
    checked_on: date | None
    sealed: bytes


class Left(NamedTuple):
    """A message that began to leave in the last week, or the confirmation of a STOP (of any age)."""

    hashed: str
    demand: bool
    unasked: bool
    confirms: bool
    left: bool
    sending_at: datetime | None
    created_at: datetime


@prepared
def _people() -> Query:
    return select(
        Guarantor.id, Guarantor.external_hash, Guarantor.confirmed_at.is_not(None).label("confirmed"), Guarantor.region,
        type_coerce(Guarantor.postal_code, LargeBinary).label("postal_code"), Guarantor.postal_hash, Guarantor.zone,
        Guarantor.language, Guarantor.balance_version, Guarantor.capacity, Guarantor.defaulted_on,
        Guarantor.obtained_on,
    ).where(one_of(Guarantor.id, "ids"), Guarantor.practice_id == given("practice_id"))


def people(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, Person]:
    return {row[0]: Person._make(row) for row in _people(session, practice_id=practice_id, ids=ids)}


@prepared
def _externals() -> Query:
    return select(Guarantor.id, Guarantor.external).where(one_of(Guarantor.id, "ids"))


def externals(session: Session, ids: Collection[str]) -> dict[str, str]:
    return dict(_externals(session, ids=ids))


@prepared
def _unapplied() -> Query:
    return select(LedgerAccount.key, LedgerAccount.balance_minor).where(
        LedgerAccount.practice_id == given("practice_id"), one_of(LedgerAccount.key, "keys"),
        LedgerAccount.balance_minor != 0)


def unapplied(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, int]:
    """Unapplied credit in cents of those that have any."""
    found = _unapplied(session, practice_id=practice_id, keys=[f"credit:{id_}" for id_ in ids])
    return {key.removeprefix("credit:"): -minor for key, minor in found}


@prepared
def _payments() -> Query:
    is_open = and_(Payment.status == "pending", or_(
        Payment.processor_ref.is_not(None),
        and_(Payment.session_ref.is_not(None), Payment.link_expires_at > given("now"))))
    return (select(Payment.guarantor_id, func.max(case((Payment.processor != "manual", Payment.paid_at))),
                   func.max(case((is_open, 1), else_=0)))
            .where(one_of(Payment.guarantor_id, "ids")).group_by(Payment.guarantor_id))


def payments(session: Session, ids: Collection[str], now: datetime) -> dict[str, tuple[datetime | None, bool]]:
    """When each account last paid on a hosted page, and whether it has one open that has not run out."""
    return {id_: (paid_at, bool(open_)) for id_, paid_at, open_ in _payments(session, ids=ids, now=now)}


_POINT = (
    ContactPoint.guarantor_id, ContactPoint.address_hash, ContactPoint.channel, ContactPoint.status,
    ContactPoint.carrier, ContactPoint.at_work, ContactPoint.reassigned_checked_on,
    type_coerce(ContactPoint.address, LargeBinary))


@prepared
def _points_of() -> Query:
    return select(*_POINT).where(
        one_of(ContactPoint.guarantor_id, "ids"), ContactPoint.practice_id == given("practice_id")).order_by(
        ContactPoint.guarantor_id, ContactPoint.created_at, ContactPoint.id)


def points_of(session: Session, practice_id: str, ids: Collection[str]) -> list[Point]:
    """Every contact point of these accounts; each one's in the order in which they were put on file."""
    return [Point._make(row) for row in _points_of(session, practice_id=practice_id, ids=ids)]


@prepared
def _set_up() -> Query:
    return select(
        ContactPoint.guarantor_id, ContactPoint.channel, ContactPoint.address_hash, ContactPoint.created_at).where(
        one_of(ContactPoint.guarantor_id, "ids"), ContactPoint.practice_id == given("practice_id"))


def set_up_at(session: Session, practice_id: str, ids: Collection[str]) -> dict[tuple[str, str, str], datetime]:
    """When each contact point of these accounts was put on file, by (account, channel, address hash)."""
    return {(id_, channel, hashed): at
            for id_, channel, hashed, at in _set_up(session, practice_id=practice_id, ids=ids)}


@prepared
def _accounts_at() -> Query:
    return select(ContactPoint.guarantor_id, ContactPoint.address_hash, ContactPoint.carrier).where(
        one_of(ContactPoint.address_hash, "hashes"), ContactPoint.practice_id == given("practice_id"))


def accounts_at(session: Session, practice_id: str, hashes: Collection[str]) -> list[tuple[str, str, str]]:
    """(account, address hash, carrier) of every contact point at these addresses, whoever's."""
    return [(id_, hashed, carrier)
            for id_, hashed, carrier in _accounts_at(session, practice_id=practice_id, hashes=hashes)]


@prepared
def _consents() -> Query:
    return select(
        Consent.address_hash, Consent.id, Consent.guarantor_id, Consent.event, Consent.purpose, Consent.wording,
        Consent.medium, Consent.recorded_by, Consent.message_id, case((Consent.event == "revoked", Consent.at)),
    ).where(Consent.practice_id == given("practice_id"), Consent.channel == given("line"),
            one_of(Consent.address_hash, "hashes")).order_by(Consent.address_hash, Consent.id)


def consents(session: Session, practice_id: str, line: str, hashes: Collection[str]) -> dict[str, list[Said]]:
    """Every event of each number, oldest first."""
    return _grouped(map(Said._make, _consents(session, practice_id=practice_id, line=line, hashes=hashes)))


@prepared
def _preferences() -> Query:
    return select(
        Preference.address_hash, Preference.id, Preference.guarantor_id, Preference.kind, Preference.value,
        Preference.at).where(
        Preference.practice_id == given("practice_id"), Preference.channel == given("line"),
        one_of(Preference.address_hash, "hashes")).order_by(Preference.address_hash, Preference.id)


def preferences(session: Session, practice_id: str, line: str, hashes: Collection[str]) -> dict[str, list[Wished]]:
    return _grouped(map(Wished._make, _preferences(session, practice_id=practice_id, line=line, hashes=hashes)))


@prepared
def _wishes_of() -> Query:
    return select(Preference.guarantor_id, Preference.channel, Preference.address_hash,
                  Preference.kind, Preference.value, Preference.at).where(
        one_of(Preference.guarantor_id, "ids"), Preference.practice_id == given("practice_id")).order_by(Preference.id)


def wishes_of(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, list[OwnWish]]:
    """What these accounts have wished for, at whatever address, oldest first."""
    return _grouped(map(OwnWish._make, _wishes_of(session, practice_id=practice_id, ids=ids)))


@prepared
def _own_addresses() -> Query:
    return select(Guarantor.id, Guarantor.address).where(one_of(Guarantor.id, "ids"))


def own_addresses(session: Session, ids: Collection[str]) -> dict[str, str]:
    """The postal addresses of these accounts, as they are on file with the account itself."""
    return {id_: address for id_, address in _own_addresses(session, ids=ids) if address}


def _grouped(rows: Iterable[_T]) -> dict[str, list[_T]]:
    by_key: dict[str, list[_T]] = {}
    for row in rows:
        by_key.setdefault(row[0], []).append(row)
    return by_key


@prepared
def _in_state() -> Query:
    return select(Outbox.id).where(one_of(Outbox.id, "message_ids"), one_of(Outbox.status, "statuses"))


def messages_in(session: Session, message_ids: Collection[str], statuses: Collection[str]) -> set[str]:
    """Those of the messages whose status is one of these."""
    found = _in_state(session, message_ids=message_ids, statuses=statuses) if message_ids else ()
    return {row[0] for row in found}


@prepared
def _left_for() -> Query:
    left = and_(Outbox.sending_at > given("since"), Outbox.status.notin_(NEVER_LEFT))
    confirms = and_(Outbox.purpose == "stop_confirmation", Outbox.status.notin_(("withheld", "cancelled")))
    return (select(Outbox.address_hash, Outbox.purpose.in_(DEMANDS), unasked(), confirms, left, Outbox.sending_at,
                   Outbox.created_at)
            .outerjoin(Inbox, Inbox.id == Outbox.reply_to)
            .where(Outbox.practice_id == given("practice_id"), one_of(Outbox.address_hash, "hashes"),
                   or_(left, confirms))
            .order_by(Outbox.sending_at))


def left_for(session: Session, practice_id: str, hashes: Collection[str], now: datetime) -> list[Left]:
    """What left for these addresses in the last seven days, and every confirmation of a STOP, in order of leaving."""
    found = _left_for(session, practice_id=practice_id, hashes=hashes, since=now - WEEK)
    return [Left(*row[:1], *(bool(flag) for flag in row[1:5]), *row[5:]) for row in found]


@prepared
def _demanded_at() -> Query:
    return select(Outbox.guarantor_id, func.max(Outbox.sending_at)).where(
        one_of(Outbox.guarantor_id, "ids"), Outbox.purpose.in_(DEMANDS), Outbox.status.notin_(NEVER_ARRIVED),
    ).group_by(Outbox.guarantor_id)


def demanded_at(session: Session, ids: Collection[str]) -> dict[str, datetime]:
    """When the newest demand about each account left that is not known to have failed."""
    return {id_: at for id_, at in _demanded_at(session, ids=ids) if id_ is not None and at is not None}


@prepared
def _last_inbound_at() -> Query:
    return select(Conversation.address_hash, func.max(Conversation.last_inbound_at)).where(
        Conversation.practice_id == given("practice_id"), one_of(Conversation.address_hash, "hashes"),
    ).group_by(Conversation.address_hash)


def last_inbound_at(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, datetime]:
    found = _last_inbound_at(session, practice_id=practice_id, hashes=hashes)
    return {hashed: at for hashed, at in found if at is not None}


@prepared
def _told_before() -> Query:
    return select(
        Outbox.guarantor_id, func.count(Outbox.sending_at),
        func.min(case((Outbox.template.like(VALIDATION), Outbox.sending_at)))).where(
        one_of(Outbox.guarantor_id, "ids"), Outbox.status.notin_(NEVER_ARRIVED)).group_by(Outbox.guarantor_id)


def told_before(session: Session, ids: Collection[str]) -> dict[str, tuple[bool, datetime | None]]:
    """Of collectors' accounts: whether anything about each has left, and when its validation notice first did."""
    found = _told_before(session, ids=ids) if ids else ()
    return {id_: (count > 0, validated_at) for id_, count, validated_at in found if id_ is not None}
