"""Plans taken over: the visits keep their schedule, and nothing of it is charged or resumed without a new agreement.

The patient agreed with somebody else's words, for somebody else's card: that is no authorization of ours (T-48, T-50).
So the plan is paused, by no card, and only a plan agreed to here takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import plan_schedule
from billing.ids import new_id
from billing.plan_news import changed, log
from billing.plan_status import PAUSED, RUNNING
from billing.store import counters, opening_queries
from billing.store import plan_queries as store
from billing.store.tables import Guarantor, Instalment, Plan, PlanVisit, Visit

#: Why such a plan is paused; no patient's word and no day ends this pause.
CARRIED_OVER = "carried_over"


def take_over(session: Session, account: Guarantor, visits: Sequence[Visit], interval: str,
              schedule: Sequence[tuple[date, int]], *, currency: str, by: str, key: str, now: datetime) -> Plan:
    """Write a plan down as it was left: paused, collected by nobody. The same ``key`` again returns the first."""
    store.lock_guarantor(session, account.id)
    before = store.by_key(session, account.practice_id, key)
    if before is not None:
        return before
    total, first_on, plan_id = sum(minor for _, minor in schedule), schedule[0][0], new_id("plan")
    plan = Plan(
        id=plan_id, practice_id=account.practice_id, number=counters.next_number(session, account.practice_id, "plans"),
        guarantor_id=account.id, status=PAUSED, currency=currency, total_minor=total, deposit_minor=0,
        interval=interval, days=list(plan_schedule.anchors(first_on, interval)), first_on=first_on, collects="link",
        method_id=None, authorization_id=None, on_extra="shorten", balance_version=account.balance_version,
        conversation_id=None, language=account.language, offered_by=by, exception_reason=None, offered_at=now,
        offer_ends_at=now, agreed_at=None, paused_at=now, paused_until_on=None, pause_reason=CARRIED_OVER,
        supersedes_id=None, idempotency_key=key, version=0)
    owed = store.owed_by_visit(session, account.practice_id, [visit.id for visit in visits])
    agreed = shares(total, [max(owed[visit.id], 0) for visit in visits])
    store.add(session, plan, [PlanVisit(plan_id=plan_id, visit_id=visit.id, practice_id=account.practice_id,
                                        agreed_minor=minor)
                              for visit, minor in zip(visits, agreed, strict=True) if minor],
              [Instalment(plan_id=plan_id, number=number, practice_id=account.practice_id, due_on=due_on,
                          amount_minor=minor, agreed_minor=minor, paid_minor=0, status="planned", tries=0)
               for number, (due_on, minor) in enumerate(schedule, 1)])
    log(session, plan, CARRIED_OVER, now, by=by, reason="taken over from another system", amount_minor=total)
    above = sum(max(minor, 0) for minor in owed.values()) - total
    if above > 0:  # known from the beginning: no news to anybody later (plan_money: more_owed)
        changed(session, plan, "outside", now, by=by, amount_minor=above)
    return plan


def shares(total_minor: int, owed_minor: Sequence[int]) -> list[int]:
    """How much of a plan each of its visits stands for, the oldest first."""
    found = []
    for owed in owed_minor:
        found.append(min(owed, total_minor))
        total_minor -= found[-1]
    return found


def lacks_consent(plan: Plan) -> bool:
    """Whether a plan was taken over and nobody has agreed to it here."""
    return plan.pause_reason == CARRIED_OVER and plan.authorization_id is None


def taken_back(session: Session, practice_id: str, import_id: str) -> list[str]:
    """The plans of an import that still run."""
    return opening_queries.plans_of(session, practice_id, import_id, RUNNING)
