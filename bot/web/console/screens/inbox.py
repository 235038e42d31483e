"""The inbox: every thread over all channels, and one thread with what may be done in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from billing import canned, thread_care
from billing.console import threads
from billing.store import thread_care_queries as care
from billing.store.tables import Conversation
from bot import staff_replies
from bot.web.console.fields import Id, Language, Line, Login, Maybe, Search, Ticked, Words
from bot.web.console.shared_forms import Note
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View, of_practice, there
from templates.statement_words import phone_words


class Query(Form):
    """``show``: person (somebody has to answer), unknown (nobody knows whether a message left), dispute, mine, all."""

    show: Literal["all", "person", "unknown", "dispute", "mine"] = "all"
    language: Maybe[Language] = None
    before: AwareDatetime | None = None


class Wanted(Form):
    """A telephone number, an e-mail address or a surname."""

    q: Search


Thread = threads.Line  # the field below has the module's name


@dataclass(frozen=True, slots=True)
class Inbox:
    threads: list[Thread]
    next_before: datetime | None


@dataclass(frozen=True, slots=True)
class Ready:
    canned_id: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """``ready``: words that stand ready in the thread's language, filled in."""

    thread: threads.Thread
    ready: list[Ready]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the gate would say of a reply now. ``body``: the message as the phone would show it."""

    conversation_id: str
    words: str
    body: str
    segments: int
    outcome: str
    rule: str
    reason: str
    until_at: datetime | None


class Reply(Form):
    words: Words
    once: Id


class Try(Form):
    """``once`` comes with the page's form and says nothing here."""

    words: Words
    once: Maybe[Id] = None


class Owner(Form):
    """``to`` empty: nobody's."""

    to: Maybe[Login] = None


class Here(Form):
    typing: Ticked = False


class NewCanned(Form):
    name: Line
    language: Language
    words: Words


def read(session: Session, asked: Asked[Query]) -> Inbox:
    query = asked.query
    lines = threads.listed(session, asked.practice_id, wanted=query.show, language=query.language or "",
                           owner=asked.person.login, text="", before=query.before)
    more = lines[threads.PAGE - 1].at if len(lines) > threads.PAGE else None
    return Inbox(lines[:threads.PAGE], more)


def show(session: Session, asked: Asked[Here]) -> ThreadPage | None:
    found = threads.load(session, asked.practice_id, asked.path["conversation_id"], asked.person.login, asked.now)
    if found is None:
        return None
    phone = phone_words(asked.policy.phone)
    return ThreadPage(found, [Ready(row.id, row.name, canned.fill(row.words, asked.policy, phone))
                              for row in canned.every(session, asked.practice_id, found.language)])


def search(session: Session, asked: Asked[Wanted]) -> Done:
    lines = threads.listed(session, asked.practice_id, wanted="all", language="", owner="", text=asked.query.q,
                           before=None)
    return Done("practice", "inbox", "/inbox", "", Inbox(lines[:threads.PAGE], None), "found_threads")


def foresee(session: Session, asked: Asked[Try]) -> Done:
    """Asks the gate and queues nothing."""
    talk = _talk(session, asked)
    ruling, row = staff_replies.foresee(session, asked.policy, talk, asked.query.words, asked.now)
    return Done("conversation", talk.id, f"/inbox/{talk.id}", "", Foreseen(
        talk.id, asked.query.words, row.body, row.segments, ruling.outcome, ruling.rule, ruling.reason,
        ruling.until_at), "foreseen")


def reply(session: Session, asked: Asked[Reply]) -> Done:
    """The words leave by the same gate; a thread that waits for a person waits no more."""
    talk = _lock(session, asked)
    row = staff_replies.queue(session, asked.policy, talk, asked.query.words, f"console:{talk.id}:{asked.query.once}",
                              asked.now, talk.guarantor_id)
    thread_care.answered(session, asked.practice_id, talk.id)
    return Done("message", row.id, f"/inbox/{talk.id}", f"reply_{row.status}",
                {"message_id": row.id, "status": row.status})


def take(session: Session, asked: Asked[Nothing]) -> Done:
    talk = _talk(session, asked)
    thread_care.take(session, asked.practice_id, talk.id, asked.person.login, asked.now)
    return Done("conversation", talk.id, f"/inbox/{talk.id}")


def hand_back(session: Session, asked: Asked[Nothing]) -> Done:
    talk = _talk(session, asked)
    thread_care.hand_back(session, asked.practice_id, talk.id)
    return Done("conversation", talk.id, f"/inbox/{talk.id}")


def assign(session: Session, asked: Asked[Owner]) -> Done:
    talk = _talk(session, asked)
    thread_care.assign(session, asked.practice_id, talk.id, asked.query.to or "")
    return Done("conversation", talk.id, f"/inbox/{talk.id}")


def note(session: Session, asked: Asked[Note]) -> Done:
    talk = _talk(session, asked)
    row = thread_care.note(session, asked.practice_id, talk.id, asked.person.login, asked.query.body, asked.now)
    return Done("conversation", talk.id, f"/inbox/{talk.id}", result={"note_id": row.id})


def here(session: Session, asked: Asked[Here]) -> None:
    """A thread that is open on somebody's screen says so by being asked for again and again."""
    thread_care.here(session, asked.practice_id, asked.path["conversation_id"], asked.person.login,
                     asked.query.typing, asked.now)


def keep_canned(session: Session, asked: Asked[NewCanned]) -> Done:
    form = asked.query
    row = canned.save(session, asked.practice_id, form.name, form.language, form.words, asked.person.login, asked.now)
    return Done("canned_reply", row.id, "/inbox", result={"canned_id": row.id})


def _talk(session: Session, asked: Asked[Nothing] | Asked[Owner] | Asked[Note] | Asked[Try]) -> Conversation:
    return there(care.talk(session, asked.practice_id, asked.path["conversation_id"]))


def _lock(session: Session, asked: Asked[Reply]) -> Conversation:
    return there(care.lock_talk(session, asked.practice_id, asked.path["conversation_id"]))


_ONE = "/inbox/{conversation_id}"
VIEWS = (
    View("inbox", "/inbox", "read", read, Inbox, Query, of_practice("inbox")),
    View("thread", _ONE, "read", show, ThreadPage, Here,
         lambda found: Seen("conversation", found.thread.conversation_id), leaves=here),
    View("inbox_live", "/inbox-live", "read", read, Inbox, Query, of_practice("inbox"), quiet=True),
    View("thread_live", f"{_ONE}/live", "read", show, ThreadPage, Here,
         lambda found: Seen("conversation", found.thread.conversation_id), quiet=True, leaves=here),
)
ACTIONS = (
    Action("inbox.search", "/inbox/search", "read", Wanted, search),
    Action("thread.foresee", f"{_ONE}/foresee", "send", Try, foresee),
    Action("thread.reply", f"{_ONE}/replies", "send", Reply, reply),
    Action("thread.take", f"{_ONE}/take", "cases", Nothing, take),
    Action("thread.hand_back", f"{_ONE}/hand-back", "cases", Nothing, hand_back),
    Action("thread.assign", f"{_ONE}/owner", "cases", Owner, assign),
    Action("thread.note", f"{_ONE}/notes", "cases", Note, note),
    Action("canned.save", "/canned", "cases", NewCanned, keep_canned),
)
