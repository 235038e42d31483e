"""SQL of accounts: found by whatever number a person names, and their surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from billing.contact_status import GONE
from billing.store import money_queries, plan_queries, preference_queries
from billing.store.ledger_queries import bump_versions
from billing.store.prepared import Query, Rows, ask_together, given, one_of, prepared
from billing.store.tables import (
    ContactPoint,
    Conversation,
    Guarantor,
    Hold,
    Inbox,
    LedgerAccount,
    Outbox,
    Patient,
    Payment,
    Statement,
    Transfer,
    Verdict,
    Visit,
)


def guarantor_by(session: Session, practice_id: str, ref: str, hashed: str) -> Guarantor | None:
    return session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, or_(Guarantor.id == ref, Guarantor.external_hash == hashed))).first()


def visit_by(session: Session, practice_id: str, ref: str, hashed: str) -> Visit | None:
    return session.scalars(select(Visit).where(
        Visit.practice_id == practice_id, or_(Visit.id == ref, Visit.external_hash == hashed))
        .order_by(Visit.void, Visit.ordinal.desc())).first()


def guarantor_of_visit(session: Session, practice_id: str, ref: str, hashed: str) -> Guarantor | None:
    visit = visit_by(session, practice_id, ref, hashed)
    return session.get(Guarantor, visit.guarantor_id) if visit else None


def guarantor_of_patient(session: Session, practice_id: str, ref: str, hashed: str) -> Guarantor | None:
    return session.scalars(select(Guarantor).join(Patient, Patient.guarantor_id == Guarantor.id).where(
        Patient.practice_id == practice_id, or_(Patient.id == ref, Patient.external_hash == hashed))).first()


def guarantors_at(session: Session, practice_id: str, channel: str, address_hash: str) -> Sequence[Guarantor]:
    """Confirmed accounts reachable at an address that is not known to be wrong."""
    line = "sms" if channel == "console" else channel
    found = [row[0] for row in _accounts_at(session, practice_id=practice_id, channels={channel, line},
                                            address_hash=address_hash)]
    if not found:
        return ()
    return session.scalars(select(Guarantor).where(
        Guarantor.id.in_(found), Guarantor.confirmed_at.is_not(None)).order_by(Guarantor.id)).all()


@prepared
def _accounts_at() -> Select[Any]:
    return select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == given("practice_id"), one_of(ContactPoint.channel, "channels"),
        ContactPoint.address_hash == given("address_hash"),
        ContactPoint.status.not_in(GONE))


def all_accounts(session: Session, practice_id: str) -> list[str]:
    return list(session.scalars(select(Guarantor.id).where(Guarantor.practice_id == practice_id)
                                .order_by(Guarantor.created_at, Guarantor.id)))


class Newest(NamedTuple):
    """The newest statement of an account, with the attributes of Statement that the account is told of."""

    id: str
    number: int
    statement_on: date
    due_on: date


@prepared
def _newest_statement() -> Query:
    return (select(*(getattr(Statement, name) for name in Newest._fields))
            .where(Statement.guarantor_id == given("guarantor_id")).order_by(Statement.number.desc()).limit(1))


def newest_statement(session: Session, guarantor_id: str) -> Newest | None:
    return _newest(_newest_statement.first(session, guarantor_id=guarantor_id))


def _newest(row: tuple[Any, ...] | None) -> Newest | None:
    return Newest._make(row) if row else None


def last_statement(session: Session, guarantor_id: str) -> Statement | None:
    """The row itself."""
    return session.scalars(select(Statement).where(Statement.guarantor_id == guarantor_id)
                           .order_by(Statement.number.desc()).limit(1)).first()


class Paying(NamedTuple):
    """A payment, in whatever state, with the attributes of Payment that its account is told of."""

    id: str
    amount_minor: int
    status: str
    tender: str
    created_at: datetime
    paid_at: datetime | None
    refunded_minor: int
    way: str
    plan_id: str | None


@prepared
def _payments_of() -> Query:
    return (select(*(getattr(Payment, name) for name in Paying._fields))
            .where(Payment.guarantor_id == given("guarantor_id"))
            .order_by(Payment.created_at.desc(), Payment.id.desc()).limit(20))


@prepared
def _moved_by_payments() -> Query:
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    return (
        select(Transfer.payment_id, Transfer.amount_minor, debit.kind, debit.visit_id, credit.kind, credit.visit_id)
        .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
        .join(Payment, Payment.id == Transfer.payment_id).where(Payment.guarantor_id == given("guarantor_id")))


def _allocated(rows: Rows) -> dict[str, dict[str, int]]:
    """What each payment paid of each visit, net of refunds and reallocations, in cents."""
    found: dict[str, dict[str, int]] = {}
    for payment_id, amount, debit_kind, debit_visit, credit_kind, credit_visit in rows:
        parts = found.setdefault(str(payment_id), {})
        for kind, visit, sign in ((credit_kind, credit_visit, 1), (debit_kind, debit_visit, -1)):
            if kind == "patient" and visit:
                parts[visit] = parts.get(visit, 0) + sign * amount
    return found


@prepared
def _refunded_on() -> Query:
    return (select(Transfer.payment_id, func.max(Transfer.effective_on))
            .join(Payment, Payment.id == Transfer.payment_id)
            .where(Payment.guarantor_id == given("guarantor_id"), Transfer.code == "refund")
            .group_by(Transfer.payment_id))


class Surroundings(NamedTuple):
    """What a conversation has to know of an account beside its figures. ``payments``: the newest twenty;
    ``allocated_minor``: by payment, what it paid of each visit; ``refunded_on``: by payment, the last day on which
    money was sent back; ``passcode``: salt and digest.
    """

    statement: Newest | None
    passcode: tuple[str, str] | None
    payments: list[Paying]
    allocated_minor: dict[str, dict[str, int]]
    refunded_on: dict[str, date]
    has_plans: bool
    has_methods: bool


def surroundings(session: Session, guarantor_id: str) -> Surroundings:
    named: dict[str, object] = {"guarantor_id": guarantor_id}
    newest, digits, payments, moved, refunded, plans, methods = ask_together(session, *(
        (query, named) for query in (
            _newest_statement, preference_queries.salt_and_digest, _payments_of, _moved_by_payments, _refunded_on,
            plan_queries.ids_of_account, money_queries.ids_of_methods)))
    return Surroundings(
        _newest(next(iter(newest), None)), next(iter(digits), None),
        [Paying._make(row) for row in payments], _allocated(moved), dict(refunded), bool(plans), bool(methods))


def unconfirmed(session: Session, practice_id: str, limit: int) -> Sequence[Guarantor]:
    return session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, Guarantor.confirmed_at.is_(None))
        .where(select(Visit.id).where(Visit.guarantor_id == Guarantor.id, Visit.void.is_(False)).exists())
        .order_by(Guarantor.created_at, Guarantor.id).limit(limit)).all()


def has_money(session: Session, guarantor_id: str) -> bool:
    """Whether the account has payments or a credit that moving its visits would leave behind."""
    payments = session.scalar(select(func.count()).select_from(Payment).where(Payment.guarantor_id == guarantor_id))
    credit = session.scalar(select(LedgerAccount.balance_minor).where(LedgerAccount.key == f"credit:{guarantor_id}"))
    return bool(payments or credit)


def move_visits(session: Session, from_id: str, to_id: str) -> None:
    """Give all visits of one account, with their balances and holds, to another; transfers keep whose they were."""
    visits = select(Visit.id).where(Visit.guarantor_id == from_id)
    session.execute(update(LedgerAccount).where(LedgerAccount.visit_id.in_(visits)).values(guarantor_id=to_id))
    session.execute(update(Hold).where(Hold.guarantor_id == from_id).values(guarantor_id=to_id))
    session.execute(update(Patient).where(Patient.guarantor_id == from_id).values(guarantor_id=to_id))
    session.execute(update(Visit).where(Visit.guarantor_id == from_id).values(guarantor_id=to_id))
    session.expire_all()


def bump(session: Session, guarantor_ids: Sequence[str]) -> None:
    bump_versions(session, guarantor_ids)


def text_contact(session: Session, guarantor_id: str) -> ContactPoint | None:
    """The number to text a guarantor at: the first that works."""
    return session.scalars(select(ContactPoint).where(
        ContactPoint.guarantor_id == guarantor_id, ContactPoint.channel == "sms", ContactPoint.status == "ok")
        .order_by(ContactPoint.created_at, ContactPoint.id).limit(1)).first()


def has_message(session: Session, practice_id: str, key: str) -> bool:
    return session.scalar(select(Outbox.id).where(
        Outbox.practice_id == practice_id, Outbox.idempotency_key == key)) is not None


def last_verdict(session: Session, outbox_id: str) -> Verdict | None:
    return session.scalars(select(Verdict).where(Verdict.outbox_id == outbox_id)
                           .order_by(Verdict.id.desc()).limit(1)).first()


def nothing_under_way(session: Session, practice_id: str) -> bool:
    """Whether no inbox row waits to be worked and no message to be sent; letters wait for a person's print run."""
    inbox = select(Inbox.id).where(Inbox.practice_id == practice_id, Inbox.status.in_(("accepted", "working")))
    outbox = select(Outbox.id).where(Outbox.practice_id == practice_id, Outbox.channel != "paper",
                                     Outbox.status.in_(("queued", "claimed", "sending")))
    return session.scalar(inbox.limit(1)) is None and session.scalar(outbox.limit(1)) is None


def has_paid(session: Session, practice_id: str, guarantor_id: str) -> bool:
    return session.scalar(select(Payment.id).where(
        Payment.practice_id == practice_id, Payment.guarantor_id == guarantor_id,
        Payment.status == "succeeded").limit(1)) is not None


def talk_at(session: Session, practice_id: str, channel: str, address_hash: str) -> Conversation | None:
    return session.scalars(select(Conversation).where(
        Conversation.practice_id == practice_id, Conversation.channel == channel,
        Conversation.address_hash == address_hash)).one_or_none()
