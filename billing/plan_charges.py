"""One charge of one instalment: how much may be taken now, asked of the gate, written down or left (T-51)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from billing import plan_put_off, saved_charges
from billing.allocation import in_order
from billing.plan_consents import stands
from billing.plan_money import open_of
from billing.plan_news import call_staff, log, tell
from billing.saved_charges import Asked
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Authorization, Instalment, Payment, Plan
from config.payment_policy import SMALLEST_CHARGE_MINOR, PlanPolicy

#: So many days in a row withheld: a person looks.
WITHHELD_DAYS = 3

Outcome = Literal["started", "withheld"]
_ASKED = ("charge_started", "charge_withheld")


class _Withheld(Exception):
    """Undoes what was written down for a charge that the gate does not allow."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.ruling.rule)
        self.asked = asked


def take_signing_as_notice(session: Session, plan: Plan, now: datetime) -> None:
    """Whoever signs has just seen the days and amounts: that is the notice of the instalments whose own would be late
    already, and their charges wait until it is old enough. A deposit that is due today is charged while they are there.
    """
    if plan.collects != "autopay":
        return
    policy = policy_in(session, plan.practice_id)
    today, rules = policy.local_day(now), policy.plans or PlanPolicy()
    ready_on = today + timedelta(days=rules.notice_days)
    for part in store.instalments(session, plan.id):
        if part.due_on >= ready_on or open_of(part) == 0:
            continue
        part.status, part.notice_id, part.noticed_at = "noticed", f"authorization:{plan.authorization_id}", now
        part.noticed_minor, part.retry_on = open_of(part), ready_on
        if part.number == 0 and part.due_on <= today:
            charge(session, plan, part, today, now, way="saved")


def charge(session: Session, plan: Plan, part: Instalment, today: date, now: datetime, *,
           way: str = "autopay") -> Outcome:
    """Write a charge of what is open of the instalment down, as far as it is due now and was agreed to.

    Never above the live balance, never above the consent; the gate is asked here and again just before the call.
    ``way`` "saved": the patient is there (the deposit, at signing).
    """
    given = stands(session, plan)
    due = plan_put_off.due_of(session, plan, today)
    amount = min(open_of(part), sum(minor for _, minor in due), given.most_minor if given else 0,
                 open_of(part) if part.noticed_minor is None or way == "saved" else part.noticed_minor)
    if given is None or given.method_id is None:
        return _put_off(session, plan, part, "T-48", "no authorization stands", today, now)
    method = store.method(session, given.method_id)
    if method is None or method.status != "active":
        return _put_off(session, plan, part, "T-50", "the card on file cannot be used any more", today, now)
    if not due:
        return _put_off(session, plan, part, "not-due", "nothing of it may be asked for now", today, now)
    if amount < SMALLEST_CHARGE_MINOR:
        return _put_off(session, plan, part, "too-small", "less of it may be asked for than a processor takes", today,
                        now)
    try:
        with session.begin_nested():
            payment = _start(session, plan, part, given, amount, in_order(amount, due), way, today, now)
            asked = saved_charges.ask(session, payment, "queueing", now)
            if not asked.ruling.sends:
                raise _Withheld(asked)
            saved_charges.keep(session, asked, plan.practice_id, payment_id=payment.id)
    except _Withheld as error:
        ruling = error.asked.ruling
        saved_charges.keep(session, error.asked, plan.practice_id, plan_id=plan.id, instalment=part.number)
        if ruling.rule == "T-49":
            _leave_to_patient(session, plan, part, amount, method.last4, now)
        return _withhold(session, plan, part, ruling.rule, ruling.reason, now)
    return "started"


def _start(session: Session, plan: Plan, part: Instalment, given: Authorization, amount: int,
           split: tuple[tuple[str, int], ...], way: str, today: date, now: datetime) -> Payment:
    part.status = "charging"
    payment = saved_charges.start(
        session, practice_id=plan.practice_id, guarantor_id=plan.guarantor_id, method_id=given.method_id or "",
        amount_minor=amount, split=split, currency=plan.currency, way=way,
        idempotency_key=f"plan:{plan.id}:{part.number}:{today.isoformat()}", now=now,
        conversation_id=plan.conversation_id, language=plan.language, plan_id=plan.id, instalment=part.number,
        consent_message_id=given.message_id)
    log(session, plan, "charge_started", now, instalment=part.number, amount_minor=amount, payment_id=payment.id)
    return payment


def _leave_to_patient(session: Session, plan: Plan, part: Instalment, amount_minor: int, last4: str,
                      now: datetime) -> None:
    """No debit of this instalment may be presented again (too often, or another amount is owed now): it waits for the
    patient, who hears how to pay it, and what comes after it goes on.
    """
    part.status, part.tries, part.retry_on = "retrying", max(part.tries, 1), None
    tell(session, plan, "plan_charge_failed", f"{part.number}:not_again:{now.isoformat()}", now, part=part,
         more={"reason": "soft", "retry_on": None, "charged_minor": amount_minor, "last4": last4})


def _put_off(session: Session, plan: Plan, part: Instalment, rule: str, why: str, today: date,
             now: datetime) -> Outcome:
    """It does not come to the gate; the receipt says why, as the gate's would."""
    plan_put_off.keep(session, plan, part, rule, why, today, now)
    return _withhold(session, plan, part, rule, why, now)


def _withhold(session: Session, plan: Plan, part: Instalment, rule: str, why: str, now: datetime) -> Outcome:
    """It stays as it is and is asked about again tomorrow."""
    log(session, plan, "charge_withheld", now, instalment=part.number, amount_minor=open_of(part),
        reason=f"{rule}: {why}")
    last = [event.kind for event in store.events(session, plan.id, _ASKED)
            if event.instalment == part.number][-WITHHELD_DAYS:]
    if last == ["charge_withheld"] * WITHHELD_DAYS:
        call_staff(session, plan, "plan_withheld", f"{plan.id}:{part.number}",
                   f"instalment {part.number} was withheld {WITHHELD_DAYS} days in a row, the last time by {rule}", now)
    return "withheld"
