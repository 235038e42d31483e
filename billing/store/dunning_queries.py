"""SQL of the calendar of reminders: who owes, what was said, what came back, how far the day's work has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks
from billing.store.tables import (
    DeliveryTrouble,
    DunningDay,
    Guarantor,
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

T = TypeVar("T")
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


class ContentRow(NamedTuple):
    """A statement's content, as it was kept."""

    statement_id: str
    due_on: date
    number: int
    content: Any


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


def accounts(session: Session, practice_id: str, guarantor_ids: Sequence[str]) -> list[Guarantor]:
    """Those of these accounts that the practice has."""
    return [row for part in chunks(guarantor_ids) for row in session.scalars(
        select(Guarantor).where(Guarantor.practice_id == practice_id, Guarantor.id.in_(part)))]


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
    return demands(session, [guarantor_id]).get(guarantor_id, [])


def demands(session: Session, guarantor_ids: Sequence[str]) -> dict[str, list[DemandRow]]:
    """Of many accounts at once, by account; oldest first."""
    newest = select(func.max(Verdict.id)).where(Verdict.outbox_id == Outbox.id).correlate(Outbox).scalar_subquery()
    rows = (row for part in chunks(guarantor_ids) for row in session.execute(
        select(Outbox.guarantor_id, Outbox.id, Outbox.channel, Outbox.purpose, Outbox.status, Outbox.step,
               Outbox.statement_id, Outbox.created_at, Outbox.sending_at, Outbox.settled_at, Outbox.error_code,
               Verdict.rule)
        .outerjoin(Verdict, Verdict.id == newest)
        .where(Outbox.guarantor_id.in_(part), Outbox.purpose.in_(_DEMANDS))
        .order_by(Outbox.created_at, Outbox.id)))
    return _by_account((r[0] or "", DemandRow(r[1], r[2], r[3], r[4], r[5] or "", r[6] or "", r[7], r[8], r[9],
                                              r[10] or "", r[11] or "")) for r in rows)


def _by_account(rows: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for guarantor_id, row in rows:
        found.setdefault(guarantor_id, []).append(row)
    return found


def statements_of(session: Session, guarantor_id: str) -> list[StatementRow]:
    return statements(session, [guarantor_id]).get(guarantor_id, [])


def statements(session: Session, guarantor_ids: Sequence[str]) -> dict[str, list[StatementRow]]:
    """Of many accounts at once, by account and number."""
    return _by_account((row[0], StatementRow(*row[1:])) for part in chunks(guarantor_ids) for row in session.execute(
        select(Statement.guarantor_id, Statement.id, Statement.number, Statement.created_at, Statement.statement_on,
               Statement.due_on).where(Statement.guarantor_id.in_(part)).order_by(Statement.number)))


def contents(session: Session, statement_ids: Collection[str]) -> list[ContentRow]:
    """What statements hold, the earliest due first."""
    found = [ContentRow(*row) for part in chunks(sorted(statement_ids)) for row in session.execute(
        select(Statement.id, Statement.due_on, Statement.number, Statement.content).where(Statement.id.in_(part)))]
    return sorted(found, key=lambda one: (one.due_on, one.number))


def troubles_of(session: Session, guarantor_id: str) -> Sequence[DeliveryTrouble]:
    return troubles(session, [guarantor_id]).get(guarantor_id, [])


def troubles(session: Session, guarantor_ids: Sequence[str]) -> dict[str, list[DeliveryTrouble]]:
    return _by_account((row.guarantor_id, row) for part in chunks(guarantor_ids) for row in session.scalars(
        select(DeliveryTrouble).where(DeliveryTrouble.guarantor_id.in_(part)).order_by(DeliveryTrouble.id)))


def trouble_by(session: Session, practice_id: str, dedupe: str) -> DeliveryTrouble | None:
    return session.scalars(select(DeliveryTrouble).where(
        DeliveryTrouble.practice_id == practice_id, DeliveryTrouble.dedupe == dedupe)).one_or_none()


def moves_of(session: Session, guarantor_id: str) -> list[PatientMove]:
    """Everything that moved what the patient owes, in the order of posting."""
    return moves(session, [guarantor_id]).get(guarantor_id, [])


def moves(session: Session, guarantor_ids: Sequence[str]) -> dict[str, list[PatientMove]]:
    """Of many accounts at once, by account, in the order of posting."""
    found: dict[str, list[PatientMove]] = {}
    for part in chunks(guarantor_ids):
        accounts = {row[0]: (row[1] or "", row[2]) for row in session.execute(
            select(LedgerAccount.id, LedgerAccount.visit_id, Visit.guarantor_id)
            .join(Visit, Visit.id == LedgerAccount.visit_id)
            .where(Visit.guarantor_id.in_(part), LedgerAccount.kind == "patient"))}
        for some in chunks(sorted(accounts)):
            _add_moves(session, {one: accounts[one] for one in some}, found)
    return {guarantor_id: sorted(rows, key=lambda one: one.transfer_id) for guarantor_id, rows in found.items()}


def _add_moves(session: Session, accounts: Mapping[int, tuple[str, str]], found: dict[str, list[PatientMove]]) -> None:
    """Of these ledger accounts: (visit, guarantor) by id."""
    reversed_one = select(Transfer.id.label("id"), Transfer.code.label("code")).subquery()
    rows = session.execute(
        select(Transfer, Payment.status, reversed_one.c.code)
        .outerjoin(Payment, Payment.id == Transfer.payment_id)
        .outerjoin(reversed_one, reversed_one.c.id == Transfer.reverses_id)
        .where(Transfer.debit_id.in_(accounts) | Transfer.credit_id.in_(accounts)).order_by(Transfer.id))
    for transfer, status, reversed_code in rows:
        for account_id, sign in ((transfer.debit_id, 1), (transfer.credit_id, -1)):
            if account_id in accounts:
                visit_id, guarantor_id = accounts[account_id]
                found.setdefault(guarantor_id, []).append(PatientMove(
                    transfer.id, visit_id, sign * transfer.amount_minor, transfer.code, transfer.reason,
                    transfer.posted_at, transfer.reverses_id, reversed_code or "", status or ""))


def holds_of(session: Session, guarantor_id: str, kind: str) -> Sequence[Hold]:
    """Open and released."""
    return holds(session, [guarantor_id], kind).get(guarantor_id, [])


def holds(session: Session, guarantor_ids: Sequence[str], kind: str) -> dict[str, list[Hold]]:
    return _by_account((row.guarantor_id, row) for part in chunks(guarantor_ids) for row in session.scalars(
        select(Hold).where(Hold.guarantor_id.in_(part), Hold.kind == kind).order_by(Hold.placed_at, Hold.id)))


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
