"""SQL of the gate: what is on record about one message, its recipient and the account, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.ledger_queries import chunks
from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import (
    Conversation,
    Guarantor,
    ImportRun,
    Inbox,
    Outbox,
    Payment,
    Verdict,
)

_DAY = timedelta(hours=24)
NEVER_LEFT = ("withheld", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Asked:
    """The inbox row that a message answers."""

    kind: str
    received_at: datetime
    by_carrier: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A guarantor as the gate needs one; ``external`` only to look for it in the body."""

    external: str
    confirmed: bool
    region: str | None
    postal_code: str | None
    zone: str | None
    language: str


def asked(session: Session, inbox_id: int | None) -> Asked | None:
    row = session.get(Inbox, inbox_id) if inbox_id is not None else None
    if row is None:
        return None
    payload = row.payload if isinstance(row.payload, dict) else {}
    return Asked(row.kind, row.received_at, bool(payload.get("carrier_keyword") or payload.get("answered_by_carrier")))


def conversation(session: Session, conversation_id: str | None) -> Conversation | None:
    return session.get(Conversation, conversation_id) if conversation_id is not None else None


@prepared
def _person() -> Query:
    return select(
        Guarantor.external, Guarantor.confirmed_at.is_not(None), Guarantor.region, Guarantor.postal_code,
        Guarantor.zone, Guarantor.language,
    ).where(Guarantor.practice_id == given("practice_id"), Guarantor.id == given("guarantor_id"))


def person(session: Session, practice_id: str, guarantor_id: str | None) -> Person | None:
    if guarantor_id is None:
        return None
    row = _person.first(session, practice_id=practice_id, guarantor_id=guarantor_id)
    return Person(*row) if row else None


@prepared
def _demands_since() -> Query:
    return select(Outbox.sending_at).where(
        Outbox.practice_id == given("practice_id"), Outbox.address_hash == given("address_hash"),
        Outbox.id != given("but_id"), one_of(Outbox.purpose, "purposes"), Outbox.sending_at > given("since"),
        Outbox.status.notin_(NEVER_LEFT)).order_by(Outbox.sending_at)


def demands_since(session: Session, row: Outbox, purposes: Sequence[str], now: datetime) -> tuple[datetime, ...]:
    """When demands other than ``row`` began to leave for its number in the last 24 hours."""
    found = _demands_since(session, practice_id=row.practice_id, address_hash=row.address_hash, but_id=row.id,
                           purposes=purposes, since=now - _DAY)
    return tuple(at for at, in found)


def last_paid_at(session: Session, guarantor_id: str) -> datetime | None:
    """When the account last paid on a hosted page."""
    return session.scalar(select(func.max(Payment.paid_at)).where(
        Payment.guarantor_id == guarantor_id, Payment.processor != "manual"))


def bank_at_work(session: Session, guarantor_id: str) -> bool:
    """Whether a payment was made that the bank has not settled yet."""
    return session.scalar(select(Payment.id).where(
        Payment.guarantor_id == guarantor_id, Payment.status == "pending", Payment.processor_ref.is_not(None))
        .limit(1)) is not None


def page_open(session: Session, guarantor_id: str, now: datetime) -> bool:
    """Whether the patient has a payment page open that has not run out."""
    return session.scalar(select(Payment.id).where(
        Payment.guarantor_id == guarantor_id, Payment.status == "pending",
        or_(Payment.processor_ref.is_not(None), and_(Payment.session_ref.is_not(None),
                                                     Payment.link_expires_at > now))).limit(1)) is not None


def in_flight(session: Session, guarantor_ids: Sequence[str], now: datetime) -> set[str]:
    """Of these accounts, those with a payment on its way: a page open that has not run out, or a bank at work."""
    return {owner for part in chunks(guarantor_ids) for owner in session.scalars(select(Payment.guarantor_id).where(
        Payment.guarantor_id.in_(part), Payment.status == "pending",
        or_(Payment.processor_ref.is_not(None), and_(Payment.session_ref.is_not(None),
                                                     Payment.link_expires_at > now))))}


def import_running(session: Session, practice_id: str) -> bool:
    return session.scalar(select(ImportRun.id).where(
        ImportRun.practice_id == practice_id, ImportRun.status == "posting").limit(1)) is not None


def add_verdicts(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows of Verdict, each by the names of its columns."""
    driver.insert(session, cast(Table, Verdict.__table__), rows)


def verdicts_of(session: Session, outbox_id: str) -> Sequence[Verdict]:
    return session.scalars(select(Verdict).where(Verdict.outbox_id == outbox_id).order_by(Verdict.id)).all()


def verdicts_of_payment(session: Session, payment_id: str) -> Sequence[Verdict]:
    return session.scalars(select(Verdict).where(Verdict.payment_id == payment_id).order_by(Verdict.id)).all()


def verdicts_of_plan(session: Session, plan_id: str) -> Sequence[Verdict]:
    """Of its instalments for which no payment was made, and of the payments that were, in the order of asking."""
    own = select(Payment.id).where(Payment.plan_id == plan_id)
    return session.scalars(select(Verdict).where(or_(Verdict.plan_id == plan_id, Verdict.payment_id.in_(own)))
                           .order_by(Verdict.id)).all()


def message(session: Session, outbox_id: str) -> Outbox | None:
    return session.get(Outbox, outbox_id)
