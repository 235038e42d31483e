"""Charges of a plan that fell due and about which the gate was not asked: why not, written down once a day.

The receipt holds the facts that the rules would have known, so that ``plainbill why PLAN`` tells every day on which
something was due and nothing was taken (T-48 to T-51).
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import gate, plan_notices, saved_charges
from billing.allocation import in_order
from billing.figures import account_figures
from billing.plan_consents import stands
from billing.plan_money import askable, is_too_small, open_of
from billing.policy.core import Ruling, charge_objections
from billing.saved_charges import Asked
from billing.store import plan_queries as store
from billing.store.tables import Instalment, Payment, Plan
from config.payment_policy import SMALLEST_CHARGE_MINOR, PlanPolicy
from config.practice import PracticePolicy

#: The states of an instalment whose charge may still come.
WAITING = ("planned", "noticed", "charging", "retrying")


def due_of(session: Session, plan: Plan, today: date) -> list[tuple[str, int]]:
    """(visit id, cents due now) of the plan's visits, oldest service first: neither pending nor held."""
    account = account_figures(session, plan.guarantor_id, today)
    found = {v.visit_id: v.figures.due_now_minor for v in account.visits}
    return [(v, found[v]) for v, _ in store.visits(session, plan.id) if found.get(v, 0) > 0]


def note_all(session: Session, plan: Plan, rules: PlanPolicy, policy: PracticePolicy, began_at: datetime,
             now: datetime) -> bool:
    """Write down why each instalment that is due has not been charged for today; tell whether there was one.
    ``began_at``: when the day began.
    """
    today, rows = policy.local_day(now), store.instalments(session, plan.id)
    asked = store.asked_since(session, plan.id, began_at)
    silent = [part for part in rows if open_of(part) > 0 and part.due_on <= today and part.number not in asked
              and part.status in WAITING and (part.status != "retrying" or part.retry_on is not None)]
    for part in silent:
        rule, why = _reason(session, plan, part, rows, rules, today)
        keep(session, plan, part, rule, why, today, now)
    return bool(silent)


def keep(session: Session, plan: Plan, part: Instalment, rule: str, why: str, today: date, now: datetime) -> None:
    """The receipt of one instalment's charge that was put off by ``rule``, beside what the rules themselves say."""
    facts = gate.gather_charge(session, plan.guarantor_id, saved_charges.charge_facts(
        session, _as_if(session, plan, part, today, now), now), "queueing", now)
    objections = charge_objections(facts)
    if rule not in {one.rule for one in objections}:
        objections = (Ruling("withhold", rule, why), *objections)
    saved_charges.keep(session, Asked(facts, objections), plan.practice_id, plan_id=plan.id, instalment=part.number)


def _as_if(session: Session, plan: Plan, part: Instalment, today: date, now: datetime) -> Payment:
    """The payment that would have been made; it is never written down."""
    given, due = stands(session, plan), due_of(session, plan, today)
    amount = min(open_of(part), sum(minor for _, minor in due))
    return Payment(
        id="", practice_id=plan.practice_id, guarantor_id=plan.guarantor_id, amount_minor=amount, way="autopay",
        method_id=given.method_id if given is not None else None, plan_id=plan.id, instalment=part.number, early=False,
        instruction=[list(one) for one in in_order(amount, due)], created_at=now)


def _reason(session: Session, plan: Plan, part: Instalment, rows: list[Instalment], rules: PlanPolicy,
            today: date) -> tuple[str, str]:
    """(code, words) of what came before the gate."""
    if is_too_small(part):
        return "too-small", "what is open of it is less than a processor takes"
    if part.status == "charging":
        return "under-way", "a try of it is under way"
    if any(one.status == "charging" for one in rows):
        return "under-way", "a charge of the same plan is under way"
    if part.status == "retrying" and part.retry_on is not None and part.retry_on > today:
        return "try-later", f"it is tried again on {part.retry_on.isoformat()}"
    return _of_notice(session, plan, part, rules, today)


def _of_notice(session: Session, plan: Plan, part: Instalment, rules: PlanPolicy, today: date) -> tuple[str, str]:
    notice = part.notice_id or ""
    if part.status == "planned":
        if askable(session, plan, today) < SMALLEST_CHARGE_MINOR:
            return "not-due", "nothing of it may be asked for now"
        return "notice-waits", "its patient has not been told of it yet"
    if notice.startswith("lost:"):
        return "notice-waits", "its notice did not leave; staff give it another way"
    if notice.startswith("event:") or part.noticed_at is None:
        return "notice-waits", "its notice has not left yet"
    if part.retry_on is not None and part.retry_on > today:
        return "notice-waits", f"its notice is old enough on {part.retry_on.isoformat()}"
    if not plan_notices.has_left(session, plan.guarantor_id, part):
        return "notice-waits", "its notice counts no more: nobody of this account reads that number"
    return "one-a-day", f"one charge of a plan a day, and each after a notice that is {rules.notice_days} days old"
