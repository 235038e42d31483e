"""Offering a plan from an account: each that the policy allows, with its dates and amounts, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import links, plan_desk
from billing.money import plain
from billing.plan_offers import Ask, Offer
from billing.plan_status import RUNNING
from billing.rehearsals import rehearse
from billing.store import console_account_queries as store
from billing.store import console_list_queries
from billing.store.tables import Guarantor, Plan
from bot.web.console import addressed, looked
from bot.web.console.fields import Count, Day, Id, Maybe, Money, Reason, Several
from bot.web.console.screens.link_acts import DueVisit, due_visits
from bot.web.console.table import Action, Asked, Done, Missing, Nothing, Seen, View, there
from config.payment_policy import PlanPolicy

AS_ASKED = "as_asked"
MonthDay = Annotated[int, Field(ge=1, le=31)]


class NewPlan(looked.Form):
    """What the patient asks for; nothing at all asks for the usual choice. ``amount``: of each payment. ``visit_ids``:
    only these; ``plan_id``: the running plan whose visits it is about and whose place it takes. ``reason``: why another
    person is to approve what is outside the policy. ``choice``: which of the plans that the look showed.
    """

    amount: Maybe[Money] = None
    count: Maybe[Annotated[Count, Field(ge=1, le=260)]] = None
    months: Maybe[Annotated[Count, Field(ge=1, le=60)]] = None
    interval: Literal["", "week", "two_weeks", "twice_month", "month"] = ""
    day: Maybe[MonthDay] = None
    other_day: Maybe[MonthDay] = None
    first_on: Maybe[Day] = None
    collects: Literal["link", "autopay"] = "link"
    visit_ids: Several[Id] = Field(default_factory=list)
    plan_id: Maybe[Id] = None
    reason: Maybe[Reason] = None
    choice: Literal["", "0", "1", "2", "as_asked"] = ""
    once: Maybe[Id] = None


@dataclass(frozen=True, slots=True)
class Running:
    plan_id: str
    number: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class PlanAsk:
    """``rules``: the practice's, none where it offers no plans."""

    account_id: str
    number: str
    due_minor: int
    visits: list[DueVisit]
    running: list[Running]
    rules: PlanPolicy | None


@dataclass(frozen=True, slots=True)
class Part:
    """``number`` 0 is the deposit."""

    number: int
    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan that can be offered. ``state``: as it would stand; ``refused``: why it cannot be offered after all."""

    code: str
    interval: str
    count: int
    amount_minor: int
    last_minor: int
    deposit_minor: int
    total_minor: int
    needs_disclosures: bool
    parts: list[Part]
    state: str
    refused: str
    digest: str


@dataclass(frozen=True, slots=True)
class PlanTried:
    """``fits``: the first is what was asked for; else ``why``, in words. ``fields``: as they were filled in."""

    account_id: str
    fits: bool
    why: str
    choices: list[Choice]
    fields: dict[str, str]
    visit_ids: list[str]


@dataclass(frozen=True, slots=True)
class PlanMade:
    """``link``: where the patient reads it and agrees; it is shown this once."""

    account_id: str
    plan_id: str
    number: int
    state: str
    offer_ends_at: datetime
    link: str


def show(session: Session, asked: Asked[Nothing]) -> PlanAsk:
    """What a plan could be about, and what the practice's policy allows."""
    account = addressed.account(session, asked)
    due = due_visits(session, account, asked.today)
    running = [one for one in store.plans(session, account.id) if one.status in RUNNING]
    left = console_list_queries.left_of_plans(session, [one.id for one in running], asked.today)
    return PlanAsk(account.id, account.external, sum(one.due_minor for one in due), due,
                   [Running(one.id, one.number, left.get(one.id, (0, 0))[0]) for one in running], asked.policy.plans)


