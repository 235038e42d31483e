"""Calls to make: whom no text reaches, or who stopped our texts, and how each call went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import cases, preferences, wrong_numbers
from billing.phones import address_hash
from billing.store import console_account_queries, console_work_queries
from billing.store import console_list_queries as store
from billing.store.tables import Case
from bot.web.console import bulk, looked
from bot.web.console.fields import Id, Maybe, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, View, of_practice, there

PAGE = 50


class Page(Form):
    """``after``: the last row of the page before."""

    after: Maybe[Id] = None


@dataclass(frozen=True, slots=True)
class Call:
    """``phone``: where they wrote from, else the account's own number. ``beware``: what they said of calls."""

    case_id: str
    number: int
    kind: str
    title: str
    account_id: str
    account_number: str
    phone: str
    beware: str
    owner: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Calls:
    calls: list[Call]
    more: bool


class CallMade(looked.Form):
    case_ids: Several[Id] = Field(min_length=1)
    outcome: Literal["reached", "no_answer", "left_message", "call_back", "wrong_person", "no_calls"]
    note: Maybe[Reason] = None


def calls(session: Session, asked: Asked[Page]) -> Calls:
    rows = store.calls(session, asked.practice_id, asked.query.after or "", PAGE + 1)
    cases_shown = [case for case, _ in rows]
    phones = _phones(session, asked.practice_id, cases_shown)
    beware = store.not_to_call(session, asked.practice_id, _accounts(cases_shown))
    return Calls([_call(case, number, phones[case.id], beware.get(case.guarantor_id or "", ""))
                  for case, number in rows[:PAGE]], len(rows) > PAGE)


def _accounts(found: Sequence[Case]) -> list[str]:
    return [case.guarantor_id for case in found if case.guarantor_id]


def _phones(session: Session, practice_id: str, found: Sequence[Case]) -> dict[str, str]:
    """The number of each case: where it came from, else the account's own; "" where there is none."""
    talks = store.addresses(session, practice_id, [case.conversation_id or "" for case in found])
    own = store.phones(session, practice_id, _accounts(found))
    return {case.id: talks.get(case.conversation_id or "") or own.get(case.guarantor_id or "", "") for case in found}


def _call(case: Case, number: str, phone: str, beware: str) -> Call:
    return Call(case.id, case.number, case.kind, case.title, case.guarantor_id or "", number, phone, beware,
                case.owner or "", case.due_at)


#: What is kept with the case; the first two end it.
_CALLED = {"reached": "Called: spoke with them.", "no_calls": "Called: they want no calls.",
           "no_answer": "Called: nobody answered.", "left_message": "Called: left word to call back, nothing else.",
           "call_back": "Called: they asked to be called again.",
           "wrong_person": "Called: somebody else has the number."}
_ENDS = ("reached", "no_calls")


def called(session: Session, asked: Asked[CallMade]) -> Done:
    return bulk.carry_out(session, asked, "case_ids", "case", partial(_called_one, session, asked),
                          list_name="calls", action="/worklists/calls")


def _called_one(session: Session, asked: Asked[CallMade], case_id: str) -> bulk.Came:
    case = there(console_work_queries.case(session, asked.practice_id, case_id))
    words = f"{_CALLED[asked.query.outcome]} {asked.query.note or ''}".strip()
    if asked.query.outcome in _ENDS:
        cases.close(session, asked.practice_id, case.id, by=asked.person.login, resolution=words, now=asked.now)
        _keep_wish(session, asked, case.guarantor_id)
    elif case.status == "closed":
        raise cases.CaseRefused(f"case {case.number} is closed")
    else:
        cases.add_note(session, asked.practice_id, case.id, by=asked.person.login, body=words, now=asked.now)
    if asked.query.outcome == "wrong_person":
        _mark_wrong(session, asked, case)
    return bulk.Came(str(case.number), case.status)


def _mark_wrong(session: Session, asked: Asked[CallMade], case: Case) -> None:
    """The number that stood on the list."""
    number = _phones(session, asked.practice_id, [case])[case.id]
    if number:
        wrong_numbers.mark(session, asked.practice_id, "sms", address_hash(asked.practice_id, "sms", number),
                           wording=_CALLED["wrong_person"], why="somebody else answered a call there",
                           by=asked.person.login, now=asked.now, medium="phone")


def _keep_wish(session: Session, asked: Asked[CallMade], account_id: str | None) -> None:
    """Whoever wants no calls is not on the next list without that word beside them."""
    for one in console_account_queries.contacts(session, account_id or ""):
        if asked.query.outcome == "no_calls" and one.channel == "sms":
            preferences.record(session, asked.practice_id, one.channel, one.address_hash, kind=preferences.PLACE,
                               value={}, wording=_CALLED["no_calls"], recorded_by=asked.person.login, now=asked.now,
                               guarantor_id=account_id)


VIEWS = (
    View("calls", "/worklists/calls", "read", calls, Calls, Page, of_practice("calls")),
)
ACTIONS = (
    Action("calls.made", "/worklists/calls", "cases", CallMade, called),
)
