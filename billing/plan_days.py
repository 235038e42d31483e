"""What each day asks of running plans: a notice, a charge or why there is none, another try, a missed instalment, an
end.

Every step is a question about what is on file, asked again each day (never a chain of timers), and answers itself
"done" the second time: a day that was slept through does not send its notices twice, nor make two charges of a plan on
one day. Days are the practice's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import plan_missed, plan_notices, plan_put_off, plan_schedule
from billing.lives import IllegalMove
from billing.plan_changes import stop_if_opted_out
from billing.plan_charges import charge
from billing.plan_consents import forget_notice, to_link
from billing.plan_money import is_too_small, open_of, settle_to_balance
from billing.plan_news import call_staff, enter, tell
from billing.plan_pauses import end_pause
from billing.plan_status import BEHIND, CANCELLED, COLLECTING, ENDED, PAUSED, PROPOSED, RUNNING
from billing.policy.plans import may_charge_plans
from billing.store import plan_queries as store
from billing.store.plan_balance_queries import above_their_visits
from billing.store.practices import policy_in
from billing.store.tables import Instalment, Plan
from config.payment_policy import PlanPolicy
from config.practice import PracticePolicy

#: Candidates of one step in one call: many, as those that turn out to need nothing must not stand before the others.
AT_ONCE = 10_000

#: A plan that contradicts itself goes to a person; the others have their day all the same.
_STUCK = (IllegalMove, LookupError, ValueError)


@dataclass(frozen=True, slots=True)
class Day:
    """A practice's day, and the moment in it."""

    practice_id: str
    policy: PracticePolicy
    rules: PlanPolicy
    today: date
    now: datetime

    @property
    def began_at(self) -> datetime:
        return datetime.combine(self.today, time(), ZoneInfo(self.policy.zone))

    @property
    def charges(self) -> bool:
        """Whether the hour of the day has come from which charges are made."""
        return self.now >= plan_schedule.charge_moment(self.today, self.policy.zone, self.rules.charge_at_hour)

    @property
    def notices_until_on(self) -> date:
        return self.today + timedelta(days=self.rules.notice_days)

    @property
    def grace_before_on(self) -> date:
        """What was due before this day is past its grace."""
        return self.today - timedelta(days=self.rules.grace_days)

    @property
    def grace_began_at(self) -> datetime:
        """What was told of before this moment has had its grace."""
        return self.now - timedelta(days=self.rules.grace_days)


def day_of(session: Session, practice_id: str, now: datetime) -> Day:
    """Raises LookupError."""
    policy = policy_in(session, practice_id)
    return Day(practice_id, policy, policy.plans or PlanPolicy(), policy.local_day(now), now)


@dataclass(frozen=True, slots=True)
class Step:
    """``find`` names plans that may need it, ``act`` does it for one that is locked and in ``statuses``, and tells
    whether anything was done.
    """

    find: Callable[[Session, Day], Sequence[str]]
    statuses: Collection[str]
    act: Callable[[Session, Plan, Day], bool]


def work_due(session: Session, practice_id: str, now: datetime, limit: int) -> int:
    """Do what this moment asks of the practice's plans, up to ``limit`` steps; return how many were done.

    A step is one thing for one plan. Raises LookupError for an unknown practice.
    """
    day, done = day_of(session, practice_id, now), 0
    for step in STEPS:
        for plan_id in step.find(session, day):
            done += _do(session, step, plan_id, day)
            if done >= limit:
                return done
    return done


def _do(session: Session, step: Step, plan_id: str, day: Day) -> bool:
    try:
        with session.begin_nested():
            plan = store.lock(session, plan_id)
            return plan is not None and plan.status in step.statuses and step.act(session, plan, day)
    except _STUCK as error:
        plan = store.lock(session, plan_id)
        if plan is not None:
            call_staff(session, plan, "plan_stuck", f"{plan.id}:{step.act.__name__}",
                       f"{step.act.__name__.strip('_')} failed: {type(error).__name__}", day.now)
        return False


def _offer_over(session: Session, plan: Plan, day: Day) -> bool:
    plan.ended_at, plan.end_reason = day.now, "offer_over"
    enter(session, plan, CANCELLED, day.now, reason="offer_over")
    return True


def _resume(session: Session, plan: Plan, day: Day) -> bool:
    end_pause(session, plan, "system", "paused_until", day.now)
    if plan.status in RUNNING:
        tell(session, plan, "plan_changed", f"{plan.version}", day.now, more={"change": "resume"},
             part=_next(session, plan))
    return True


def _settle(session: Session, plan: Plan, day: Day) -> bool:
    """An insurer, a person or a credit took something off the visits: the plan asks for no more than they owe."""
    before = plan.version
    settle_to_balance(session, plan, day.now)
    return plan.version != before


