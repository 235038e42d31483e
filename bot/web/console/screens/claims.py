"""Claims that a payer has denied, or not answered in the practice's number of days: who does what until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Literal

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from billing import claim_work
from billing.store import console_claim_queries as store
from bot.web.console import bulk, looked
from bot.web.console.fields import Day, Id, Login, Maybe, Reason, Several, Ticked
from bot.web.console.screens.worklists import claims_cutoff
from bot.web.console.table import Action, Asked, Done, Form, View, of_practice, there

PAGE = 50
Outcome = Literal["called", "sent_again", "corrected", "appealed", "paid", "upheld", "patient_owes", "written_off",
                  "other_payer"]


class Query(Form):
    """``after_at``, ``after_id``: where the page before ended."""

    show: Literal["", "denied", "unanswered"] = ""
    owner: Maybe[Login] = None
    after_at: AwareDatetime | None = None
    after_id: Maybe[Id] = None


class Work(looked.Form):
    """Fields left empty stay as they are. ``nobody`` takes the owner away."""

    coverage_ids: Several[Id] = Field(min_length=1)
    owner: Maybe[Login] = None
    nobody: Ticked = False
    file_by_on: Maybe[Day] = None
    appeal_by_on: Maybe[Day] = None
    outcome: Maybe[Outcome] = None
    note: Maybe[Reason] = None


@dataclass(frozen=True, slots=True)
class Claim:
    """``since_at``: since when the payer could answer. ``late``: a day of filing or appeal has passed."""

    coverage_id: str
    status: str
    payer: str
    account_id: str
    account_number: str
    claim_number: str
    service_on: date | None
    charge_minor: int
    since_at: datetime
    reason: str
    owner: str
    file_by_on: date | None
    appeal_by_on: date | None
    late: bool
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class Claims:
    days: int
    claims: list[Claim]
    more: bool


def read(session: Session, asked: Asked[Query]) -> Claims:
    query = asked.query
    after = (query.after_at, query.after_id or "") if query.after_at else None
    rows = store.page(session, asked.practice_id, cutoff=claims_cutoff(asked), show=query.show,
                      owner=query.owner or "", done=claim_work.DONE, after=after, most=PAGE + 1)
    why = store.reasons(session, [row[0].id for row in rows])
    return Claims(asked.policy.console.unanswered_claim_days,
                  [_claim(row, why.get(row[0].id, ""), asked.today) for row in rows[:PAGE]], len(rows) > PAGE)


def _claim(row: store.Found, reason: str, today: date) -> Claim:
    coverage, visit, number, since, work = row
    days = [day for day in (work.file_by_on, work.appeal_by_on) if day] if work else []
    return Claim(
        coverage.id, coverage.status, coverage.payer_name, visit.guarantor_id, number, visit.external,
        visit.service_from_on, visit.charge_minor, since, reason, (work.owner or "") if work else "",
        work.file_by_on if work else None, work.appeal_by_on if work else None, any(day < today for day in days),
        work.outcome if work else "", work.note if work else "")


def work(session: Session, asked: Asked[Work]) -> Done:
    form = asked.query
    wanted = claim_work.Change("" if form.nobody else form.owner, form.file_by_on, form.appeal_by_on, form.outcome,
                               form.note)
    return bulk.carry_out(session, asked, "coverage_ids", "coverage", partial(_work_one, session, asked, wanted),
                          list_name="claims", action="/worklists/claims")


def _work_one(session: Session, asked: Asked[Work], wanted: claim_work.Change, coverage_id: str) -> bulk.Came:
    found = there(store.coverage(session, asked.practice_id, coverage_id))
    row = claim_work.change(session, asked.practice_id, coverage_id, wanted, by=asked.person.login, now=asked.now)
    return bulk.Came(found[1].external, row.outcome or "kept", found[1].charge_minor)


VIEWS = (View("claims", "/worklists/claims", "read", read, Claims, Query,
              of_practice("claims")),)
ACTIONS = (Action("claims.work", "/worklists/claims", "cases", Work, work),)
