"""A charge for a plan that brought no money: whether it is tried again, and what the patient hears (T-49, T-50)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing.plan_consents import forget_notice, to_link
from billing.plan_money import resting
from billing.plan_news import changed, tell
from billing.plan_status import COLLECTING, RUNNING
from billing.policy import retries
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Instalment, Payment, Plan
from config.payment_policy import PlanPolicy

#: The patient's bank wanted to ask them, and they did not answer.
_UNANSWERED = frozenset({"not_confirmed", "expired"})

#: No bank has said no: the charge was not made at all.
_NOT_ASKED = ("withheld:", "not_made", "superseded", "cancelled")


def note_failed(session: Session, payment: Payment, now: datetime) -> None:
    """A payment for a plan ended without money; ``payment.failure`` holds the processor's code. Twice does nothing."""
    if payment.plan_id is None or payment.instalment is None or payment.method_id is None:
        return
    plan = store.lock(session, payment.plan_id)
    rows = store.instalments(session, plan.id) if plan is not None else []
    part = next((one for one in rows if one.number == payment.instalment), None)
    if plan is None or part is None or part.status != "charging":
        return
    code = payment.failure or ""
    if code.startswith(_NOT_ASKED):
        part.status = resting(part)
        if part.status == "noticed" and plan.collects == "link":
            forget_notice(part)
        changed(session, plan, "charge_not_made", now, instalment=part.number, payment_id=payment.id, reason=code)
        return
    _declined(session, plan, part, payment, code, now)


def _declined(session: Session, plan: Plan, part: Instalment, payment: Payment, code: str, now: datetime) -> None:
    policy = policy_in(session, plan.practice_id)
    method = store.method(session, payment.method_id)
    about = method.kind if method else "card"
    kind = "patient" if code in _UNANSWERED else retries.kind_of(code, about)
    today = policy.local_day(now)
    part.tries += 1
    if plan.collects == "autopay" and plan.method_id != payment.method_id:
        # Another card was given while this one was being asked: whatever its bank says, the new one is next.
        part.tries, part.retry_on, kind = 0, today + timedelta(days=1), "soft"
    elif kind == "patient" or plan.collects == "link":
        part.retry_on = None
    else:
        part.retry_on = retries.next_try_on(
            policy.plans or PlanPolicy(), part.due_on, today, part.tries, code, about)
    part.status = resting(part)
    changed(session, plan, "charge_failed", now, instalment=part.number, amount_minor=payment.amount_minor,
            payment_id=payment.id, reason=f"{kind}:{code}")
    if plan.status not in RUNNING:
        return
    last4 = method.last4 if method else ""
    if kind in ("hard", "revoked") and plan.collects == "autopay" and plan.method_id == payment.method_id:
        to_link(session, plan, "system", code, "card_refused", now)
    tell(session, plan, "plan_charge_failed", payment.id, now, part=part,
         more={"reason": kind, "retry_on": part.retry_on if plan.status in COLLECTING else None,
               "charged_minor": payment.amount_minor, "last4": last4, "payment_id": payment.id})
