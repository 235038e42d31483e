"""SQL of the worklists beside cases: how much of each waits, and a page of each with the account's number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from billing.dispute_status import TO_ANSWER
from billing.store import credit_queries
from billing.store.tables import (
    AssistanceApplication,
    BankLine,
    Case,
    ContactPoint,
    Conversation,
    Correction,
    Difference,
    Guarantor,
    Hold,
    Instalment,
    Outbox,
    PaymentDispute,
    Placement,
    Plan,
    Preference,
    PrivacyIncident,
    Refund,
    RemittanceClaim,
    WordsChange,
    WriteOff,
)

#: Holds that a bill gets before anybody is asked for it; every other kind comes up on its day of review.
BEFORE_ASKING = ("audit", "first_look", "address")
BEHIND = ("behind", "defaulted", "offered")


#: (list, whose it is, its state, the states in which it waits for somebody).
Waits = tuple[str, InstrumentedAttribute[str], InstrumentedAttribute[str], Collection[str]]
MONEY: tuple[Waits, ...] = (
    ("write_offs", WriteOff.practice_id, WriteOff.status, ("asked",)),
    ("placements", Placement.practice_id, Placement.status, ("proposed",)),
    ("differences", Difference.practice_id, Difference.status, ("open",)),
    ("refunds", Refund.practice_id, Refund.status, ("waiting",)),
    ("chargebacks", PaymentDispute.practice_id, PaymentDispute.status, TO_ANSWER))
OTHERS: tuple[Waits, ...] = (
    ("unknown", Outbox.practice_id, Outbox.status, ("unknown",)),
    ("plans", Plan.practice_id, Plan.status, BEHIND),
    ("to_export", Placement.practice_id, Placement.status, ("approved",)),
    ("suspense", RemittanceClaim.practice_id, RemittanceClaim.outcome, ("suspended",)),
    ("corrections", Correction.practice_id, Correction.status, ("proposed",)),
    ("incidents", PrivacyIncident.practice_id, PrivacyIncident.status, ("open", "assessed", "told")),
    ("words", WordsChange.practice_id, WordsChange.status, ("proposed",)))


def in_state(session: Session, practice_id: str, lists: Iterable[Waits]) -> dict[str, int]:
    """How much waits on each of these lists."""
    return _counted(session, {
        name: (owner == practice_id, column.in_(wanted)) for name, owner, column, wanted in lists})


def _counted(session: Session, lists: Mapping[str, Sequence[ColumnElement[bool]]]) -> dict[str, int]:
    """How many rows each of these conditions finds, in one question to the database."""
    asked = [select(func.count()).where(*where).scalar_subquery().label(name) for name, where in lists.items()]
    return dict(session.execute(select(*asked)).one()._mapping)


def counts(session: Session, practice_id: str, today: date, now: datetime, waiting: Collection[str]) -> dict[str, int]:
    """How much waits on each list. ``waiting``: states of an application that waits for somebody here."""
    found = in_state(session, practice_id, (*MONEY, *OTHERS, (
        "assistance", AssistanceApplication.practice_id, AssistanceApplication.status, waiting)))
    found |= _counted(session, {
        "holds": (Hold.practice_id == practice_id, *_to_review(today)),
        "identity": (Conversation.practice_id == practice_id, Conversation.locked_until > now),
        "bank": (BankLine.practice_id == practice_id, BankLine.matched_kind.is_(None))})
    found["credits"], _ = credit_queries.credit_of_all(session, practice_id)
    return found


def _to_review(today: date) -> tuple[ColumnElement[bool], ...]:
    return Hold.released_at.is_(None), or_(Hold.kind.in_(BEFORE_ASKING), Hold.review_on <= today)


def holds(session: Session, practice_id: str, today: date, after: str, most: int) -> Sequence[tuple[Hold, str]]:
    return _paged(session, Hold, Hold.id, practice_id, after, most, *_to_review(today))


def hold(session: Session, practice_id: str, hold_id: str) -> Hold | None:
    return session.scalar(select(Hold).where(Hold.practice_id == practice_id, Hold.id == hold_id))


def unknown(session: Session, practice_id: str, after: str, most: int) -> Sequence[tuple[Outbox, str]]:
    return _paged(session, Outbox, Outbox.id, practice_id, after, most, Outbox.status == "unknown")


def message(session: Session, practice_id: str, message_id: str) -> Outbox | None:
    return session.scalar(select(Outbox).where(Outbox.practice_id == practice_id, Outbox.id == message_id))


def calls(session: Session, practice_id: str, after: str, most: int) -> Sequence[tuple[Case, str]]:
    return _paged(session, Case, Case.id, practice_id, after, most, Case.kind.in_(("call", "no_way")),
                  Case.status != "closed")


def assistance(session: Session, practice_id: str, statuses: Collection[str], after: str, most: int,
               ) -> Sequence[tuple[AssistanceApplication, str]]:
    return _paged(session, AssistanceApplication, AssistanceApplication.id, practice_id, after, most,
                  AssistanceApplication.status.in_(statuses))


def application(session: Session, practice_id: str, application_id: str) -> AssistanceApplication | None:
    return session.scalar(select(AssistanceApplication).where(
        AssistanceApplication.practice_id == practice_id, AssistanceApplication.id == application_id))


def plans(session: Session, practice_id: str, statuses: Collection[str], after: str, most: int,
          ) -> Sequence[tuple[Plan, str]]:
    return _paged(session, Plan, Plan.id, practice_id, after, most, Plan.status.in_(statuses))


def plan(session: Session, practice_id: str, plan_id: str) -> Plan | None:
    return session.scalar(select(Plan).where(Plan.practice_id == practice_id, Plan.id == plan_id))


def left_of_plans(session: Session, plan_ids: Collection[str], today: date) -> dict[str, tuple[int, int]]:
    """(what is left, what of it has come due) of each plan, in cents."""
    left = Instalment.amount_minor - Instalment.paid_minor
    late = func.sum(left).filter(Instalment.due_on <= today)
    rows = session.execute(select(Instalment.plan_id, func.sum(left), late).where(
        Instalment.plan_id.in_(plan_ids), left > 0).group_by(Instalment.plan_id))
    return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in rows}


def locked(session: Session, practice_id: str, now: datetime, after: str, most: int) -> Sequence[Conversation]:
    query = select(Conversation).where(Conversation.practice_id == practice_id, Conversation.locked_until > now)
    return session.scalars(query.where(Conversation.id > after).order_by(Conversation.id).limit(most)).all()


def numbers(session: Session, practice_id: str, account_ids: Collection[str]) -> dict[str, str]:
    """The accounts' numbers by our ids."""
    rows = session.execute(select(Guarantor.id, Guarantor.external).where(
        Guarantor.practice_id == practice_id, Guarantor.id.in_(account_ids)))
    return {row[0]: row[1] for row in rows}


