"""SQL of the gate's facts in sets: what billing/store/facts.py and its neighbours read of one message, for thousands.

Every function takes the keys of a set and answers with plain values by key. Keys go over as one text (PostgreSQL) or
one JSON list (SQLite): two thousand bound variables would cost more than the reading.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    LargeBinary,
    and_,
    any_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from billing.store.facts import NEVER_LEFT
from billing.store.figure_queries import ON_PLAN, HoldFacts, PlanFacts
from billing.store.household_queries import DEMANDS, NEVER_ARRIVED, VALIDATION, WEEK, unasked
from billing.store.tables import (
    Consent,
    ContactPoint,
    Conversation,
    Coverage,
    Guarantor,
    Hold,
    ImportRun,
    Inbox,
    Instalment,
    LedgerAccount,
    Outbox,
    Payment,
    Plan,
    PlanVisit,
    Preference,
    Transfer,
    Visit,
)

_T = TypeVar("_T", bound=Any)
_SEPARATOR = ","  # occurs in none of our ids, hashes and keys


def among(session: Session, column: InstrumentedAttribute[Any], keys: Iterable[str]) -> ColumnElement[bool]:
    """``column`` is one of ``keys``, whatever their number."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(func.string_to_array(_SEPARATOR.join(keys), _SEPARATOR))
    found = func.json_each(json.dumps(list(keys))).table_valued("value")
    return column.in_(select(found.c.value))


def _all(session: Session, statement: Executable) -> Sequence[Any]:
    """All rows at once, as plain values: the ORM's own way of fetching costs half of the time here."""
    return session.connection().execute(statement).all()


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


class Point(NamedTuple):
    """A contact point as the gate needs one; ``sealed`` is the address as it lies in the store."""

    guarantor_id: str
    hashed: str
    channel: str
    status: str
    carrier: str
    at_work: bool
    checked_on: date | None
    created_at: datetime
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


def people(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, Person]:
    found = _all(session, select(
        Guarantor.id, Guarantor.external_hash, Guarantor.confirmed_at.is_not(None).label("confirmed"), Guarantor.region,
        type_coerce(Guarantor.postal_code, LargeBinary).label("postal_code"), Guarantor.postal_hash, Guarantor.zone,
        Guarantor.language, Guarantor.balance_version, Guarantor.capacity, Guarantor.defaulted_on,
        Guarantor.obtained_on,
    ).where(among(session, Guarantor.id, ids), Guarantor.practice_id == practice_id))
    return {row[0]: Person._make(row) for row in found}


def externals(session: Session, ids: Collection[str]) -> dict[str, str]:
    found = _all(session, select(Guarantor.id, Guarantor.external).where(among(session, Guarantor.id, ids)))
    return {row[0]: row[1] for row in found}


def visits(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, list[tuple[str, bool, int, bool]]]:
    """(visit id, confidential, patient balance in cents, whether a payer still has to answer), oldest service first."""
    pending = exists().where(Coverage.visit_id == Visit.id, Coverage.status == "pending")
    found = _all(session, select(Visit.guarantor_id, Visit.id, Visit.confidential, LedgerAccount.balance_minor, pending)
        .outerjoin(LedgerAccount, and_(LedgerAccount.practice_id == practice_id,
                                       LedgerAccount.key == literal("patient:") + Visit.id))
        .where(among(session, Visit.guarantor_id, ids)).order_by(Visit.service_from_on, Visit.id))
    by_account: dict[str, list[tuple[str, bool, int, bool]]] = {}
    for guarantor_id, visit_id, confidential, minor, is_pending in found:
        by_account.setdefault(guarantor_id, []).append((visit_id, confidential, minor or 0, is_pending))
    return by_account


def unapplied(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, int]:
    """Unapplied credit in cents of those that have any."""
    found = _all(session, select(LedgerAccount.key, LedgerAccount.balance_minor).where(
        LedgerAccount.practice_id == practice_id, among(session, LedgerAccount.key, [f"credit:{id_}" for id_ in ids]),
        LedgerAccount.balance_minor != 0))
    return {key.removeprefix("credit:"): -minor for key, minor in found}


def holds(session: Session, ids: Collection[str]) -> dict[str, list[HoldFacts]]:
    found = _all(session, select(Hold.guarantor_id, Hold.id, Hold.visit_id, Hold.kind, Hold.amount_minor).where(
        among(session, Hold.guarantor_id, ids), Hold.released_at.is_(None)).order_by(Hold.id))
    by_account: dict[str, list[HoldFacts]] = {}
    for guarantor_id, *hold in found:
        by_account.setdefault(guarantor_id, []).append(HoldFacts(*hold))
    return by_account


