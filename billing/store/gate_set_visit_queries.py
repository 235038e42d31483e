"""SQL of the gate's facts in sets: the visits of thousands of accounts, with what lies with the patient of each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import Coverage, LedgerAccount, Visit


class SeenVisit(NamedTuple):
    """A visit with what lies with the patient, in cents, and whether a payer still has to answer."""

    visit_id: str
    confidential: bool
    patient_minor: int
    pending: bool
    service_on: date | None
    first_statement_on: date | None


def read_by_keys(session: Session) -> None:
    """For this transaction: the server reads each set by its keys, with one process, and plans a statement once.

    Its planner would weigh every one of a set's thousands of keys anew, which costs as much as looking some of them up;
    it would read a table of a hundred thousand rows whole; and it would start helpers for a few thousand rows, where
    whoever reads sets by the thousand has two processes already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(_BY_KEYS)


_BY_KEYS = """SELECT set_config('max_parallel_workers_per_gather', '0', true),
    set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"""


@prepared
def _visits() -> Query:
    return (select(Visit.guarantor_id, Visit.id, Visit.confidential, Visit.service_from_on, Visit.first_statement_on)
            .where(one_of(Visit.guarantor_id, "ids"))
            # By account first: that is nearly the order in which the index has them.
            .order_by(Visit.guarantor_id, Visit.service_from_on, Visit.id))


@prepared
def _balances() -> Query:
    return select(LedgerAccount.visit_id, LedgerAccount.balance_minor).where(
        LedgerAccount.practice_id == given("practice_id"), one_of(LedgerAccount.key, "keys"))


def visits(session: Session, practice_id: str, ids: Collection[str]) -> dict[str, list[SeenVisit]]:
    """By account, oldest service first."""
    found = _visits(session, ids=ids)
    # Not by a join: thousands of keys in order are one walk along the index, one by one each is a descent of its own.
    # Put in order here: the server would do so for each statement.
    visit_ids = sorted([row[1] for row in found])
    keys = [f"patient:{one}" for one in visit_ids]
    owed: dict[str, int] = dict(_balances(session, practice_id=practice_id, keys=keys))
    pending = _pending(session, visit_ids)
    by_account: dict[str, list[SeenVisit]] = {}
    for guarantor_id, visit_id, confidential, service_on, first_on in found:
        seen = SeenVisit(visit_id, confidential, owed.get(visit_id, 0), visit_id in pending, service_on, first_on)
        by_account.setdefault(guarantor_id, []).append(seen)
    return by_account


@prepared
def _awaited() -> Query:
    return select(Coverage.visit_id).where(one_of(Coverage.visit_id, "visit_ids"), Coverage.status == "pending")


def _pending(session: Session, visit_ids: Collection[str]) -> set[str]:
    """Visits for which a payer still has to answer."""
    return {row[0] for row in _awaited(session, visit_ids=visit_ids)}
