"""Plans that are behind, and what is past due: by what a person does next, then by value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from billing import collections_worklist, placements, plan_consents, plans, write_offs
from billing.store import console_account_queries
from billing.store import console_list_queries as store
from billing.store.tables import Placement, Plan, WriteOff
from bot.web.console import bulk
from bot.web.console.fields import Code, Day, Id, Maybe, Reason, Several, Ticked
from bot.web.console.serving import Missing
from bot.web.console.table import Action, Asked, Done, Seen, View

PAGE = 50
Next = Literal["approve_write_off", "approve_placement", "export_placement", "decide_assistance", "review_hold",
               "write_off_small", "propose_placement", "write_off_bad_debt", "find_address", "wait", "dunning",
               "at_agency", "on_plan"]


class StepRefused(ValueError):
    """A step that does not go as things stand. The text says why; no PHI."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlanQuery(_Form):
    """``after``: the last row of the page before."""

    state: Literal["behind", "paused", "running"] = "behind"
    after: Maybe[Id] = None


class PlanStep(_Form):
    """``until_on``: the last day of a pause; empty: until it is resumed."""

    plan_ids: Several[Id] = Field(min_length=1)
    what: Literal["pause", "resume", "cancel"]
    reason: Reason
    until_on: Maybe[Day] = None
    sure: Ticked = False


class PlanYes(_Form):
    """``until_on`` comes with the page's form and says nothing here."""

    plan_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve"] = "approve"
    reason: Reason
    until_on: Maybe[Day] = None
    sure: Ticked = False


class DueQuery(_Form):
    """``start``: how many lines came before this page."""

    next: Maybe[Next] = None
    start: int = Field(default=0, ge=0, le=10_000_000)


class Ask(_Form):
    """``agency``: with place, its key in the practice's policy."""

    account_ids: Several[Id] = Field(min_length=1)
    what: Literal["small_balance", "bad_debt", "charity", "administrative", "place"]
    agency: Maybe[Code] = None
    reason: Reason
    sure: Ticked = False


class DecideWriteOffs(_Form):
    write_off_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve", "refuse"]
    reason: Maybe[Reason] = None
    sure: Ticked = False


class DecidePlacements(_Form):
    placement_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve", "refuse"]
    reason: Maybe[Reason] = None
    sure: Ticked = False


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


@dataclass(frozen=True, slots=True)
class DueLine:
    """Cents; ``until_on``: the day from which ``next`` can be done."""

    account_id: str
    account_number: str
    due_minor: int
    at_agency_minor: int
    days_late: int | None
    next: str
    words: str
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Request:
    """A write-off or a placement that waits for another person."""

    request_id: str
    kind: str
    account_id: str
    account_number: str
    amount_minor: int
    reason: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class DueLines:
    lines: list[DueLine]
    total: int
    more: bool
    write_offs: list[Request]
    placements: list[Request]
    agencies: list[str]


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
    _own_plan(session, asked.practice_id, plan_id)
    try:
        if form.what == "pause":
            plan = plans.pause(session, asked.practice_id, plan_id, by=by, reason=form.reason, now=now,
                               until_on=form.until_on)
        else:
            act = plans.resume if form.what == "resume" else plans.cancel
            plan = act(session, asked.practice_id, plan_id, by=by, reason=form.reason, now=now)
    except plan_consents.PlanRefused as refused:
        raise StepRefused(refused.why or refused.reason.replace("_", " ")) from refused
    return bulk.Came(str(plan.number), plan.status)


def approve_plans(session: Session, asked: Asked[PlanYes]) -> Done:
    return bulk.carry_out(session, asked, "plan_ids", "plan", partial(_approve_plan, session, asked),
                          list_name="plans", action="/worklists/plans/approvals")


def _approve_plan(session: Session, asked: Asked[PlanYes], plan_id: str) -> bulk.Came:
    _own_plan(session, asked.practice_id, plan_id)
    try:
        plan = plans.approve(session, asked.practice_id, plan_id, by=asked.person.login, reason=asked.query.reason,
                             now=asked.now)
    except plan_consents.PlanRefused as refused:
        raise StepRefused(refused.why or refused.reason.replace("_", " ")) from refused
    return bulk.Came(str(plan.number), plan.status, plan.total_minor)


def _own_plan(session: Session, practice_id: str, plan_id: str) -> None:
    if store.plan(session, practice_id, plan_id) is None:
        raise Missing


