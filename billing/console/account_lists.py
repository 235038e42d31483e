"""The lists of an account's page: numbers, holds, statements, payments, plans, consents, cases, messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from billing.phones import line_of
from billing.store import console_account_queries as store
from billing.store.tables import Consent, Outbox, Payment, Verdict

MESSAGES = 60


@dataclass(frozen=True, slots=True)
class Contact:
    contact_id: str
    channel: str
    address: str
    status: str
    carrier: str
    at_work: bool


@dataclass(frozen=True, slots=True)
class HoldLine:
    hold_id: str
    kind: str
    visit_id: str
    amount_minor: int | None
    reason: str
    placed_by: str
    placed_at: datetime
    review_on: date | None
    released_at: datetime | None
    released_by: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    statement_id: str
    number: int
    statement_on: date
    due_on: date
    total_minor: int


@dataclass(frozen=True, slots=True)
class PaymentLine:
    payment_id: str
    amount_minor: int
    refunded_minor: int
    status: str
    tender: str
    way: str
    created_at: datetime
    paid_at: datetime | None
    failure: str
    recorded_by: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    plan_id: str
    number: int
    status: str
    total_minor: int
    interval: str
    collects: str
    offered_at: datetime
    agreed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """One event in the life of a consent. ``wording``: the words that were shown, or came."""

    event: str
    purpose: str
    channel: str
    wording: str
    medium: str
    recorded_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseLine:
    case_id: str
    number: int
    kind: str
    title: str
    status: str
    owner: str
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageLine:
    """``rule`` and ``reason``: the gate's last word on it."""

    message_id: str
    channel: str
    purpose: str
    template: str
    status: str
    amount_minor: int | None
    created_at: datetime
    settled_at: datetime | None
    outcome: str
    rule: str
    reason: str


class Lists(TypedDict):
    contacts: list[Contact]
    holds: list[HoldLine]
    statements: list[StatementLine]
    payments: list[PaymentLine]
    plans: list[PlanLine]
    consents: list[Said]
    cases: list[CaseLine]
    messages: list[MessageLine]


def lists_of(session: Session, practice_id: str, account_id: str) -> Lists:
    contacts = store.contacts(session, account_id)
    hashes = {one.address_hash for one in contacts}
    return {
        "contacts": [Contact(one.id, one.channel, one.address, one.status, one.carrier, one.at_work)
                     for one in contacts],
        "holds": [HoldLine(one.id, one.kind, one.visit_id or "", one.amount_minor, one.reason, one.placed_by,
                           one.placed_at, one.review_on, one.released_at, one.released_by or "")
                  for one in store.holds(session, account_id)],
        "statements": [StatementLine(one.id, one.number, one.statement_on, one.due_on, one.total_minor)
                       for one in store.statements(session, account_id)],
        "payments": [_payment(one) for one in store.payments(session, account_id)],
        "plans": [PlanLine(one.id, one.number, one.status, one.total_minor, one.interval, one.collects,
                           one.offered_at, one.agreed_at) for one in store.plans(session, account_id)],
        "consents": [said_of(one) for one in store.consents(session, practice_id, account_id, hashes)],
        "cases": [CaseLine(one.id, one.number, one.kind, one.title, one.status, one.owner or "", one.due_at,
                           one.opened_at, one.closed_at) for one in store.cases(session, account_id)],
        "messages": [_message(row, verdict) for row, verdict in store.messages(session, account_id, MESSAGES)],
    }


def said_of(row: Consent) -> Said:
    return Said(row.event, row.purpose, line_of(row.channel), row.wording, row.medium, row.recorded_by, row.at)


def _payment(row: Payment) -> PaymentLine:
    return PaymentLine(row.id, row.amount_minor, row.refunded_minor, row.status, row.tender, row.way, row.created_at,
                       row.paid_at, row.failure or "", row.recorded_by)


def _message(row: Outbox, verdict: Verdict | None) -> MessageLine:
    said = (verdict.outcome, verdict.rule, verdict.reason) if verdict is not None else ("", "", "")
    return MessageLine(row.id, row.channel, row.purpose, row.template, row.status, row.amount_minor, row.created_at,
                       row.settled_at, *said)
