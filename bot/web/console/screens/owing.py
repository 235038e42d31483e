"""What is past due: by what a person does next, then by value; write-offs and placements that wait for a yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import collections_pages, placements, write_offs
from billing.collections_pages import Place
from billing.store import collection_page_queries, console_account_queries, console_money_queries
from billing.store import console_list_queries as store
from billing.store.tables import Placement, WriteOff
from bot.web.console import bulk, looked
from bot.web.console.fields import Code, Id, Maybe, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, View, of_practice, there

PAGE = 50
WAITING_SHOWN = 200
Next = Literal["approve_write_off", "approve_placement", "export_placement", "decide_assistance", "review_hold",
               "write_off_small", "propose_placement", "write_off_bad_debt", "find_address", "wait", "dunning",
               "at_agency", "on_plan"]


class DueQuery(Form):
    """``next``: only accounts whose next action it is. The others say where a page begins, as the page before said."""

    next: Maybe[Next] = None
    at: Maybe[Next] = None
    below_minor: int | None = Field(default=None, ge=-10**12, le=10**12)
    after: Maybe[Id] = None


class Ask(looked.Form):
    """``agency``: with place, its key in the practice's policy."""

    account_ids: Several[Id] = Field(min_length=1)
    what: Literal["small_balance", "bad_debt", "charity", "administrative", "place"]
    agency: Maybe[Code] = None
    reason: Reason


class _Decide(looked.Form):
    what: Literal["approve", "refuse"]
    reason: Maybe[Reason] = None


class DecideWriteOffs(_Decide):
    write_off_ids: Several[Id] = Field(min_length=1)


class DecidePlacements(_Decide):
    placement_ids: Several[Id] = Field(min_length=1)


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
class Following:
    """Where the next page begins: ``below_minor`` and ``after`` empty at the top of an action."""

    at: str
    below_minor: int | None
    after: str


@dataclass(frozen=True, slots=True)
class DueLines:
    """By what a person does next, then by value. ``owing``: accounts that owe anything at all, and their cents. A page
    may have fewer lines than it could, and still be followed by another.
    """

    lines: list[DueLine]
    owing: int
    owing_minor: int
    following: Following | None
    write_offs: list[Request]
    placements: list[Request]
    agencies: list[str]


def read_due(session: Session, asked: Asked[DueQuery]) -> DueLines:
    found = collections_pages.page(session, asked.practice_id, asked.now, action=asked.query.next or "",
                                   start=_start(asked.query), size=PAGE)
    asked_for = console_money_queries.asked_write_offs(session, asked.practice_id, WAITING_SHOWN)
    proposed = console_money_queries.proposed_placements(session, asked.practice_id, WAITING_SHOWN)
    return DueLines(
        [DueLine(one.guarantor_id, one.account, one.due_minor, one.at_agency_minor, one.days_past_due, one.action,
                 one.words, one.until_on) for one in found.lines],
        *collection_page_queries.owing(session, asked.practice_id), _following(found.following),
        [Request(row.id, row.kind, row.guarantor_id, number, row.amount_minor, row.reason, row.asked_by)
         for row, number in asked_for],
        [Request(row.id, row.agency, row.guarantor_id, number, row.amount_minor, "", row.proposed_by)
         for row, number in proposed], [one.key for one in asked.policy.collections.agencies])


def _start(query: DueQuery) -> Place | None:
    if query.at is None:
        return None
    whole = query.below_minor is not None and query.after is not None
    return Place(query.at, (query.below_minor or 0, query.after or "") if whole else None)


def _following(place: Place | None) -> Following | None:
    if place is None:
        return None
    below, after = place.after or (None, "")
    return Following(place.action, below, after)


def ask(session: Session, asked: Asked[Ask]) -> Done:
    return bulk.carry_out(session, asked, "account_ids", "account", partial(_ask_one, session, asked),
                          list_name="collections", action="/worklists/collections")


def _ask_one(session: Session, asked: Asked[Ask], account_id: str) -> bulk.Came:
    account, form = there(console_account_queries.account(session, asked.practice_id, account_id)), asked.query
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
    step = partial(_decide_one, session, asked, store.write_off, write_offs.approve, write_offs.refuse)
    return bulk.carry_out(session, asked, "write_off_ids", "write_off", step, list_name="collections",
                          action="/worklists/collections/write-offs")


def decide_placements(session: Session, asked: Asked[DecidePlacements]) -> Done:
    step = partial(_decide_one, session, asked, placements.find, placements.approve, placements.refuse)
    return bulk.carry_out(session, asked, "placement_ids", "placement", step, list_name="collections",
                          action="/worklists/collections/placements")


def _decide_one(session: Session, asked: Asked[Any], find: Callable[..., object],
                approve: Callable[..., WriteOff | Placement], refuse: Callable[..., WriteOff | Placement],
                request_id: str) -> bulk.Came:
    by, now, form = asked.person.login, asked.now, asked.query
    there(find(session, asked.practice_id, request_id))
    if form.what == "approve":
        row = approve(session, asked.practice_id, request_id, by=by, now=now)
    else:
        row = refuse(session, asked.practice_id, request_id, by=by, reason=form.reason or "", now=now)
    number = store.numbers(session, asked.practice_id, [row.guarantor_id]).get(row.guarantor_id, "")
    return bulk.Came(number, row.status, row.amount_minor)


VIEWS = (
    View("collections", "/worklists/collections", "read", read_due, DueLines, DueQuery,
         of_practice("collections")),
)
ACTIONS = (
    Action("collections.ask", "/worklists/collections", "cases", Ask, ask),
    Action("write_offs.decide", "/worklists/collections/write-offs", "approve", DecideWriteOffs, decide_write_offs),
    Action("placements.decide", "/worklists/collections/placements", "approve", DecidePlacements, decide_placements),
)