def plans(session: Session, visit_ids: Collection[str]) -> dict[str, list[PlanFacts]]:
    """The running plans of each visit that is on any, whole, in order of their ids."""
    on = _all(session, select(PlanVisit.visit_id, Plan.id, Plan.status).join(Plan, Plan.id == PlanVisit.plan_id)
              .where(among(session, PlanVisit.visit_id, visit_ids), Plan.status.in_(ON_PLAN)).order_by(Plan.id))
    if not on:
        return {}
    plan_ids = {plan_id for _, plan_id, _ in on}
    members: dict[str, list[str]] = {}
    for plan_id, visit_id in _all(session, (
            select(PlanVisit.plan_id, Visit.id).join(Visit, Visit.id == PlanVisit.visit_id)
            .where(among(session, PlanVisit.plan_id, plan_ids)).order_by(Visit.service_from_on, Visit.id))):
        members.setdefault(plan_id, []).append(visit_id)
    parts: dict[str, list[tuple[date, int]]] = {}
    for plan_id, due_on, minor in _all(session, (
            select(Instalment.plan_id, Instalment.due_on, Instalment.amount_minor - Instalment.paid_minor)
            .where(among(session, Instalment.plan_id, plan_ids)).order_by(Instalment.due_on, Instalment.number))):
        parts.setdefault(plan_id, []).append((due_on, int(minor)))
    whole = {plan_id: PlanFacts(plan_id, status == "paused", tuple(members.get(plan_id, ())),
                                tuple(parts.get(plan_id, ()))) for _, plan_id, status in on}
    by_visit: dict[str, list[PlanFacts]] = {}
    for visit_id, plan_id, _ in on:
        by_visit.setdefault(visit_id, []).append(whole[plan_id])
    return by_visit


def unfinished(session: Session, practice_id: str, visit_ids: Collection[str]) -> set[str]:
    """Visits that an import still under way has posted to."""
    running = [row[0] for row in _all(session, select(ImportRun.id).where(
        ImportRun.practice_id == practice_id, ImportRun.status == "posting"))]
    if not running:
        return set()
    found = _all(session, select(Transfer.visit_id).where(
        among(session, Transfer.visit_id, visit_ids), Transfer.import_id.in_(running)))
    return {row[0] for row in found}


def payments(session: Session, ids: Collection[str], now: datetime) -> dict[str, tuple[datetime | None, bool]]:
    """When each account last paid on a hosted page, and whether it has one open that has not run out."""
    is_open = and_(Payment.status == "pending", or_(
        Payment.processor_ref.is_not(None), and_(Payment.session_ref.is_not(None), Payment.link_expires_at > now)))
    found = _all(session, select(
        Payment.guarantor_id, func.max(case((Payment.processor != "manual", Payment.paid_at))),
        func.max(case((is_open, 1), else_=0))).where(among(session, Payment.guarantor_id, ids))
        .group_by(Payment.guarantor_id))
    return {id_: (paid_at, bool(open_)) for id_, paid_at, open_ in found}


_POINT = (
    ContactPoint.guarantor_id, ContactPoint.address_hash, ContactPoint.channel, ContactPoint.status,
    ContactPoint.carrier, ContactPoint.at_work, ContactPoint.reassigned_checked_on, ContactPoint.created_at,
    type_coerce(ContactPoint.address, LargeBinary))


def points_of(session: Session, practice_id: str, ids: Collection[str]) -> list[Point]:
    """Every contact point of these accounts, in the order in which they were put on file."""
    return [Point._make(row) for row in _all(session, select(*_POINT).where(
        among(session, ContactPoint.guarantor_id, ids), ContactPoint.practice_id == practice_id)
        .order_by(ContactPoint.created_at, ContactPoint.id))]


def accounts_at(session: Session, practice_id: str, hashes: Collection[str]) -> list[tuple[str, str, str]]:
    """(account, address hash, carrier) of every contact point at these addresses, whoever's."""
    return [(id_, hashed, carrier) for id_, hashed, carrier in _all(session, select(
        ContactPoint.guarantor_id, ContactPoint.address_hash, ContactPoint.carrier).where(
        among(session, ContactPoint.address_hash, hashes), ContactPoint.practice_id == practice_id))]


