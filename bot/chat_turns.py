"""What is special about a turn in a chat with buttons and deep links, before and after it is decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import chats
from billing.store import account_queries, chat_queries
from billing.store.tables import Conversation, Guarantor, Inbox
from handlers import understanding
from handlers.core import Happened, Reading, Text
from handlers.understanding.model.classify import KNOWN

_ANSWERS = ("yes", "no", "back", "repeat")


def arrive(session: Session, talk: Conversation, row: Inbox, message: Text | Happened, now: datetime,
           ) -> Text | Happened:
    """The message as the conversation hears it: a deep link that joins the chat is an event, and so is a button of a
    question that is not open any more: the yes to one question must not answer another.
    """
    if row.payload.get("start") and _joins(session, talk, row, now):
        return Happened("chat_joined", {"wording": "/start"})
    if isinstance(message, Text) and row.payload.get("button") and _is_stale(session, talk, row, message, now):
        return Happened("old_button", {})
    return message


def _joins(session: Session, talk: Conversation, row: Inbox, now: datetime) -> bool:
    """Spend the link; the conversation goes on in the account's language, and nobody is verified yet."""
    joined = chats.join(session, row.practice_id, row.payload["start"], talk.address, talk.address_hash, now)
    if joined is None:
        return False
    talk.guarantor_id = talk.verified_at = None
    talk.language = session.get_one(Guarantor, joined).language
    return True


def _is_stale(session: Session, talk: Conversation, row: Inbox, message: Text, now: datetime) -> bool:
    """An old "Pay" still means pay. An old "Yes" or "2" means nothing once its question is closed."""
    pressed = chat_queries.pressed_message(session, row.payload["button"])
    if pressed is None or pressed.conversation_id != talk.id:
        return True
    return chat_queries.worked_since(session, pressed, row) and not stands_alone(
        understanding.read(message.body, talk.language, now.date()))


def stands_alone(reading: Reading) -> bool:
    """Whether a button's text says by itself what is wanted, whatever was asked before."""
    answers = reading.slots.choices or reading.slots.amount_is_all or reading.intent in _ANSWERS
    known = reading.intent != "out_of_scope" and reading.confidence >= KNOWN
    return not answers and (bool(reading.fixed) or known)


def attached(session: Session, template: str, account_id: str | None) -> str | None:
    """The statement that goes along with its words as a PDF: the one that this very turn has made."""
    if template != "telegram_statement" or account_id is None:
        return None
    made = account_queries.newest_statement(session, account_id)
    return made.id if made is not None else None
