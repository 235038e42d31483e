"""Plans that are behind, paused or running, and those that wait for a yes here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import plan_consents, plans
from billing.store import console_list_queries as store
from billing.store.tables import Plan
from bot.web.console import bulk, looked
from bot.web.console.fields import Day, Id, Maybe, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, View, of_practice, there

PAGE = 50


class PlanQuery(Form):
    """``after``: the last row of the page before."""

    state: Literal["behind", "paused", "running"] = "behind"
    after: Maybe[Id] = None


class PlanStep(looked.Form):
    """``until_on``: the last day of a pause; empty: until it is resumed."""

    plan_ids: Several[Id] = Field(min_length=1)
    what: Literal["pause", "resume", "cancel"]
    reason: Reason
    until_on: Maybe[Day] = None


class PlanYes(looked.Form):
    """``until_on`` comes with the page's form and says nothing here."""

    plan_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve"] = "approve"
    reason: Reason
    until_on: Maybe[Day] = None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """Cents; ``late_minor``: of what is left, what has come due."""

    plan_id: str
    number: int
    status: str
    account_id: str
    account_number: str
    total_minor: int
    left_minor: int
    late_minor: int
    collects: str
    paused_until_on: date | None


@dataclass(frozen=True, slots=True)
class PlanLines:
    plans: list[PlanLine]
    more: bool


_STATES = {"behind": store.BEHIND, "paused": ("paused",), "running": ("active", "cured")}


def read_plans(session: Session, asked: Asked[PlanQuery]) -> PlanLines:
    rows = store.plans(session, asked.practice_id, _STATES[asked.query.state], asked.query.after or "", PAGE + 1)
    left = store.left_of_plans(session, [plan.id for plan, _ in rows], asked.today)
    return PlanLines([_plan_line(plan, number, *left.get(plan.id, (0, 0))) for plan, number in rows[:PAGE]],
                     len(rows) > PAGE)


def _plan_line(plan: Plan, number: str, left_minor: int, late_minor: int) -> PlanLine:
    return PlanLine(plan.id, plan.number, plan.status, plan.guarantor_id, number, plan.total_minor, left_minor,
                    late_minor, plan.collects, plan.paused_until_on)


def step_plans(session: Session, asked: Asked[PlanStep]) -> Done:
    return bulk.carry_out(session, asked, "plan_ids", "plan", partial(_step_plan, session, asked), list_name="plans",
                          action="/worklists/plans")


def _step_plan(session: Session, asked: Asked[PlanStep], plan_id: str) -> bulk.Came:
    form, by, now = asked.query, asked.person.login, asked.now
    there(store.plan(session, asked.practice_id, plan_id))
    with _in_words():
        if form.what == "pause":
            plan = plans.pause(session, asked.practice_id, plan_id, by=by, reason=form.reason, now=now,
                               until_on=form.until_on)
        else:
            act = plans.resume if form.what == "resume" else plans.cancel
            plan = act(session, asked.practice_id, plan_id, by=by, reason=form.reason, now=now)
    return bulk.Came(str(plan.number), plan.status)


def approve_plans(session: Session, asked: Asked[PlanYes]) -> Done:
    return bulk.carry_out(session, asked, "plan_ids", "plan", partial(_approve_plan, session, asked),
                          list_name="plans", action="/worklists/plans/approvals")


def _approve_plan(session: Session, asked: Asked[PlanYes], plan_id: str) -> bulk.Came:
    there(store.plan(session, asked.practice_id, plan_id))
    with _in_words():
        plan = plans.approve(session, asked.practice_id, plan_id, by=asked.person.login, reason=asked.query.reason,
                             now=asked.now)
    return bulk.Came(str(plan.number), plan.status, plan.total_minor)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except plan_consents.PlanRefused as refused:
        raise bulk.StepRefused(refused.why or refused.reason.replace("_", " ")) from refused


VIEWS = (
    View("plans", "/worklists/plans", "read", read_plans, PlanLines, PlanQuery, of_practice("plans")),
)
ACTIONS = (
    Action("plans.step", "/worklists/plans", "cases", PlanStep, step_plans),
    Action("plans.approve", "/worklists/plans/approvals", "approve", PlanYes, approve_plans),
)
