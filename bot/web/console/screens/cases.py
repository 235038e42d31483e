"""Cases: what waits for a person, the one due first on top; a case with all that was said about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from billing import case_files, cases
from billing.store import console_work_queries as store
from billing.store import road_queries
from billing.store.tables import Case
from bot import staff_replies
from bot.web.console.fields import Code, Login, Maybe, Reason, Several, Ticked, Words
from bot.web.console.shared_forms import Note
from bot.web.console.table import Action, Asked, Done, Download, File, Form, Nothing, Seen, View, of_practice, there

PAGE = 50
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf", "image/heic": "heic",
            "image/webp": "webp"}


class Query(Form):
    """``after_at``, ``after_number``: where the page before ended."""

    kind: Maybe[Code] = None
    owner: Maybe[Login] = None
    state: Literal["open", "closed"] = "open"
    after_at: AwareDatetime | None = None
    after_number: int = Field(default=0, ge=0, le=2**31)


@dataclass(frozen=True, slots=True)
class Kind:
    kind: str
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Line:
    case_id: str
    number: int
    kind: str
    title: str
    status: str
    owner: str
    level: int
    account_id: str
    account_number: str
    due_at: datetime
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    kinds: list[Kind]
    lines: list[Line]
    more: bool


@dataclass(frozen=True, slots=True)
class Told:
    at: datetime
    by: str
    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Paper:
    number: int
    label: str
    media_type: str
    bytes_count: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class CasePage:
    case_id: str
    number: int
    kind: str
    title: str
    detail: str
    reason: str
    status: str
    owner: str
    account_id: str
    conversation_id: str
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    resolution: str
    told: list[Told]
    papers: list[Paper]


class Answer(Form):
    """``text``: also send it into the thread that the case came from."""

    words: Words
    text: Ticked = False


class Owner(Form):
    to: Login


class Close(Form):
    resolution: Reason


class CloseMany(Form):
    """One resolution for all that are ticked; all of them close, or none does."""

    case_ids: Several[Code] = Field(min_length=1)
    resolution: Reason


def read(session: Session, asked: Asked[Query]) -> Work:
    query = asked.query
    after = (query.after_at, query.after_number) if query.after_at else None
    rows = store.page(session, asked.practice_id, kind=query.kind or "", owner=query.owner or "",
                      closed=query.state == "closed", after=after, most=PAGE + 1)
    return Work([Kind(*one) for one in store.counts(session, asked.practice_id, asked.now)],
                [_line(case, number) for case, number in rows[:PAGE]], len(rows) > PAGE)


def show(session: Session, asked: Asked[Nothing]) -> CasePage | None:
    case = store.case(session, asked.practice_id, asked.path["case_id"])
    if case is None:
        return None
    return CasePage(
        case.id, case.number, case.kind, case.title, case.detail, case.reason or "", case.status, case.owner or "",
        case.guarantor_id or "", case.conversation_id or "", case.due_at, case.opened_at, case.closed_at,
        case.closed_by or "", case.resolution or "",
        [Told(one.at, one.by, one.kind, one.body) for one in cases.notes(session, case.id)],
        [Paper(one.number, one.label, one.media_type, one.bytes_count, one.sent_at)
         for one in case_files.list_files(session, case.id)])


def paper(session: Session, asked: Asked[Nothing]) -> tuple[case_files.FileFacts, bytes, str] | None:
    case, number = store.case(session, asked.practice_id, asked.path["case_id"]), asked.path["number"]
    if case is None or not (number.isascii() and number.isdecimal() and len(number) < 6):
        return None
    found = case_files.open_file(session, case.id, int(number))
    return (*found, case.id) if found is not None else None


def as_file(found: tuple[case_files.FileFacts, bytes, str], asked: Asked[Nothing]) -> File:
    facts, content, _ = found
    return File(f"{facts.label}-{facts.number}.{_ENDINGS.get(facts.media_type, 'bin')}", facts.media_type, content)


def answer(session: Session, asked: Asked[Answer]) -> Done:
    """Keep the answer with the case, and send it by the gate if it was wished."""
    case, words = _case(session, asked), asked.query.words
    cases.reply(session, asked.practice_id, case.id, by=asked.person.login, body=words, now=asked.now)
    talk = road_queries.lock_conversation_by_id(session, case.conversation_id) if case.conversation_id else None
    if not asked.query.text or talk is None:
        return Done("case", case.id, f"/cases/{case.id}")
    number = sum(note.kind == "reply" for note in cases.notes(session, case.id))
    row = staff_replies.queue(session, asked.policy, talk, words, f"case:{case.id}:reply:{number}", asked.now,
                              case.guarantor_id)
    return Done("case", case.id, f"/cases/{case.id}", f"reply_{row.status}",
                {"message_id": row.id, "status": row.status})


def note(session: Session, asked: Asked[Note]) -> Done:
    case = _case(session, asked)
    cases.add_note(session, asked.practice_id, case.id, by=asked.person.login, body=asked.query.body, now=asked.now)
    return Done("case", case.id, f"/cases/{case.id}")


def assign(session: Session, asked: Asked[Owner]) -> Done:
    case = _case(session, asked)
    cases.assign(session, asked.practice_id, case.id, to=asked.query.to, by=asked.person.login, now=asked.now)
    return Done("case", case.id, f"/cases/{case.id}")


def close(session: Session, asked: Asked[Close]) -> Done:
    case = _case(session, asked)
    cases.close(session, asked.practice_id, case.id, by=asked.person.login, resolution=asked.query.resolution,
                now=asked.now)
    return Done("case", case.id, "/cases", "case_closed")


def close_many(session: Session, asked: Asked[CloseMany]) -> Done:
    for case_id in asked.query.case_ids:
        there(store.case(session, asked.practice_id, case_id))
        cases.close(session, asked.practice_id, case_id, by=asked.person.login, resolution=asked.query.resolution,
                    now=asked.now)
    return Done("case", asked.query.case_ids[0], "/cases", "case_closed",
                {"closed": list(asked.query.case_ids)})


def _case(session: Session, asked: Asked[Answer] | Asked[Note] | Asked[Owner] | Asked[Close]) -> Case:
    return there(store.case(session, asked.practice_id, asked.path["case_id"]))


def _line(case: Case, account_number: str | None) -> Line:
    return Line(case.id, case.number, case.kind, case.title, case.status, case.owner or "", case.level,
                case.guarantor_id or "", account_number or "", case.due_at, case.opened_at)


VIEWS = (
    View("cases", "/cases", "read", read, Work, Query, of_practice("cases")),
    View("case", "/cases/{case_id}", "read", show, CasePage, seen=lambda found: Seen("case", found.case_id)),
    Download("case_paper", "/cases/{case_id}/papers/{number}", "cases", paper, as_file,
             seen=lambda found: Seen("case", found[2])),
)
ACTIONS = (
    Action("case.reply", "/cases/{case_id}/replies", "cases", Answer, answer),
    Action("case.note", "/cases/{case_id}/notes", "cases", Note, note),
    Action("case.assign", "/cases/{case_id}/owner", "cases", Owner, assign),
    Action("case.close", "/cases/{case_id}/close", "cases", Close, close),
    Action("case.close_many", "/cases/close", "cases", CloseMany, close_many),
)
