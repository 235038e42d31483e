"""Instalments that nobody paid: after their grace they are missed, and after too many, told of, the plan ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing.figures import account_figures
from billing.gate import may_charge
from billing.payment_limits import may_still_come
from billing.plan_consents import revoke
from billing.plan_money import is_too_small, missed, open_of
from billing.plan_news import call_staff, changed, enter, log, said, tell
from billing.plan_status import BEHIND, DEFAULTED
from billing.store import plan_queries as store
from billing.store.tables import Instalment, Plan
from config.payment_policy import PlanPolicy

#: At least so many days between the notice that a plan will end and its end.
LAST_DAYS = 7


def miss(session: Session, plan: Plan, rules: PlanPolicy, today: date, noticed_by: datetime, now: datetime) -> bool:
    """Mark what is past its grace. Not what waits for another try, nor what may not be asked for now (a hold, an
    answer of the insurer), nor what nobody was told of: that is not the patient's doing.
    """
    rows = store.instalments(session, plan.id)
    new = [part for part in rows if _is_missed(plan, part, rules, today, noticed_by)]
    if not new or not _may_be_paid(session, plan, today, now):
        return False
    for part in new:
        part.status, part.missed_on = "missed", today
        changed(session, plan, "missed", now, instalment=part.number, amount_minor=open_of(part))
    if plan.status != BEHIND:
        plan.behind_since_on = today
        enter(session, plan, BEHIND, now)
    _tell(session, plan, rules, today, now)
    return True


def _is_missed(plan: Plan, part: Instalment, rules: PlanPolicy, today: date, noticed_by: datetime) -> bool:
    if part.status not in ("noticed", "retrying") or part.missed_on is not None:
        return False
    if open_of(part) == 0 or is_too_small(part):
        return False
    if part.due_on + timedelta(days=rules.grace_days) >= today:
        return False
    if plan.collects == "autopay":
        return part.status == "retrying" and part.retry_on is None
    return part.retry_on is None and part.noticed_at is not None and part.noticed_at <= noticed_by


def _may_be_paid(session: Session, plan: Plan, today: date, now: datetime) -> bool:
    """Whether something of it is due and we would take the patient's money for it: nobody misses what may not be paid
    (a hold, credit of theirs that covers it).
    """
    own = {visit_id for visit_id, _ in store.visits(session, plan.id)}
    account = account_figures(session, plan.guarantor_id, today)
    due = [v.visit_id for v in account.visits if v.visit_id in own and v.figures.due_now_minor > 0]
    return bool(due) and may_charge(session, plan.guarantor_id, due, now).sends


def warn(session: Session, plan: Plan, rules: PlanPolicy, today: date, now: datetime) -> bool:
    """Where nothing is to come any more but what was missed, the plan would be behind for ever: say when it ends."""
    rows = store.instalments(session, plan.id)
    steps = store.events(session, plan.id, ("default_notice", "cured", "paused"))
    if not missed(rows) or not _nothing_else(rows) or (steps and steps[-1].kind == "default_notice"):
        return False
    if not _may_be_paid(session, plan, today, now):
        return False
    _tell(session, plan, rules, today, now)
    return True


def _nothing_else(rows: Sequence[Instalment]) -> bool:
    """Whether everything that is open was missed."""
    return all(part.missed_on is not None for part in rows if open_of(part) > 0)


def _tell(session: Session, plan: Plan, rules: PlanPolicy, today: date, now: datetime) -> None:
    """How to catch up; where the next step is the end of the plan, the day of it."""
    rows = store.instalments(session, plan.id)
    late = missed(rows)
    last = late[-1]
    ends_on = None
    if len(late) >= rules.missed_before_default or _nothing_else(rows):
        ends_on = today + timedelta(days=max(rules.grace_days, LAST_DAYS))
    once = f"{last.number}:{last.missed_on}:{ends_on or ''}"
    key = tell(session, plan, "plan_behind", once, now, part=late[0],
               more={"missed": len(late), "amount_minor": sum(open_of(part) for part in late), "ends_on": ends_on})
    if ends_on is not None and key is not None:
        log(session, plan, "default_notice", now, instalment=last.number, reason=f"{ends_on.isoformat()} {once}")
    elif key is None:
        _unreached(session, plan, now)


def _unreached(session: Session, plan: Plan, now: datetime) -> None:
    call_staff(session, plan, "plan_notice", f"{plan.id}:behind",
               "it is behind and the patient could not be told; it does not end by itself. Call or write.", now)


def end_if_told(session: Session, plan: Plan, rules: PlanPolicy, today: date, now: datetime) -> bool:
    """A plan defaults when the day that its patient was told of has passed and as much is still missed. A pause since
    takes the warning back: the next missed instalment brings another. Whoever is paying now, or has paid on a page of
    which nothing was heard yet, is waited for.
    """
    steps = store.events(session, plan.id, ("default_notice", "cured", "paused"))
    if not steps or steps[-1].kind != "default_notice":
        return False
    ends_on, _, once = steps[-1].reason.partition(" ")
    rows = store.instalments(session, plan.id)
    too_many = len(missed(rows)) >= rules.missed_before_default or (missed(rows) and _nothing_else(rows))
    if today <= date.fromisoformat(ends_on) or not too_many or any(part.status == "charging" for part in rows):
        return False
    became = said(session, f"plan_behind:{plan.id}:{once}")
    if became.state != "left":
        if became.state == "lost":
            _unreached(session, plan, now)
        return False
    visit_ids = [visit_id for visit_id, _ in store.visits(session, plan.id)]
    if may_still_come(session, plan.guarantor_id, visit_ids, now) or not _may_be_paid(session, plan, today, now):
        return False
    _default(session, plan, now)
    return True


def _default(session: Session, plan: Plan, now: datetime) -> None:
    """Its visits are due again like any others; nothing more is charged."""
    revoke(session, plan, "system", "defaulted", now)
    enter(session, plan, DEFAULTED, now)
    tell(session, plan, "plan_defaulted", "", now)
    left = sum(open_of(part) for part in store.instalments(session, plan.id))
    call_staff(session, plan, "plan_defaulted", plan.id,
               f"{left} {plan.currency} cents were left. Its visits are due again.", now)
