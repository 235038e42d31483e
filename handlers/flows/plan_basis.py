"""What a new plan would be about: what is due now, and with a plan running what is left of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from billing.views import AccountView, PlanView
from config.payment_policy import PlanPolicy
from handlers.accounts import open_minor, payable_visits, plan_visits, running_plan


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan would be about: (visit id, cents) and the running plan that it would take the place of."""

    policy: PlanPolicy
    visits: tuple[tuple[str, int], ...]
    replaces: PlanView | None
    adds: bool

    @property
    def total_minor(self) -> int:
        return sum(minor for _, minor in self.visits)


def basis(account: AccountView, policy: PlanPolicy, adds: bool) -> Basis:
    """What is due now and on no plan. With a plan running, what is left of that, which the new one would replace; what
    is new only joins it where the patient asks for that (``adds``) and the policy allows it.
    """
    new = tuple((visit.visit_id, visit.figures.due_now_minor) for visit in payable_visits(account))
    running = running_plan(account)
    if running is None:
        return Basis(policy, new, None, adds)
    old = tuple((visit.visit_id, open_minor(visit)) for visit in plan_visits(account, running))
    return Basis(policy, old + (new if adds and policy.new_balances_may_join else ()), running, adds)