def offer(session: Session, asked: Asked[NewPlan]) -> Done:
    """Without ``sure`` the look: what the policy allows, tried one by one. Then the one that was chosen is made."""
    account, form = addressed.account(session, asked), asked.query
    policy = asked.policy.plans
    if policy is None:
        raise plan_desk.NotOffered("this practice offers no plans: its policy has no such part")
    found = _Wanted.of(session, asked, account, policy)
    if not form.sure:
        tried = [_try(session, asked, account.id, found, code, one) for code, one in found.offers]
        told = PlanTried(account.id, found.fits, found.why, tried, _fields(form), list(form.visit_ids))
        return Done("account", account.id, f"/accounts/{account.id}", "", told, "plan_tried", tried=True)
    chosen = dict(found.offers).get(form.choice)
    if chosen is None:
        raise looked.Moved("choose one of the plans that the look showed")
    plan = _make(session, asked, account, found, form.choice, chosen)
    looked.require_same(form, *_told(chosen, plan.status))
    token = links.make(session, asked.practice_id, account.id, "plan", plan.id, asked.policy.link_days, asked.now)
    made = PlanMade(account.id, plan.id, plan.number, plan.status, plan.offer_ends_at, asked.wiring.road.link(token))
    return Done("plan", plan.id, f"/accounts/{account.id}#plans", "", made, "plan_made")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """``offers``: what may be chosen, by its code."""

    offers: list[tuple[str, Offer]]
    fits: bool
    why: str
    older: Plan | None
    policy: PlanPolicy

    @staticmethod
    def of(session: Session, asked: Asked[NewPlan], account: Guarantor, policy: PlanPolicy) -> _Wanted:
        form = asked.query
        older = _older(session, asked, account)
        if set(form.visit_ids) - set(store.visits(session, account.id)):
            raise Missing
        shares = (plan_desk.shares_of(session, older, asked.today) if older is not None
                  else plan_desk.due_shares(session, account.id, asked.today, form.visit_ids))
        ask = Ask(form.amount, form.count, form.interval or None,
                  tuple(sorted({one for one in (form.day, form.other_day) if one})), form.first_on, form.months)
        answer = plan_desk.answer(shares, policy, asked.today, ask)
        offers = [(str(number), one) for number, one in enumerate(answer.offers[:3])]
        if not answer.fits and form.reason:
            offers.append((AS_ASKED, plan_desk.exception(shares, policy, asked.today, ask)))
        return _Wanted(offers, answer.fits, plan_desk.WHYS.get(answer.why, answer.why), older, policy)


def _older(session: Session, asked: Asked[NewPlan], account: Guarantor) -> Plan | None:
    form = asked.query
    if form.plan_id is None:
        return None
    plan = there(console_list_queries.plan(session, asked.practice_id, form.plan_id))
    if form.visit_ids:
        raise plan_desk.NotOffered("a plan that takes another's place is about that plan's visits; choose none")
    if plan_desk.running_plan(session, asked.practice_id, account.id, plan.id) is None:
        raise plan_desk.NotOffered(f"plan {plan.number} is no running plan of this account")
    return plan


def _try(session: Session, asked: Asked[NewPlan], account_id: str, found: _Wanted, code: str, one: Offer) -> Choice:
    """Made and taken back: so that what stands in the way is known before anybody promises it."""
    def make() -> str:
        account = there(store.account(session, asked.practice_id, account_id))
        return _make(session, asked, account, found, code, one).status

    try:
        state, refused = rehearse(session, make), ""
    except plan_desk.NotOffered as error:
        state, refused = "", str(error)
    return Choice(code, one.interval, one.count, one.amount_minor, one.last_minor, one.deposit_minor, one.total_minor,
                  one.needs_disclosures, [Part(part.number, part.due_on, part.amount_minor) for part in one.parts],
                  state, refused, looked.digest_of(*_told(one, state)))


def _make(session: Session, asked: Asked[NewPlan], account: Guarantor, found: _Wanted, code: str, one: Offer) -> Plan:
    form = asked.query
    terms = one.terms(form.collects, replaces=found.older.id if found.older is not None else None)
    return plan_desk.offer(session, account, terms, found.policy, by=asked.person.login, now=asked.now,
                           key=f"console:{account.id}:{form.once or asked.now.isoformat()}:{code}",
                           reason=(form.reason or "") if code == AS_ASKED else "")


def _told(one: Offer, state: str) -> tuple[object, ...]:
    return ([(part.number, part.due_on.isoformat(), part.amount_minor) for part in one.parts], list(one.visits), state)


def _fields(form: NewPlan) -> dict[str, str]:
    """Everything that was filled in, as it was: an amount as text."""
    kept = {name: getattr(form, name) for name in ("count", "months", "interval", "day", "other_day", "first_on",
                                                  "collects", "plan_id", "reason")}
    if form.amount is not None:
        kept["amount"] = plain(form.amount)
    return {name: str(value) for name, value in kept.items() if value not in (None, "")}


VIEWS = (View("plan_ask", "/accounts/{account_id}/plans", "cases", show, PlanAsk,
              seen=lambda found: Seen("account", found.account_id)),)
ACTIONS = (Action("plan.offer", "/accounts/{account_id}/plans", "cases", NewPlan, offer),)
