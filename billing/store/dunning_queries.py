"""SQL of the calendar of reminders: who owes, what was said, what came back, how far the day's work has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import (
    DeliveryTrouble,
    DunningDay,
    Hold,
    LedgerAccount,
    Outbox,
    Payment,
    Practice,
    Statement,
    Transfer,
    Verdict,
    Visit,
)

_DEMANDS = ("statement", "reminder")


@dataclass(frozen=True, slots=True)
class DemandRow:
    """A demand as its row in the outbox tells of it; ``rule`` is of the last verdict, where it was withheld."""

    outbox_id: str
    channel: str
    purpose: str
    status: str
    step: str
    statement_id: str
    created_at: datetime
    sending_at: datetime | None
    settled_at: datetime | None
    error_code: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class StatementRow:
    statement_id: str
    number: int
    created_at: datetime
    statement_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class PatientMove:
    """A transfer that moved what the patient owes for a visit; ``signed_minor`` > 0: they owe more."""

    transfer_id: int
    visit_id: str
    signed_minor: int
    code: str
    reason: str
    posted_at: datetime
    reverses_id: int | None
    reversed_code: str  # of what it reverses
    payment_status: str


def accounts_owing(session: Session, practice_id: str, after_id: str, limit: int) -> list[str]:
    """Accounts with something in a patient's receivable, in the order of their ids."""
    return [str(one) for one in session.scalars(select(LedgerAccount.guarantor_id).where(
        LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "patient", LedgerAccount.balance_minor > 0,
        LedgerAccount.guarantor_id > after_id).distinct().order_by(LedgerAccount.guarantor_id).limit(limit))]


def day(session: Session, practice_id: str, worked_on: date) -> DunningDay:
    """The practice's day, made the first time, locked until the transaction ends."""
    row = session.get(DunningDay, (practice_id, worked_on), with_for_update=True, populate_existing=True)
    if row is None:
        row = DunningDay(practice_id=practice_id, worked_on=worked_on, after_id="", accounts=0, queued=0)
        session.add(row)
        session.flush()
    return row


def demands_of(session: Session, guarantor_id: str) -> list[DemandRow]:
    """Oldest first."""
    newest = select(func.max(Verdict.id)).where(Verdict.outbox_id == Outbox.id).correlate(Outbox).scalar_subquery()
    rows = session.execute(
        select(Outbox.id, Outbox.channel, Outbox.purpose, Outbox.status, Outbox.step, Outbox.statement_id,
               Outbox.created_at, Outbox.sending_at, Outbox.settled_at, Outbox.error_code, Verdict.rule)
        .outerjoin(Verdict, Verdict.id == newest)
        .where(Outbox.guarantor_id == guarantor_id, Outbox.purpose.in_(_DEMANDS))
        .order_by(Outbox.created_at, Outbox.id))
    return [DemandRow(r[0], r[1], r[2], r[3], r[4] or "", r[5] or "", r[6], r[7], r[8], r[9] or "", r[10] or "")
            for r in rows]


def statements_of(session: Session, guarantor_id: str) -> list[StatementRow]:
    rows = session.execute(select(Statement.id, Statement.number, Statement.created_at, Statement.statement_on,
                                  Statement.due_on).where(Statement.guarantor_id == guarantor_id)
                           .order_by(Statement.number))
    return [StatementRow(*row) for row in rows]


def statement_contents(session: Session, statement_ids: Sequence[str]) -> list[tuple[date, dict[str, object]]]:
    """(due day, content) of statements, the earliest due first."""
    rows = session.scalars(select(Statement).where(Statement.id.in_(statement_ids))
                           .order_by(Statement.due_on, Statement.number))
    return [(row.due_on, dict(row.content)) for row in rows]


def troubles_of(session: Session, guarantor_id: str) -> Sequence[DeliveryTrouble]:
    return session.scalars(select(DeliveryTrouble).where(DeliveryTrouble.guarantor_id == guarantor_id)
                           .order_by(DeliveryTrouble.id)).all()


def trouble_by(session: Session, practice_id: str, dedupe: str) -> DeliveryTrouble | None:
    return session.scalars(select(DeliveryTrouble).where(
        DeliveryTrouble.practice_id == practice_id, DeliveryTrouble.dedupe == dedupe)).one_or_none()


def moves_of(session: Session, guarantor_id: str) -> list[PatientMove]:
    """Everything that moved what the patient owes, in the order of posting."""
    accounts = {row[0]: row[1] for row in session.execute(
        select(LedgerAccount.id, LedgerAccount.visit_id).join(Visit, Visit.id == LedgerAccount.visit_id)
        .where(Visit.guarantor_id == guarantor_id, LedgerAccount.kind == "patient"))}
    if not accounts:
        return []
    reversed_one = select(Transfer.id.label("id"), Transfer.code.label("code")).subquery()
    rows = session.execute(
        select(Transfer, Payment.status, reversed_one.c.code)
        .outerjoin(Payment, Payment.id == Transfer.payment_id)
        .outerjoin(reversed_one, reversed_one.c.id == Transfer.reverses_id)
        .where(Transfer.debit_id.in_(accounts) | Transfer.credit_id.in_(accounts)).order_by(Transfer.id))
    found = []
    for transfer, status, reversed_code in rows:
        for account_id, sign in ((transfer.debit_id, 1), (transfer.credit_id, -1)):
            if account_id in accounts:
                found.append(PatientMove(transfer.id, accounts[account_id] or "", sign * transfer.amount_minor,
                                         transfer.code, transfer.reason, transfer.posted_at, transfer.reverses_id,
                                         reversed_code or "", status or ""))
    return found


def holds_of(session: Session, guarantor_id: str, kind: str) -> Sequence[Hold]:
    """Open and released."""
    return session.scalars(select(Hold).where(Hold.guarantor_id == guarantor_id, Hold.kind == kind)
                           .order_by(Hold.placed_at, Hold.id)).all()


def open_holds(session: Session, practice_id: str, kinds: Sequence[str] = ()) -> Sequence[Hold]:
    """Of the whole practice, by their day of review."""
    query = select(Hold).where(Hold.practice_id == practice_id, Hold.released_at.is_(None))
    if kinds:
        query = query.where(Hold.kind.in_(kinds))
    return session.scalars(query.order_by(Hold.review_on, Hold.id)).all()


def first_statements(session: Session, guarantor_id: str) -> dict[str, date | None]:
    """When each visit was first on a statement."""
    rows = session.execute(select(Visit.id, Visit.first_statement_on).where(Visit.guarantor_id == guarantor_id))
    return {row[0]: row[1] for row in rows}


def configured_practices(session: Session) -> list[str]:
    return list(session.scalars(select(Practice.id).where(Practice.configured.is_(True)).order_by(Practice.id)))


def message(session: Session, practice_id: str, outbox_id: str) -> Outbox | None:
    return session.scalars(select(Outbox).where(
        Outbox.practice_id == practice_id, Outbox.id == outbox_id)).one_or_none()
