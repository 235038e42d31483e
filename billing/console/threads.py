"""The inbox and one thread of it, as staff see them. Amounts, names and words are here: every look is in the trail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import thread_care
from billing.console.accounts import address_hashes
from billing.store import console_account_queries as account_store
from billing.store import console_thread_queries as store
from billing.store.console_thread_queries import Belonging, Came, Care, OpenCase, Went
from billing.store.seal import blind, normal_name
from billing.store.tables import Conversation
from billing.store.thread_care_queries import Noted

PAGE, WORDS = 50, 200


@dataclass(frozen=True, slots=True)
class Line:
    """One thread in the list. ``due_at``: by when a person has to have answered; ``waiting_since``: of a text that a
    person who took the thread has still to answer. ``last`` says whose words the last ones are: in or out.
    """

    conversation_id: str
    channel: str
    address: str
    language: str
    account_id: str
    name: str
    number: str
    owner: str
    taken_by: str
    waiting_since: datetime | None
    due_at: datetime | None
    cases: list[str]
    unknown: bool
    last: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Bubble:
    """``side``: in (the patient), out (the bot), staff (a colleague), inner (a note that no patient sees)."""

    side: str
    by: str
    body: str
    at: datetime
    status: str = ""
    message_id: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class CaseHere:
    case_id: str
    number: int
    kind: str
    title: str
    status: str
    owner: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    conversation_id: str
    channel: str
    address: str
    language: str
    account_id: str
    name: str
    number: str
    owner: str
    taken_by: str
    taken_at: datetime | None
    waiting_since: datetime | None
    bubbles: list[Bubble]
    cases: list[CaseHere]
    near: list[thread_care.Near]


def listed(session: Session, practice_id: str, *, wanted: str, language: str, owner: str, text: str,
           before: datetime | None) -> list[Line]:
    """A page of threads, and one more line than a page where there are more."""
    only = _numbers(session, practice_id, text) if text else None
    talks = store.page(session, practice_id, wanted=wanted, language=language, owner=owner, before=before, only=only,
                       most=PAGE + 1)
    found = store.belonging(session, talks, 1)
    came, went = {row.thread: row for row in found.received}, {row.conversation_id: row for row in found.sent}
    cases = defaultdict(list)
    for case in found.cases:
        cases[case.conversation_id].append(case)
    return [_line(talk, found.names, found.care.get(talk.id), cases[talk.id], came.get(store.lane(talk)),
                  went.get(talk.id)) for talk in talks]


def load(session: Session, practice_id: str, conversation_id: str, me: str, now: datetime) -> Thread | None:
    talk = store.talk(session, practice_id, conversation_id)
    if talk is None:
        return None
    found = store.belonging(session, [talk], WORDS)
    notes, near = thread_care.beside(session, talk.id, me, now)
    care, (name, number) = found.care.get(talk.id), found.names.get(talk.guarantor_id or "", ("", ""))
    return Thread(
        talk.id, talk.channel, talk.address, talk.language, talk.guarantor_id or "", name, number,
        (care.owner or "") if care else "", (care.taken_by or "") if care else "", care.taken_at if care else None,
        care.waiting_since if care else None, _bubbles(found, notes),
        [CaseHere(one.id, one.number, one.kind, one.title, one.status, one.owner or "", one.due_at)
         for one in found.cases], near)


def _numbers(session: Session, practice_id: str, text: str) -> set[str]:
    """The keyed hashes of the numbers that a search names: a number itself, or those of accounts of that surname."""
    if hashes := address_hashes(practice_id, text):
        return set(hashes)
    surname = normal_name(text.rsplit(maxsplit=1)[-1]) if text.split() else ""
    rows = account_store.by_surname(session, practice_id, blind("surname", practice_id, surname), PAGE)
    return {one.address_hash for row in rows for one in account_store.contacts(session, row.id)}


def _line(talk: Conversation, names: Mapping[str, tuple[str, str]], care: Care | None, cases: Sequence[OpenCase],
          came: Came | None, went: Went | None) -> Line:
    name, number = names.get(talk.guarantor_id or "", ("", ""))
    last_out = went is not None and (came is None or went.created_at >= came.received_at)
    words = went.body if last_out and went is not None else str(came.payload.get("body", "")) if came else ""
    waiting = [case.due_at for case in cases if case.status == "open"]
    return Line(
        talk.id, talk.channel, talk.address, talk.language, talk.guarantor_id or "", name, number,
        (care.owner or "") if care else next((case.owner for case in cases if case.owner), "") or "",
        (care.taken_by or "") if care else "", care.waiting_since if care else None, min(waiting, default=None),
        sorted({case.kind for case in cases}), went is not None and went.status == "unknown",
        "out" if last_out else "in", words[:160], talk.last_inbound_at or talk.created_at)


def _bubbles(said: Belonging, notes: Sequence[Noted]) -> list[Bubble]:
    found = [Bubble("in", "", str(row.payload.get("body", "")), row.received_at, row.status) for row in said.received]
    found += [Bubble("staff" if row.purpose == "staff" else "out", "", row.body, row.created_at, row.status, row.id,
                     row.template) for row in said.sent]
    found += [Bubble("inner", row.by, row.body, row.at) for row in notes]
    return sorted(found, key=lambda one: one.at)[-WORDS:]