def write_off(session: Session, practice_id: str, write_off_id: str) -> WriteOff | None:
    return session.scalar(select(WriteOff).where(WriteOff.practice_id == practice_id, WriteOff.id == write_off_id))


def _paged(session: Session, kind: Any, key: Any, practice_id: str, after: str, most: int, *wanted: Any,
           ) -> Sequence[tuple[Any, str]]:
    query = select(kind, Guarantor.external).outerjoin(Guarantor, Guarantor.id == kind.guarantor_id).where(
        kind.practice_id == practice_id, *wanted)
    rows = session.execute(query.where(key > after).order_by(key).limit(most))
    return [(row[0], row[1] or "") for row in rows]


def phones(session: Session, practice_id: str, account_ids: Collection[str]) -> dict[str, str]:
    """The number of each account that staff may call: the newest that is right, and no employer's."""
    rows = session.scalars(select(ContactPoint).where(
        ContactPoint.practice_id == practice_id, ContactPoint.guarantor_id.in_(account_ids),
        ContactPoint.channel == "sms", ContactPoint.status.in_(("ok", "unreachable")),
        ContactPoint.at_work.is_(False)).order_by(ContactPoint.created_at, ContactPoint.id))
    return {row.guarantor_id: row.address for row in rows}


def not_to_call(session: Session, practice_id: str, account_ids: Collection[str]) -> dict[str, str]:
    """What each account, or whoever has its number, said last of where staff shall not call (12 CFR 1006.6(b)(1))."""
    rows = session.execute(select(ContactPoint.guarantor_id, Preference.wording).join(Preference, and_(
        Preference.practice_id == ContactPoint.practice_id, Preference.channel == ContactPoint.channel,
        Preference.address_hash == ContactPoint.address_hash)).where(
        ContactPoint.practice_id == practice_id, ContactPoint.guarantor_id.in_(account_ids),
        Preference.kind == "place", or_(Preference.guarantor_id.is_(None),
                                        Preference.guarantor_id == ContactPoint.guarantor_id)).order_by(Preference.id))
    return {row[0]: row[1] for row in rows}


def addresses(session: Session, practice_id: str, conversation_ids: Collection[str]) -> dict[str, str]:
    """Where each of these conversations is: the number to call."""
    return {talk.id: talk.address for talk in session.scalars(select(Conversation).where(
        Conversation.practice_id == practice_id, Conversation.id.in_(conversation_ids)))}