def read_due(session: Session, asked: Asked[DueQuery]) -> DueLines:
    query = asked.query
    lines = collections_worklist.worklist(session, asked.practice_id, asked.now, action=query.next or "")
    shown = lines[query.start:query.start + PAGE]
    asked_for, proposed = store.to_decide(session, asked.practice_id, 200)
    owners = {row.guarantor_id for row in asked_for} | {row.guarantor_id for row in proposed}
    numbers = store.numbers(session, asked.practice_id, owners)
    return DueLines(
        [DueLine(one.guarantor_id, one.account, one.due_minor, one.at_agency_minor, one.days_past_due, one.action,
                 one.words, one.until_on) for one in shown],
        len(lines), len(lines) > query.start + PAGE, [_write_off(row, numbers) for row in asked_for],
        [_placement(row, numbers) for row in proposed], [one.key for one in asked.policy.collections.agencies])


def _write_off(row: WriteOff, numbers: dict[str, str]) -> Request:
    return Request(row.id, row.kind, row.guarantor_id, numbers.get(row.guarantor_id, ""), row.amount_minor, row.reason,
                   row.asked_by)


def _placement(row: Placement, numbers: dict[str, str]) -> Request:
    return Request(row.id, row.agency, row.guarantor_id, numbers.get(row.guarantor_id, ""), row.amount_minor, "",
                   row.proposed_by)


def ask(session: Session, asked: Asked[Ask]) -> Done:
    return bulk.carry_out(session, asked, "account_ids", "account", partial(_ask_one, session, asked),
                          list_name="collections", action="/worklists/collections")


def _ask_one(session: Session, asked: Asked[Ask], account_id: str) -> bulk.Came:
    account, form = console_account_queries.account(session, asked.practice_id, account_id), asked.query
    if account is None:
        raise Missing
    if form.what != "place":
        row = write_offs.ask(session, practice_id=asked.practice_id, guarantor_id=account.id, kind=form.what,
                             reason=form.reason, by=asked.person.login, now=asked.now)
        return bulk.Came(account.external, row.status, row.amount_minor)
    made = placements.propose(session, practice_id=asked.practice_id, guarantor_id=account.id,
                              agency=form.agency or "", by=asked.person.login, now=asked.now)
    done = [one for one in made if one.placement_id]
    if not done:
        why = [one.words for proposal in made for one in proposal.obstacles]
        raise StepRefused("; ".join(dict.fromkeys(why)) or "nothing of this account can be placed now")
    return bulk.Came(account.external, "proposed", sum(one.amount_minor for one in done))


def decide_write_offs(session: Session, asked: Asked[DecideWriteOffs]) -> Done:
    return bulk.carry_out(session, asked, "write_off_ids", "write_off", partial(_decide_write_off, session, asked),
                          list_name="collections", action="/worklists/collections/write-offs")


def _decide_write_off(session: Session, asked: Asked[DecideWriteOffs], write_off_id: str) -> bulk.Came:
    if store.write_off(session, asked.practice_id, write_off_id) is None:
        raise Missing
    if asked.query.what == "approve":
        row = write_offs.approve(session, asked.practice_id, write_off_id, by=asked.person.login, now=asked.now)
    else:
        row = write_offs.refuse(session, asked.practice_id, write_off_id, by=asked.person.login,
                                reason=asked.query.reason or "", now=asked.now)
    return _came(session, asked.practice_id, row)


def decide_placements(session: Session, asked: Asked[DecidePlacements]) -> Done:
    return bulk.carry_out(session, asked, "placement_ids", "placement", partial(_decide_placement, session, asked),
                          list_name="collections", action="/worklists/collections/placements")


def _decide_placement(session: Session, asked: Asked[DecidePlacements], placement_id: str) -> bulk.Came:
    if placements.find(session, asked.practice_id, placement_id) is None:
        raise Missing
    if asked.query.what == "approve":
        row = placements.approve(session, asked.practice_id, placement_id, by=asked.person.login, now=asked.now)
    else:
        row = placements.refuse(session, asked.practice_id, placement_id, by=asked.person.login,
                                reason=asked.query.reason or "", now=asked.now)
    return _came(session, asked.practice_id, row)


def _came(session: Session, practice_id: str, row: WriteOff | Placement) -> bulk.Came:
    number = store.numbers(session, practice_id, [row.guarantor_id]).get(row.guarantor_id, "")
    return bulk.Came(number, row.status, row.amount_minor)


VIEWS = (
    View("plans", "/worklists/plans", "read", read_plans, PlanLines, PlanQuery,
         lambda found: Seen("practice", "plans")),
    View("collections", "/worklists/collections", "read", read_due, DueLines, DueQuery,
         lambda found: Seen("practice", "collections")),
)
ACTIONS = (
    Action("plans.step", "/worklists/plans", "cases", PlanStep, step_plans),
    Action("plans.approve", "/worklists/plans/approvals", "approve", PlanYes, approve_plans),
    Action("collections.ask", "/worklists/collections", "cases", Ask, ask),
    Action("write_offs.decide", "/worklists/collections/write-offs", "approve", DecideWriteOffs, decide_write_offs),
    Action("placements.decide", "/worklists/collections/placements", "approve", DecidePlacements, decide_placements),
)
