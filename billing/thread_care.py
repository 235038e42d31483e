"""Who looks after a conversation: its owner, whether a person has taken it over from the bot, who reads and types.

While it is taken, the bot answers STOP, HELP, START, a card number and an emergency, and nothing else; every text of
the patient's waits for the person. Handing it back lets the bot go on from nothing: no question is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import staff
from billing.ids import new_id
from billing.store import practices
from billing.store import thread_care_queries as store
from billing.store.tables import Conversation, ThreadCare, ThreadNote
from billing.store.thread_care_queries import Noted

HERE_FOR, TYPING_FOR = timedelta(seconds=20), timedelta(seconds=8)
"""How long a sign of somebody lasts: pages renew it while they are open."""


class CareRefused(ValueError):
    """What cannot be done with a conversation now. The text says why; no PHI."""


@dataclass(frozen=True, slots=True)
class Near:
    """Somebody who has the thread open; ``typing``: about to answer."""

    login: str
    typing: bool


def is_taken(session: Session, conversation_id: str) -> bool:
    return store.is_taken(session, conversation_id)


def wrote(session: Session, conversation_id: str, now: datetime) -> None:
    """The patient wrote in a thread that a person has taken: it waits from the oldest text that is unanswered."""
    row = store.lock(session, conversation_id)
    if row is not None and row.taken_at is not None:
        row.waiting_since = row.waiting_since or now
        row.version += 1


def answered(session: Session, practice_id: str, conversation_id: str) -> None:
    """Somebody answered: nothing waits."""
    row = _row(session, practice_id, conversation_id)
    row.waiting_since = None
    row.version += 1


def take(session: Session, practice_id: str, conversation_id: str, by: str, now: datetime) -> ThreadCare:
    """A person answers from now on. Raises CareRefused where a colleague has it already."""
    talk = store.lock_talk(session, practice_id, conversation_id)  # before its care, as every turn locks them
    if talk is None:
        raise CareRefused("there is no such conversation")
    row = _row(session, practice_id, conversation_id)
    if row.taken_by not in (None, by):
        raise CareRefused(f"{row.taken_by} has taken this thread; ask them to hand it back, or take it from them "
                          "by assigning it to yourself")
    talk.state, talk.silent_at = {}, None  # nothing of ours stays open that nobody would answer
    talk.version += 1
    row.taken_by, row.taken_at, row.owner = by, row.taken_at or now, by
    row.version += 1
    return row


def hand_back(session: Session, practice_id: str, conversation_id: str) -> ThreadCare:
    """The bot answers again. Raises CareRefused for a thread that it never left."""
    row = _row(session, practice_id, conversation_id)
    if row.taken_at is None:
        raise CareRefused("the bot has this thread already")
    row.taken_by = row.taken_at = row.waiting_since = None
    row.version += 1
    return row


def assign(session: Session, practice_id: str, conversation_id: str, to: str) -> ThreadCare:
    """Put a thread into somebody's care; one that is taken goes to them. ``to`` empty: nobody's."""
    person = practices.find_staff(session, practice_id, to) if to else None
    if to and (person is None or not person.active or "cases" not in staff.RIGHTS[person.role]):
        raise CareRefused(f"{to!r} is nobody here who answers patients")
    row = _row(session, practice_id, conversation_id)
    if row.taken_at is not None and not to:
        raise CareRefused("hand the thread back to the bot first")
    row.owner = to or None
    row.taken_by = to if row.taken_at is not None else None
    row.version += 1
    return row


def note(session: Session, practice_id: str, conversation_id: str, by: str, body: str, now: datetime) -> ThreadNote:
    """A word among colleagues."""
    row = _row(session, practice_id, conversation_id)
    row.version += 1
    return store.add_note(session, ThreadNote(id=new_id("note"), practice_id=practice_id, by=by, body=body, at=now,
                                              conversation_id=conversation_id))


def here(session: Session, practice_id: str, conversation_id: str, login: str, typing: bool, now: datetime) -> None:
    """Somebody has the thread open."""
    store.be_present(session, practice_id, conversation_id, login, now, now if typing else None)


def beside(session: Session, conversation_id: str, but: str, now: datetime) -> tuple[list[Noted], list[Near]]:
    """What colleagues noted, and who else has the thread open now."""
    notes, present = store.beside(session, conversation_id, now - HERE_FOR)
    return notes, [Near(one.login, one.typing_at is not None and now - one.typing_at < TYPING_FOR)
                   for one in present if one.login != but]


def _row(session: Session, practice_id: str, conversation_id: str) -> ThreadCare:
    row = store.lock(session, conversation_id)
    if row is not None:
        return row
    talk: Conversation | None = store.talk(session, practice_id, conversation_id)
    if talk is None:
        raise CareRefused("there is no such conversation")
    return store.add(session, ThreadCare(conversation_id=conversation_id, practice_id=practice_id, version=0))
