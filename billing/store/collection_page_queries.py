"""SQL of a page of what is past due: accounts by what they owe, the largest first, out of those that an action may be
the next of. Which action it is, billing/collections_pages.py reads account by account.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from billing.store.collection_queries import LIVE
from billing.store.tables import (
    AssistanceApplication,
    Hold,
    LedgerAccount,
    Outbox,
    Placement,
    Plan,
    Statement,
    WriteOff,
)

Owners = Select[str]


def by_value(session: Session, practice_id: str, among: Owners, after: tuple[int, str] | None, most: int,
             most_minor: int | None = None) -> Sequence[tuple[str, int]]:
    """(account, cents with the patient and at an agency), the largest first, of accounts that owe or have something at
    an agency. ``after``: the (cents, account) of the last one before these. ``most_minor``: none that owes more itself.
    """
    rows = union_all(
        select(LedgerAccount.guarantor_id.label("owner"), LedgerAccount.balance_minor.label("minor"),
               LedgerAccount.balance_minor.label("own")).where(
            LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "patient",
            LedgerAccount.guarantor_id.in_(among)),
        select(Placement.guarantor_id, Placement.left_minor, literal(0)).where(
            Placement.practice_id == practice_id, Placement.status.in_(LIVE), Placement.guarantor_id.in_(among)),
    ).subquery()
    sums = (select(rows.c.owner, func.sum(rows.c.minor).label("minor"), func.sum(rows.c.own).label("own"))
            .group_by(rows.c.owner).having(func.max(rows.c.minor) > 0)).subquery()
    query = select(sums.c.owner, sums.c.minor).order_by(sums.c.minor.desc(), sums.c.owner).limit(most)
    if most_minor is not None:
        query = query.where(sums.c.own <= most_minor)
    if after is not None:
        query = query.where(tuple_(-sums.c.minor, sums.c.owner) > tuple_(-after[0], after[1]))
    return [(str(owner), int(minor)) for owner, minor in session.execute(query)]


def owing(session: Session, practice_id: str) -> tuple[int, int]:
    """(accounts with something in a patient's receivable, cents there)"""
    balance = LedgerAccount.balance_minor
    accounts, cents = session.execute(select(
        func.count(LedgerAccount.guarantor_id.distinct()), func.coalesce(func.sum(balance), 0)).where(
        LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "patient", balance > 0)).one()
    return int(accounts), int(cents)


def with_write_off(practice_id: str) -> Owners:
    return select(WriteOff.guarantor_id).where(WriteOff.practice_id == practice_id, WriteOff.status == "asked")


def with_placement(practice_id: str, statuses: Collection[str]) -> Owners:
    return select(Placement.guarantor_id).where(Placement.practice_id == practice_id, Placement.status.in_(statuses))


def with_application(practice_id: str, statuses: Collection[str]) -> Owners:
    return select(AssistanceApplication.guarantor_id).where(
        AssistanceApplication.practice_id == practice_id, AssistanceApplication.status.in_(statuses))


def with_hold(practice_id: str, kinds: Collection[str] = ()) -> Owners:
    """Without ``kinds``: any but what a placement alone keeps from being asked for."""
    wanted: ColumnElement[bool] = (
        Hold.kind.in_(kinds) if kinds else or_(Hold.kind != "agency", Hold.amount_minor.is_not(None)))
    return select(Hold.guarantor_id).where(Hold.practice_id == practice_id, Hold.released_at.is_(None), wanted)


def with_plan(practice_id: str) -> Owners:
    return select(Plan.guarantor_id).where(Plan.practice_id == practice_id)


def told_finally(practice_id: str, steps: Collection[str], before: datetime) -> Owners:
    """To whom one of these steps of the calendar was queued by then."""
    return select(func.coalesce(Outbox.guarantor_id, "")).where(
        Outbox.practice_id == practice_id, Outbox.step.in_(steps), Outbox.created_at < before)


def past_due(practice_id: str, on: date) -> Owners:
    """Accounts with a statement that was due before that day."""
    return select(Statement.guarantor_id).where(Statement.practice_id == practice_id, Statement.due_on < on)
