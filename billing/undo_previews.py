"""Undoing, with what it does to whom: tried and taken back (billing/rehearsals.py) that is the look before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import figures, reallocation, undoing
from billing.store import console_list_queries, import_queries, undo_queries
from billing.store import correction_queries as store
from billing.store.tables import Payment
from config.practice import PracticePolicy

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Posting:
    """Transfers of one kind that would be posted; cents."""

    code: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Moved:
    """An account whose figures would change; what is due now, in cents. ``told``: it was told an amount since."""

    account_id: str
    number: str
    before_minor: int
    after_minor: int
    told: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """``moved``: at most 50 of the ``changed`` accounts; ``told``: of them, how many were told an amount since."""

    accounts: int
    changed: int
    told: int
    postings: list[Posting]
    moved: list[Moved]


@dataclass(frozen=True, slots=True)
class Undone:
    """``changed``: accounts that owe another amount now; what was told before ``since`` is not about it."""

    foreseen: Foreseen
    changed: list[str]
    since: datetime


def undo_import(session: Session, practice_id: str, policy: PracticePolicy, import_id: str, *, by: str, now: datetime,
                ) -> Undone:
    """Raises undoing.UndoRefused, LookupError for no such import."""
    run = import_queries.find_run(session, practice_id, import_id)
    if run is None:
        raise LookupError("there is no such import")
    owners = store.owners(session, practice_id, undo_queries.visits_touched(session, import_id))
    return _watch(session, practice_id, owners, run.started_at, policy.local_day(now), lambda: undoing.undo_import(
        session, practice_id, policy, import_id, actor=by, now=now))


def move_payment(session: Session, practice_id: str, policy: PracticePolicy, payment: Payment,
                 parts: Sequence[tuple[str | None, int]], *, by: str, reason: str, now: datetime) -> Undone:
    """Raises reallocation.ReallocationRefused."""
    return _watch(session, practice_id, [payment.guarantor_id], payment.created_at, policy.local_day(now),
                  lambda: reallocation.reallocate(session, practice_id, payment.id, parts, by=by, reason=reason,
                                                  now=now))


def _watch(session: Session, practice_id: str, owners: Sequence[str], since: datetime, today: date,
           work: Callable[[], object]) -> Undone:
    """Do ``work`` and say what it did to these accounts."""
    before, last = _due_of(session, practice_id, owners, today), store.newest_transfer(session, practice_id)
    work()
    session.flush()
    after, postings = _due_of(session, practice_id, owners, today), store.posted_after(session, practice_id, last,
                                                                                      owners)
    changed = [one for one in owners if before.get(one, 0) != after.get(one, 0)]
    told = store.said(session, practice_id, changed, since)
    numbers = console_list_queries.numbers(session, practice_id, changed[:SHOWN])
    return Undone(Foreseen(len(owners), len(changed), len(told), [Posting(*one) for one in postings], [
        Moved(one, numbers.get(one, ""), before.get(one, 0), after.get(one, 0), one in told)
        for one in changed[:SHOWN]]), changed, since)


def _due_of(session: Session, practice_id: str, owners: Sequence[str], today: date) -> dict[str, int]:
    """What each account owes now, in cents."""
    found = figures.accounts_figures(session, practice_id, owners, today)
    return {account_id: one.total.due_now_minor for account_id, one in found.items()}
