"""Applications for financial assistance: what waits, until when, and every step of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import assistance
from billing.store import console_list_queries as store
from billing.store.tables import AssistanceApplication
from bot.web.console import bulk, looked
from bot.web.console.fields import Id, Maybe, MoneyOrNothing, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, View, of_practice, there

PAGE = 50
Lacking = Literal["application_form", "signature", "household", "income_proof", "tax_return", "benefit_letter", "other"]


class Query(Form):
    """``after``: the last row of the page before."""

    state: Literal["open", "decided"] = "open"
    after: Maybe[Id] = None


class Received(Form):
    """``income``: of the household in a year; ``fpl_percent``: that income, of the federal poverty level."""

    people: int = Field(ge=1, le=99)
    income: MoneyOrNothing
    fpl_percent: int = Field(ge=0, le=9999)
    source: Literal["paper", "page", "desk", "phone"] = "paper"


class Missed(Form):
    missing: Several[Lacking] = Field(min_length=1)


class Decide(looked.Form):
    """``reason``: of a denial; it is told to the patient."""

    application_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve", "deny"]
    reason: Maybe[Reason] = None


class Step(looked.Form):
    application_ids: Several[Id] = Field(min_length=1)
    what: Literal["appeal", "withdraw"]
    reason: Maybe[Reason] = None


@dataclass(frozen=True, slots=True)
class Application:
    """``by_on``: until when something has to happen; amounts are cents. ``people`` and ``fpl_percent`` None: nobody has
    measured the household's income yet.
    """

    application_id: str
    number: int
    account_id: str
    account_number: str
    status: str
    asked_on: date
    by_on: date | None
    late: bool
    people: int | None
    fpl_percent: int | None
    missing: list[str]
    reason: str
    decided_by: str
    discount_percent: int | None
    forgiven_minor: int
    refund_minor: int


@dataclass(frozen=True, slots=True)
class Applications:
    applications: list[Application]
    more: bool


def read(session: Session, asked: Asked[Query]) -> Applications:
    states = assistance.OPEN if asked.query.state == "open" else ("approved", "denied", "withdrawn")
    rows = store.assistance(session, asked.practice_id, states, asked.query.after or "", PAGE + 1)
    return Applications([_line(row, number, asked.today) for row, number in rows[:PAGE]], len(rows) > PAGE)


def _line(row: AssistanceApplication, number: str, today: date) -> Application:
    by_on = {"asked": row.complete_by_on, "incomplete": row.complete_by_on, "received": row.decide_by_on,
             "appealed": row.decide_by_on, "denied": row.appeal_by_on}.get(row.status)
    told = row.household or {}
    return Application(
        row.id, row.number, row.guarantor_id, number, row.status, row.asked_on, by_on,
        by_on is not None and by_on < today, told.get("people"), told.get("fpl_percent"), list(row.missing or []),
        row.reason, row.decided_by or "", row.discount_percent, row.forgiven_minor, row.refund_minor)


def receive(session: Session, asked: Asked[Received]) -> Done:
    form = asked.query
    household = {"people": form.people, "income_minor": form.income, "fpl_percent": form.fpl_percent,
                 "source": form.source}
    row = assistance.receive(session, asked.practice_id, _one(session, asked, asked.path["application_id"]).id,
                             household=household, by=asked.person.login, now=asked.now)
    return Done("assistance_application", row.id, "/worklists/assistance", "worked", {"status": row.status})


def lack(session: Session, asked: Asked[Missed]) -> Done:
    row = assistance.find_missing(session, asked.practice_id, _one(session, asked, asked.path["application_id"]).id,
                                  missing=asked.query.missing, by=asked.person.login, now=asked.now)
    return Done("assistance_application", row.id, "/worklists/assistance", "worked", {"status": row.status})


def decide(session: Session, asked: Asked[Decide]) -> Done:
    return bulk.carry_out(session, asked, "application_ids", "assistance_application",
                          partial(_decide_one, session, asked), list_name="assistance",
                          action="/worklists/assistance/decisions")


def _decide_one(session: Session, asked: Asked[Decide], application_id: str) -> bulk.Came:
    """The preview of a yes has the amount that it takes off."""
    known = _one(session, asked, application_id)
    if asked.query.what == "approve":
        row = assistance.approve(session, asked.practice_id, known.id, by=asked.person.login, now=asked.now)
        return bulk.Came(str(row.number), row.status, row.forgiven_minor)
    row = assistance.deny(session, asked.practice_id, known.id, reason=asked.query.reason or "",
                          by=asked.person.login, now=asked.now)
    return bulk.Came(str(row.number), row.status)


def step(session: Session, asked: Asked[Step]) -> Done:
    return bulk.carry_out(session, asked, "application_ids", "assistance_application",
                          partial(_step_one, session, asked), list_name="assistance",
                          action="/worklists/assistance/steps")


def _step_one(session: Session, asked: Asked[Step], application_id: str) -> bulk.Came:
    known, by = _one(session, asked, application_id), asked.person.login
    if asked.query.what == "appeal":
        row = assistance.appeal(session, asked.practice_id, known.id, by=by, now=asked.now)
    else:
        row = assistance.withdraw(session, asked.practice_id, known.id, reason=asked.query.reason or "", by=by,
                                  now=asked.now)
    return bulk.Came(str(row.number), row.status)


def _one(session: Session, asked: Asked[Received] | Asked[Missed] | Asked[Decide] | Asked[Step], application_id: str,
         ) -> AssistanceApplication:
    return there(store.application(session, asked.practice_id, application_id))


VIEWS = (View("assistance", "/worklists/assistance", "read", read, Applications, Query,
              of_practice("assistance")),)
ACTIONS = (
    Action("assistance.receive", "/assistance/{application_id}/received", "cases", Received, receive),
    Action("assistance.missing", "/assistance/{application_id}/missing", "cases", Missed, lack),
    Action("assistance.decide", "/worklists/assistance/decisions", "approve", Decide, decide),
    Action("assistance.step", "/worklists/assistance/steps", "cases", Step, step),
)