def _next(session: Session, plan: Plan) -> Instalment | None:
    return next((part for part in store.instalments(session, plan.id) if open_of(part) > 0), None)


def _to_link(session: Session, plan: Plan, day: Day) -> bool:
    """The practice charges no plans any more: this one goes on by link, and its patient hears of it."""
    to_link(session, plan, "system", "the practice has switched charges for plans off", "autopay_ended", day.now)
    tell(session, plan, "plan_changed", f"{plan.version}", day.now, more={"change": "autopay_ended"})
    return True


def _confirm(session: Session, plan: Plan, day: Day) -> bool:
    return plan_notices.confirm(session, plan, day.rules, day.policy, day.now)


def _notice(session: Session, plan: Plan, day: Day) -> bool:
    settle_to_balance(session, plan, day.now)
    return plan.status not in COLLECTING or plan_notices.give(session, plan, day.rules, day.policy, day.now)


def _charge(session: Session, plan: Plan, day: Day) -> bool:
    """One charge of a plan on one day, the oldest instalment that is ready."""
    settle_to_balance(session, plan, day.now)
    if plan.status not in COLLECTING or stop_if_opted_out(session, plan, day.now):
        return True
    for part in store.instalments(session, plan.id):
        ready = (open_of(part) > 0 and not is_too_small(part) and part.due_on <= day.today
                 and (part.status == "noticed" or (part.status == "retrying" and part.retry_on is not None))
                 and (part.retry_on is None or part.retry_on <= day.today))
        if ready and plan_notices.is_stale(part, day.today):
            forget_notice(part)
            return True
        if ready and plan_notices.is_old_enough(session, plan, part, day.rules, day.policy, day.now):
            charge(session, plan, part, day.today, day.now)
            return True
    return False


def _miss(session: Session, plan: Plan, day: Day) -> bool:
    settle_to_balance(session, plan, day.now)
    return plan.status not in COLLECTING or plan_missed.miss(session, plan, day.rules, day.today, day.grace_began_at,
                                                             day.now)


def _default(session: Session, plan: Plan, day: Day) -> bool:
    about = (session, plan, day.rules, day.today, day.now)
    return plan_missed.warn(*about) or plan_missed.end_if_told(*about)


def _copy(session: Session, plan: Plan, day: Day) -> bool:
    waiting = [given for given in store.authorizations(session, plan.id) if given.copy_message_id is None]
    return sum(plan_notices.confirm_copy(session, plan, given, day.now) for given in waiting) > 0


def _to_charge(session: Session, day: Day) -> Sequence[str]:
    if not day.charges:
        return ()
    return store.to_charge(session, day.practice_id, COLLECTING, day.today, day.began_at, AT_ONCE)


def _put_off(session: Session, plan: Plan, day: Day) -> bool:
    return plan_put_off.note_all(session, plan, day.rules, day.policy, day.began_at, day.now)


def _unasked(session: Session, day: Day) -> Sequence[str]:
    if not day.charges:
        return ()
    return store.unasked(session, day.practice_id, COLLECTING, plan_put_off.WAITING, day.today, day.began_at, AT_ONCE)


STEPS: tuple[Step, ...] = (
    Step(lambda session, day: store.offers_over(session, day.practice_id, day.now, AT_ONCE), PROPOSED, _offer_over),
    Step(lambda session, day: above_their_visits(session, day.practice_id, RUNNING), RUNNING, _settle),
    Step(lambda session, day: store.to_resume(session, day.practice_id, day.today, AT_ONCE), {PAUSED}, _resume),
    Step(lambda session, day: () if may_charge_plans(day.policy) else store.charged(
        session, day.practice_id, RUNNING, AT_ONCE), RUNNING, _to_link),
    Step(lambda session, day: store.to_confirm(session, day.practice_id, COLLECTING, AT_ONCE), COLLECTING, _confirm),
    Step(lambda session, day: store.to_notice(session, day.practice_id, COLLECTING, day.notices_until_on, AT_ONCE),
         COLLECTING, _notice),
    Step(_to_charge, COLLECTING, _charge),
    Step(_unasked, COLLECTING, _put_off),
    Step(lambda session, day: store.to_miss(session, day.practice_id, COLLECTING, day.grace_before_on,
                                            day.grace_began_at, AT_ONCE), COLLECTING, _miss),
    Step(lambda session, day: store.behind(session, day.practice_id, AT_ONCE), {BEHIND}, _default),
    Step(lambda session, day: store.to_copy(session, day.practice_id, AT_ONCE), RUNNING | ENDED, _copy),
)
