"""The calendar of reminders at work: once on each practice-local day, account by account, whatever happened before.

Each account is one transaction that also says how far the day has come: killed in the middle, the day goes on behind
the last account, and nobody is told twice. What was missed on a day without a run is not made up for in a heap.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import addresses, dunning, first_looks, hold_reviews, self_audit
from billing.cases import open_case
from billing.dunning_facts import gather
from billing.figures import AccountFigures, account_figures
from billing.store import account_queries, hold_queries
from billing.store import dunning_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Guarantor
from bot.demanding import Demand, Line, queue_demand
from bot.failpoints import hit
from bot.road import Road
from config.dunning_policy import DunningPolicy
from config.practice import PracticePolicy

#: Accounts to a practice in one turn of the job; the next turn goes on.
MOST = 5_000

_log = structlog.get_logger(__name__)


class AccountNotWorked(Exception):
    """A fault of our own over one account: words that do not fit, a record that cannot be read. ``fault``: its type."""

    def __init__(self, guarantor_id: str, fault: str) -> None:
        super().__init__("an account's day could not be worked")
        self.guarantor_id, self.fault = guarantor_id, fault


async def work_dunning(road: Road) -> int:
    """Work today's calendar of every practice that has one; return how many accounts were looked at."""
    looked = 0
    for practice_id in await road.store.aread(store.configured_practices):
        looked += await _work_practice(road, practice_id)
    if looked:
        road.wake.outbox.set()
    return looked


async def _work_practice(road: Road, practice_id: str) -> int:
    for done in range(MOST):
        if not await _work_one(road, practice_id):
            return done
        hit("dunning.committed")
    return MOST


async def _work_one(road: Road, practice_id: str) -> bool:
    """One account; a fault over it is a case, and the day goes on behind it. Tomorrow it is tried again."""
    try:
        return await road.store.awrite(partial(work_next, road=road, practice_id=practice_id, now=road.clock.now()))
    except AccountNotWorked as error:
        _log.error("account not worked", practice_id=practice_id, error=error.fault)
        await road.store.awrite(partial(_pass_over, practice_id=practice_id, guarantor_id=error.guarantor_id,
                                        fault=error.fault, now=road.clock.now()))
        return True


def due_today(policy: PracticePolicy, now: datetime) -> date | None:
    """The practice-local day whose hour has come; None where there is no calendar, or nothing is decided at all."""
    local = now.astimezone(ZoneInfo(policy.zone))
    if policy.dunning is None or policy.sending == "off" or local.hour < policy.dunning.send_at_hour:
        return None
    return local.date()


def work_next(session: Session, road: Road, practice_id: str, now: datetime) -> bool:
    """Work the next account of the practice's day; False when there is none left. Raises AccountNotWorked."""
    policy = policy_in(session, practice_id)
    today = due_today(policy, now)
    if today is None:
        _review_alone(session, practice_id, policy, now)
        return False
    day = store.day(session, practice_id, today)
    if day.ended_at is not None:
        return False
    if not day.after_id:
        hold_reviews.open_reviews(session, practice_id, today, now)
    found = store.accounts_owing(session, practice_id, day.after_id, 1)
    if not found:
        day.ended_at = now
        return False
    line = try_account(session, road, policy, found[0], now)
    day.after_id, day.accounts = found[0], day.accounts + 1
    day.queued += line is not None and line.message_id is not None
    hit("dunning.worked")
    return True


def _review_alone(session: Session, practice_id: str, policy: PracticePolicy, now: datetime) -> None:
    """A practice that reminds nobody has holds as well, and they come up for review (receivables.md D4)."""
    local = now.astimezone(ZoneInfo(policy.zone))
    if (policy.dunning is not None and policy.sending != "off") or local.hour < DunningPolicy().send_at_hour:
        return
    day = store.day(session, practice_id, local.date())
    if day.ended_at is None:
        hold_reviews.open_reviews(session, practice_id, local.date(), now)
        day.ended_at = now


