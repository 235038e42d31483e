"""What is past due: by what a person does next, then by value; write-offs and placements that wait for a yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from billing import collections_worklist, placements, write_offs
from billing.store import console_account_queries
from billing.store import console_list_queries as store
from billing.store.tables import Placement, WriteOff
from bot.web.console import bulk, looked
from bot.web.console.fields import Code, Id, Maybe, Reason, Several
from bot.web.console.serving import Missing
from bot.web.console.table import Action, Asked, Done, Seen, View

PAGE = 50
Next = Literal["approve_write_off", "approve_placement", "export_placement", "decide_assistance", "review_hold",
               "write_off_small", "propose_placement", "write_off_bad_debt", "find_address", "wait", "dunning",
               "at_agency", "on_plan"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DueQuery(_Form):
    """``start``: how many lines came before this page."""

    next: Maybe[Next] = None
    start: int = Field(default=0, ge=0, le=10_000_000)


class Ask(looked.Form):
    """``agency``: with place, its key in the practice's policy."""

    account_ids: Several[Id] = Field(min_length=1)
    what: Literal["small_balance", "bad_debt", "charity", "administrative", "place"]
    agency: Maybe[Code] = None
    reason: Reason


class DecideWriteOffs(looked.Form):
    write_off_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve", "refuse"]
    reason: Maybe[Reason] = None


class DecidePlacements(looked.Form):
    placement_ids: Several[Id] = Field(min_length=1)
    what: Literal["approve", "refuse"]
    reason: Maybe[Reason] = None


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
        raise bulk.StepRefused("; ".join(dict.fromkeys(why)) or "nothing of this account can be placed now")
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
    View("collections", "/worklists/collections", "read", read_due, DueLines, DueQuery,
         lambda found: Seen("practice", "collections")),
)
ACTIONS = (
    Action("collections.ask", "/worklists/collections", "cases", Ask, ask),
    Action("write_offs.decide", "/worklists/collections/write-offs", "approve", DecideWriteOffs, decide_write_offs),
    Action("placements.decide", "/worklists/collections/placements", "approve", DecidePlacements, decide_placements),
)