def consents(session: Session, practice_id: str, line: str, hashes: Collection[str]) -> dict[str, list[Said]]:
    """Every event of each number, oldest first."""
    found = _all(session, select(
        Consent.address_hash, Consent.id, Consent.guarantor_id, Consent.event, Consent.purpose, Consent.wording,
        Consent.medium, Consent.recorded_by, Consent.message_id, case((Consent.event == "revoked", Consent.at))).where(
        Consent.practice_id == practice_id, Consent.channel == line, among(session, Consent.address_hash, hashes))
        .order_by(Consent.id))
    return _grouped(map(Said._make, found))


def preferences(session: Session, practice_id: str, line: str, hashes: Collection[str]) -> dict[str, list[Any]]:
    found = _all(session, select(
        Preference.address_hash, Preference.id, Preference.guarantor_id, Preference.kind, Preference.value,
        Preference.at).where(
        Preference.practice_id == practice_id, Preference.channel == line,
        among(session, Preference.address_hash, hashes)).order_by(Preference.id))
    return _grouped(found)


def wishes_of(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, list[Any]]:
    """What these accounts have wished for, at whatever address, oldest first."""
    found = _all(session, select(Preference.guarantor_id, Preference.channel, Preference.address_hash,
                                   Preference.kind, Preference.value, Preference.at).where(
        among(session, Preference.guarantor_id, ids),
        Preference.practice_id == practice_id).order_by(Preference.id))
    return _grouped(found)


def own_addresses(session: Session, ids: Collection[str]) -> dict[str, str]:
    """The postal addresses of these accounts, as they are on file with the account itself."""
    found = _all(session, select(Guarantor.id, Guarantor.address).where(among(session, Guarantor.id, ids)))
    return {row[0]: row[1] for row in found if row[1]}


def _grouped(rows: Iterable[_T]) -> dict[str, list[_T]]:
    by_key: dict[str, list[_T]] = {}
    for row in rows:
        by_key.setdefault(row[0], []).append(row)
    return by_key


def messages_in(session: Session, message_ids: Collection[str], statuses: Sequence[str]) -> set[str]:
    """Those of the messages whose status is one of these."""
    if not message_ids:
        return set()
    return {row[0] for row in _all(session, select(Outbox.id).where(
        among(session, Outbox.id, message_ids), Outbox.status.in_(statuses)))}


def left_for(session: Session, practice_id: str, hashes: Collection[str], now: datetime) -> list[Left]:
    """What left for these addresses in the last seven days, and every confirmation of a STOP, in order of leaving."""
    left = and_(Outbox.sending_at > now - WEEK, Outbox.status.notin_(NEVER_LEFT))
    confirms = and_(Outbox.purpose == "stop_confirmation", Outbox.status.notin_(("withheld", "cancelled")))
    found = _all(
        session,
        select(Outbox.address_hash, Outbox.purpose.in_(DEMANDS), unasked(), confirms, left, Outbox.sending_at,
               Outbox.created_at)
        .outerjoin(Inbox, Inbox.id == Outbox.reply_to)
        .where(Outbox.practice_id == practice_id, among(session, Outbox.address_hash, hashes), or_(left, confirms))
        .order_by(Outbox.sending_at))
    return [Left(*row[:1], *(bool(flag) for flag in row[1:5]), *row[5:]) for row in found]


def demanded_at(session: Session, ids: Collection[str]) -> dict[str, datetime]:
    """When the newest demand about each account left that is not known to have failed."""
    found = _all(session, select(Outbox.guarantor_id, func.max(Outbox.sending_at)).where(
        among(session, Outbox.guarantor_id, ids), Outbox.purpose.in_(DEMANDS),
        Outbox.status.notin_(NEVER_ARRIVED)).group_by(Outbox.guarantor_id))
    return {id_: at for id_, at in found if id_ is not None and at is not None}


def last_inbound_at(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, datetime]:
    found = _all(session, select(Conversation.address_hash, func.max(Conversation.last_inbound_at)).where(
        Conversation.practice_id == practice_id, among(session, Conversation.address_hash, hashes))
        .group_by(Conversation.address_hash))
    return {hashed: at for hashed, at in found if at is not None}


def told_before(session: Session, ids: Collection[str]) -> dict[str, tuple[bool, datetime | None]]:
    """Of collectors' accounts: whether anything about each has left, and when its validation notice first did."""
    if not ids:
        return {}
    found = _all(session, select(
        Outbox.guarantor_id, func.count(Outbox.sending_at),
        func.min(case((Outbox.template.like(VALIDATION), Outbox.sending_at)))).where(
        among(session, Outbox.guarantor_id, ids), Outbox.status.notin_(NEVER_ARRIVED))
        .group_by(Outbox.guarantor_id))
    return {id_: (count > 0, validated_at) for id_, count, validated_at in found if id_ is not None}
