"""Pausing a plan and going on: while it is paused nothing is asked for, and afterwards nothing is asked for at once."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import plan_schedule
from billing.plan_consents import forget_notice
from billing.plan_money import missed, open_of, settle_to_balance
from billing.plan_news import enter
from billing.plan_status import ACTIVE, BEHIND, CURED, PAUSED
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Instalment, Plan


def begin_pause(session: Session, plan: Plan, why: str, until_on: date | None, by: str, reason: str,
                now: datetime) -> None:
    """``why``: patient, staff, opt_out; ``until_on`` empty: until somebody resumes it."""
    plan.paused_at, plan.paused_until_on, plan.pause_reason = now, until_on, why
    enter(session, plan, PAUSED, now, by=by, reason=reason)


def end_pause(session: Session, plan: Plan, by: str, reason: str, now: datetime) -> None:
    """Go on as the facts say. What came due during the pause is due from the next of the plan's days on, and the rest
    follows: nobody owes three instalments on the day after a pause.
    """
    rows = store.instalments(session, plan.id)
    today = policy_in(session, plan.practice_id).local_day(now)
    since = policy_in(session, plan.practice_id).local_day(plan.paused_at or now)
    _shift(plan, rows, since, today)
    plan.paused_at = plan.paused_until_on = plan.pause_reason = None
    late = bool(missed(rows))
    was = {event.kind for event in store.events(session, plan.id, (BEHIND,))}
    enter(session, plan, BEHIND if late else CURED if was else ACTIVE, now, by=by, reason=reason)
    if not late:
        plan.behind_since_on = None
    settle_to_balance(session, plan, now)


def _shift(plan: Plan, rows: list[Instalment], since: date, today: date) -> None:
    waiting = [part for part in rows if open_of(part) > 0 and part.due_on >= since and part.status != "charging"
               and part.missed_on is None]
    if not waiting or waiting[0].due_on > today:
        return
    anchor = waiting[0].due_on
    while anchor <= today:
        anchor = plan_schedule.following(anchor, plan.interval, plan.days)
    days = plan_schedule.dates(anchor, plan.interval, plan.days, len(waiting))
    for part, due_on in zip(waiting, days, strict=True):
        part.due_on = due_on
        if part.status in ("noticed", "retrying"):
            part.tries = 0
            forget_notice(part)
