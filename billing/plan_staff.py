"""What staff do with plans: approve exceptions, pause, resume, cancel, give a notice on paper. Always by name, why."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import audit, opening_plans, second_person, staff
from billing.plan_consents import PlanRefused, revoke
from billing.plan_news import enter, log, tell
from billing.plan_pauses import begin_pause, end_pause
from billing.plan_status import AWAITING_AUTHORIZATION, CANCELLED, ENDED, OFFERED, PAUSED, RUNNING
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Plan
from config.payment_policy import PlanPolicy

#: The right that tells each role of policy plans.approves_exceptions from the ones below it (billing/staff.py).
_RIGHT = {"biller": "cases", "supervisor": "approve", "manager": "policy"}


def _locked(session: Session, practice_id: str, plan_id: str, by: str, right: str, reason: str) -> Plan:
    """Raises LookupError, staff.StaffRefused, PlanRefused without a reason."""
    found = store.find(session, practice_id, plan_id)
    plan = store.lock(session, found.id) if found is not None else None
    if plan is None:
        raise LookupError("there is no such plan")
    staff.require(session, practice_id, by, right)
    if not reason.strip():
        raise PlanRefused("no_change", "say why: it is kept beside the plan")
    return plan


def _audit(session: Session, plan: Plan, by: str, action: str, now: datetime) -> None:
    audit.record(session, plan.practice_id, by, action, "plan", plan.id, plan.status, now)


def approve(session: Session, practice_id: str, plan_id: str, *, by: str, reason: str, now: datetime) -> Plan:
    """Let a plan outside the policy be agreed to: by another person than who offered it, with the policy's role; a
    night stands for them where there is nobody else (billing/second_person.py).

    Raises LookupError, staff.StaffRefused, PlanRefused.
    """
    policy = policy_in(session, practice_id)
    role = (policy.plans or PlanPolicy()).approves_exceptions
    plan = _locked(session, practice_id, plan_id, by, _RIGHT[role], reason)
    if plan.status != OFFERED:
        raise PlanRefused("stale_plan", f"plan {plan.number} is {plan.status}; only an exception waits for approval")
    if role == "biller":
        staff.require_other(by, plan.offered_by)
    else:
        second_person.require(session, practice_id, by=by, asked_by=plan.offered_by, asked_at=plan.offered_at,
                              role=role, policy=policy, now=now)
    plan.approved_by, plan.approved_at = by, now
    enter(session, plan, AWAITING_AUTHORIZATION, now, by=by, reason=reason)
    _audit(session, plan, by, "plan_approved", now)
    return plan


def cancel(session: Session, practice_id: str, plan_id: str, *, by: str, reason: str, now: datetime) -> Plan:
    """End a plan: what is left of its visits is due as without it. Raises LookupError, StaffRefused, PlanRefused."""
    plan = _locked(session, practice_id, plan_id, by, "cases", reason)
    if plan.status in ENDED:
        raise PlanRefused("stale_plan", f"plan {plan.number} is {plan.status}")
    ran = plan.status in RUNNING
    end(session, plan, by, reason, now)
    if ran:
        tell(session, plan, "plan_changed", f"{plan.version}", now, more={"change": "cancel"})
    _audit(session, plan, by, "plan_cancelled", now)
    return plan


def end(session: Session, plan: Plan, by: str, reason: str, now: datetime) -> None:
    """Cancel, whoever asked."""
    revoke(session, plan, by, reason, now)
    plan.ended_at, plan.end_reason, plan.paused_until_on, plan.pause_reason = now, "cancelled", None, None
    enter(session, plan, CANCELLED, now, by=by, reason=reason)


def pause(session: Session, practice_id: str, plan_id: str, *, by: str, reason: str, now: datetime,
          until_on: date | None = None) -> Plan:
    """Ask for nothing until ``until_on`` (practice-local), or until it is resumed.

    Raises LookupError, staff.StaffRefused, PlanRefused.
    """
    plan = _locked(session, practice_id, plan_id, by, "cases", reason)
    if plan.status not in RUNNING or plan.status == PAUSED:
        raise PlanRefused("stale_plan", f"plan {plan.number} is {plan.status}")
    begin_pause(session, plan, "staff", until_on, by, reason, now)
    tell(session, plan, "plan_paused", f"{plan.version}", now, more={"reason": "staff", "until_on": until_on})
    _audit(session, plan, by, "plan_paused", now)
    return plan


def resume(session: Session, practice_id: str, plan_id: str, *, by: str, reason: str, now: datetime) -> Plan:
    """Go on with a paused plan; what came due meanwhile is asked for from the next due day on.

    Raises LookupError, staff.StaffRefused, PlanRefused.
    """
    plan = _locked(session, practice_id, plan_id, by, "cases", reason)
    if plan.status != PAUSED:
        raise PlanRefused("stale_plan", f"plan {plan.number} is {plan.status}, not paused")
    if opening_plans.lacks_consent(plan):
        raise PlanRefused("hold", f"plan {plan.number} was taken over from another system, and the patient has agreed "
                                  "to nothing here; a plan that they agree to takes its place, or cancel it and offer "
                                  "one")
    end_pause(session, plan, by, reason, now)
    tell(session, plan, "plan_changed", f"{plan.version}", now, more={"change": "resume"})
    _audit(session, plan, by, "plan_resumed", now)
    return plan


def record_notice(session: Session, practice_id: str, plan_id: str, number: int, *, by: str, how: str,
                  now: datetime) -> Plan:
    """Staff gave the notice of an instalment another way (a letter, a call): where texts were stopped, this is what
    lets its charge go on (T-48). Raises LookupError, staff.StaffRefused, PlanRefused.
    """
    plan = _locked(session, practice_id, plan_id, by, "cases", how)
    part = next((one for one in store.instalments(session, plan.id) if one.number == number), None)
    if (plan.status not in RUNNING or part is None or part.amount_minor <= part.paid_minor
            or part.status == "charging"):
        raise PlanRefused("no_change", f"there is nothing to give notice of for instalment {number}")
    part.status = "retrying" if part.tries else "noticed"
    if part.tries and part.retry_on is None:
        policy = policy_in(session, practice_id)
        ahead = timedelta(days=(policy.plans or PlanPolicy()).notice_days)
        part.retry_on = max(part.due_on, policy.local_day(now) + ahead)
    part.notice_id, part.noticed_at = f"staff:{by}", now
    part.noticed_minor = part.amount_minor - part.paid_minor
    log(session, plan, "notice", now, by=by, reason=how, instalment=number, amount_minor=part.noticed_minor)
    _audit(session, plan, by, "plan_notice", now)
    return plan
