"""A plan that somebody of the practice offers a patient: what the policy allows for what is asked, the plan as it was
asked for where another person may approve it, and the plan that is made of either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import plan_offers, plan_schedule, plans, talks
from billing.dues import due_of
from billing.figures import AccountFigures, account_figures
from billing.plan_offers import Answer, Ask, Offer
from billing.plan_status import RUNNING
from billing.plan_terms import PlanTerms
from billing.store import plan_queries
from billing.store.tables import Guarantor, Plan
from config.payment_policy import PlanPolicy

Shares = Sequence[tuple[str, int]]

#: Why an ask is outside the policy, in words for staff.
WHYS: Mapping[str, str] = {
    "nothing_due": "nothing is due that a plan could pay", "below_minimum_balance": "the balance is below the minimum",
    "above_maximum_balance": "the balance is above the maximum", "interval_not_offered": "that rhythm is not offered",
    "instalment_too_small": "each payment would be too small", "too_long": "it would take too long",
    "does_not_add_up": "the number of payments and the amount do not come to the balance",
    "first_too_soon": "the first payment would be too soon", "first_too_late": "the first payment would be too late",
    "autopay_not_offered": "automatic payments are not offered", "balance_moved": "the balance has changed",
    "not_a_schedule": "the days and amounts are no schedule", "deposit_missing": "the deposit is missing",
}


class NotOffered(ValueError):
    """A plan that cannot be offered so, not even as an exception. The text says why; no PHI."""


def due_shares(session: Session, account_id: str, today: date, only: Collection[str] = ()) -> list[tuple[str, int]]:
    """(visit id, cents) of what is due now, oldest visit first, of the visits ``only`` where it names any. Confidential
    care is left out: a person settles that one.
    """
    return shares_in(account_figures(session, account_id, today), only)


def shares_in(account: AccountFigures, only: Collection[str] = ()) -> list[tuple[str, int]]:
    """As ``due_shares``, of an account that was read just now."""
    hidden = {visit.visit_id for visit in account.visits if visit.confidential}
    return [(visit_id, minor) for visit_id, minor in due_of(account)
            if visit_id not in hidden and (not only or visit_id in only)]


def running_plan(session: Session, practice_id: str, account_id: str, ref: str) -> Plan | None:
    """The running plan of this account with that number or id, whose place another one may take."""
    plan = plan_queries.find(session, practice_id, ref)
    return plan if plan is not None and plan.guarantor_id == account_id and plan.status in RUNNING else None


def shares_of(session: Session, older: Plan, today: date) -> list[tuple[str, int]]:
    """What the visits of a plan owe that may be asked for, in the plan's own order."""
    figures = {v.visit_id: v.figures for v in account_figures(session, older.guarantor_id, today).visits}
    owed = [(visit_id, figures[visit_id].due_now_minor + figures[visit_id].on_plan_minor)
            for visit_id, _ in plan_queries.visits(session, older.id) if visit_id in figures]
    return [(visit_id, minor) for visit_id, minor in owed if minor > 0]


def answer(shares: Shares, policy: PlanPolicy, today: date, ask: Ask) -> Answer:
    """What the policy says to an ask about these shares."""
    return plan_offers.make(sum(minor for _, minor in shares), shares, policy, today, ask)


def exception(shares: Shares, policy: PlanPolicy, today: date, ask: Ask) -> Offer:
    """The plan as it was asked for, by the widest limits that a policy can have. Raises NotOffered."""
    wide = policy.model_copy(update={
        "minimum_balance_minor": 1, "maximum_balance_minor": 10**9, "minimum_instalment_minor": 1_00,
        "maximum_months": 60, "maximum_instalments": 260, "intervals": tuple(plan_schedule.PER_YEAR),
        "first_within_days": 62})
    found = answer(shares, wide, today, ask)
    if not found.fits:
        found = answer(shares, wide, today, replace(ask, interval=ask.interval or "month"))
    if not found.fits:
        raise NotOffered(f"not even as an exception: {WHYS.get(found.why, found.why)}")
    return found.offers[0]


def offer(session: Session, account: Guarantor, terms: PlanTerms, policy: PlanPolicy, *, by: str, key: str,
          now: datetime, reason: str = "") -> Plan:
    """Make the plan, ready to be agreed to behind its link. ``reason``: why it is outside the policy; another person
    approves it then. The same ``key`` again returns the first plan. Raises NotOffered.
    """
    talk = talks.latest_talk(session, account.practice_id, account.id, now)
    try:
        return plans.offer(
            session, practice_id=account.practice_id, guarantor_id=account.id, terms=terms, policy=policy,
            balance_version=account.balance_version, language=account.language, offered_by=by, key=key,
            conversation_id=talk, now=now, exception_reason=reason or None)
    except plans.PlanRefused as refused:
        why = WHYS.get(refused.why, refused.why) or REASONS.get(refused.reason, refused.reason.replace("_", " "))
        raise NotOffered(f"the plan was not offered: {why}") from refused


REASONS: Mapping[str, str] = {
    "not_confirmed": "nobody has confirmed who answers for the account", "on_plan": "a visit is on a running plan",
    "hold": "a hold stands on a visit, or a rule lets nothing be taken for it",
    "stale_balance": "the balance has changed", "card_gone": "the card is not on file any more"}