def try_account(session: Session, road: Road, policy: PracticePolicy, guarantor_id: str, now: datetime) -> Line | None:
    """As ``work_account``; a fault over the account itself is told by name. Raises AccountNotWorked."""
    try:
        return work_account(session, road, policy, guarantor_id, now)
    except DBAPIError:
        raise  # the database's trouble, not the account's: the next turn tries it again
    except Exception as error:
        raise AccountNotWorked(guarantor_id, type(error).__name__) from error


def _pass_over(session: Session, practice_id: str, guarantor_id: str, fault: str, now: datetime) -> None:
    """Nothing was sent, and a person learns of it; unless somebody else has worked the account meanwhile."""
    policy = policy_in(session, practice_id)
    today = due_today(policy, now)
    if today is None:
        return
    day = store.day(session, practice_id, today)
    if store.accounts_owing(session, practice_id, day.after_id, 1) != [guarantor_id]:
        return
    day.after_id, day.accounts = guarantor_id, day.accounts + 1
    open_case(session, practice_id, kind="dunning_fault", title="The calendar of reminders could not work an account",
              detail=f"nothing was sent; the fault is of kind {fault}, see the log", now=now,
              dedupe=f"dunning_fault:{guarantor_id}", guarantor_id=guarantor_id)


def work_account(session: Session, road: Road, policy: PracticePolicy, guarantor_id: str, now: datetime,
                 ) -> Line | None:
    """Do for one account what today asks; None when that is nothing. Raises ValueError without a calendar."""
    if policy.dunning is None:
        raise ValueError("the practice has written no calendar of reminders; see [dunning] in its policy")
    hold_queries.lock(session, guarantor_id)
    guarantor = session.get_one(Guarantor, guarantor_id)
    today = policy.local_day(now)
    addresses.note_undelivered(session, guarantor, store.demands_of(session, guarantor_id), today, now)
    due = dunning.next_step(gather(session, guarantor_id, policy, now), policy.dunning, today)
    if not isinstance(due, dunning.Due):
        return None
    account = account_figures(session, guarantor_id, today)
    if first_looks.hold_back(session, guarantor, account, policy.dunning, today, now):
        return None
    if due.kind == "reminder" and self_audit.audit(session, guarantor, policy.dunning, today, now, account):
        return None
    return _send(session, road, policy, guarantor, account, due, now)


def _send(session: Session, road: Road, policy: PracticePolicy, guarantor: Guarantor, account: AccountFigures,
          due: dunning.Due, now: datetime) -> Line:
    line = queue_demand(session, road, policy, guarantor.id, Demand(
        due.kind, due.template, _key(session, guarantor, due), due.ways, step=due.step or None,
        minimum_minor=due.minimum_minor, fresh_statement=due.fresh, due_on=due.due_on), now, account)
    if line.rule == "no-way":
        _no_way(session, guarantor, line, now)
    return line


def _key(session: Session, guarantor: Guarantor, due: dunning.Due) -> str:
    """``reminder:STATEMENT:STEP`` or ``statement:ACCOUNT:VERSION``. The account is locked, and the step was derived
    under the lock: a key that is taken belongs to a message that did not leave, and this is another try.
    """
    base = (f"reminder:{due.round_id}:{due.step}" if due.kind == "reminder"
            else f"statement:{guarantor.id}:{guarantor.balance_version}")
    key, number = base, 1
    while account_queries.has_message(session, guarantor.practice_id, key):
        number += 1
        key = f"{base}:{number}"
    return key


def _no_way(session: Session, guarantor: Guarantor, line: Line, now: datetime) -> None:
    """No channel leads there: a person finds an address, or reaches the patient as they asked to be."""
    why = {reason for _, reason in line.passed}
    if "below_minimum" in why:
        return  # too little for the way that would have been left: the next statement or charge decides
    if why <= addresses.MENDED:
        addresses.open_finding(session, guarantor, line.reason, now)
        return
    open_case(session, guarantor.practice_id, kind="no_way", title="A bill can be sent by no channel",
              detail=line.reason, now=now, dedupe=f"no_way:{guarantor.id}:{guarantor.balance_version}",
              guarantor_id=guarantor.id)
