"""Notices before instalments: given once, seen leaving, old enough before anything is charged (T-48).

``notice_id`` of an instalment says where its notice stands: "event:KEY" (in the conversation's lane), the outbox row of
the message that left, "lost:KEY" (never left: no charge, a person gives it), "authorization:ID" (the signing itself),
"staff:LOGIN" (given another way).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.plan_consents import copy_key
from billing.plan_money import askable, is_too_small, open_of
from billing.plan_news import call_staff, log, of_message, reaches, said, tell
from billing.store import plan_queries as store
from billing.store.tables import Authorization, Instalment, Plan
from config.payment_policy import SMALLEST_CHARGE_MINOR, PlanPolicy
from config.practice import PracticePolicy

#: A notice given after this practice-local hour may have to wait for the morning (T-08).
LATE_HOUR = 19

#: A charge later than this after the day that its notice named is told of anew (after downtime, or a hold).
STALE_AFTER = timedelta(days=7)


def give(session: Session, plan: Plan, rules: PlanPolicy, policy: PracticePolicy, now: datetime) -> bool:
    """Tell the patient of the next instalment that is near; tell whether anything was done.

    After days that were slept through a plan by link gets one notice of all that is due, and an autopay plan one
    notice at a time: the next when the one before has been charged for.
    """
    today = policy.local_day(now)
    near = [part for part in store.instalments(session, plan.id) if part.status == "planned" and open_of(part) > 0
            and part.due_on <= today + timedelta(days=rules.notice_days)
            and (plan.collects == "link" or not is_too_small(part))]
    if not near or (plan.collects == "autopay" and _one_waits(session, plan, near[0], today)):
        return False
    parts = near[:1] if plan.collects == "autopay" else near
    asked = min(sum(open_of(part) for part in parts), askable(session, plan, today))
    if asked < SMALLEST_CHARGE_MINOR:
        return False
    charge_on = _charge_on(parts[0], today, rules, policy, now)
    nth = sum(1 for event in store.events(session, plan.id, ("notice",)) if event.instalment == parts[0].number)
    kind = "plan_notice" if plan.collects == "autopay" else "plan_link_due"
    once = f"{parts[0].number}:{parts[0].due_on.isoformat()}:{nth}"
    key = tell(session, plan, kind, once, now, part=parts[0],
               more={"amount_minor": asked, "charge_on": charge_on, "instalments": [part.number for part in parts],
                     **({"due_on": charge_on} if plan.collects == "autopay" else {})})
    for part in parts:
        part.status, part.noticed_minor = "noticed", min(open_of(part), asked)
        part.retry_on = charge_on if plan.collects == "autopay" and charge_on > part.due_on else None
        part.notice_id, part.noticed_at = (f"event:{key}", now) if key else ("lost:none", None)
        log(session, plan, "notice", now, instalment=part.number, amount_minor=open_of(part), reason=kind)
    if key is None:
        _lost(session, plan, parts[0], now)
    return True


def _one_waits(session: Session, plan: Plan, coming: Instalment, today: date) -> bool:
    """Whether an instalment that is due was told of and has not been charged for yet. A debit takes a bank days: while
    one is under way, what comes on its own day is told of in time, and only what is overdue itself waits.
    """
    return any(part.due_on <= today and open_of(part) > 0 and not (part.notice_id or "").startswith("lost:")
               and ((part.status == "noticed" and not is_too_small(part))
                    or (part.status == "charging" and coming.due_on <= today))
               for part in store.instalments(session, plan.id))


def _charge_on(part: Instalment, today: date, rules: PlanPolicy, policy: PracticePolicy, now: datetime) -> date:
    late = now.astimezone(ZoneInfo(policy.zone)).hour >= LATE_HOUR
    return max(part.due_on, today + timedelta(days=rules.notice_days + late))


def confirm(session: Session, plan: Plan, rules: PlanPolicy, policy: PracticePolicy, now: datetime) -> bool:
    """Learn what became of notices that were on their way."""
    done = False
    for part in store.instalments(session, plan.id):
        if part.status != "noticed" or not (part.notice_id or "").startswith("event:"):
            continue
        became = said(session, (part.notice_id or "").removeprefix("event:"))
        if became.state == "left" and became.at is not None:
            part.notice_id, part.noticed_at, done = became.message_id, became.at, True
            ready_on = policy.local_day(became.at) + timedelta(days=rules.notice_days)
            if plan.collects == "autopay" and ready_on > max(part.due_on, part.retry_on or part.due_on):
                part.retry_on = ready_on
        elif became.state == "lost":
            part.notice_id, part.noticed_at, done = f"lost:{became.message_id or 'none'}", None, True
            _lost(session, plan, part, now)
    return done


def is_old_enough(session: Session, plan: Plan, part: Instalment, rules: PlanPolicy, policy: PracticePolicy,
                  now: datetime) -> bool:
    """Whether the notice left, still counts as arrived, and is ``notice_days`` practice-local days old."""
    notice = part.notice_id or ""
    if part.noticed_at is None or notice.startswith(("event:", "lost:")):
        return False
    if not has_left(session, plan.guarantor_id, part):
        part.notice_id, part.noticed_at = f"lost:{notice}", None
        _lost(session, plan, part, now)
        return False
    return (policy.local_day(now) - policy.local_day(part.noticed_at)).days >= rules.notice_days


def has_left(session: Session, guarantor_id: str, part: Instalment) -> bool:
    """Whether a notice counts: its message has left, to a number that nobody has called wrong since. The words of the
    agreement itself were read on signing, and staff answer for a letter or a call.
    """
    if part.noticed_at is None or part.notice_id is None:
        return False
    if part.notice_id.startswith(("authorization:", "staff:")):
        return True
    message = store.message(session, part.notice_id)
    return (message is not None and of_message(message).state == "left"
            and reaches(session, part.practice_id, message.address_hash, guarantor_id))


def is_stale(part: Instalment, today: date) -> bool:
    """Whether what the patient was told (a charge, another try) named a day that has long passed: they are told anew
    before anything is charged.
    """
    return today - (part.retry_on or part.due_on) > STALE_AFTER


def _lost(session: Session, plan: Plan, part: Instalment, now: datetime) -> None:
    call_staff(session, plan, "plan_notice", f"{plan.id}:{part.number}:{part.due_on.isoformat()}",
               f"the notice of instalment {part.number} ({open_of(part)} {plan.currency} cents, due "
               f"{part.due_on.isoformat()}) did not leave; nothing is charged without it. Give it by letter or call, "
               "then: plainbill plans notice", now)


def confirm_copy(session: Session, plan: Plan, given: Authorization, now: datetime) -> bool:
    """The outbox row of the copy of what was agreed to, once it has left (T-48); a lost one is a person's to mail."""
    became = said(session, copy_key(given))
    if became.state == "waits":
        return False
    given.copy_message_id = became.message_id or "none"
    if became.state == "lost":
        call_staff(session, plan, "plan_copy", given.id, "print the agreement and mail it", now)
    return True
