"""SQL of chats that are joined to accounts, and of buttons that were pressed in them."""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from billing.store.tables import ContactPoint, Conversation, Inbox, Outbox


def language_of(session: Session, practice_id: str, channel: str, address_hash: str) -> str:
    """The language of the conversation at an address; empty when there is none yet."""
    return session.scalar(select(Conversation.language).where(
        Conversation.practice_id == practice_id, Conversation.channel == channel,
        Conversation.address_hash == address_hash)) or ""


def set_status(session: Session, practice_id: str, channel: str, address_hash: str, status: str) -> list[str]:
    """Set the state of every account's contact point at an address; return the accounts."""
    mine = (ContactPoint.practice_id == practice_id, ContactPoint.channel == channel,
            ContactPoint.address_hash == address_hash)
    found = list(session.scalars(select(ContactPoint.guarantor_id).where(*mine).order_by(ContactPoint.guarantor_id)))
    session.execute(update(ContactPoint).where(*mine).values(status=status))
    return found


def pressed_message(session: Session, outbox_id: str) -> Outbox | None:
    return session.get(Outbox, outbox_id)


def worked_since(session: Session, pressed: Outbox, row: Inbox) -> bool:
    """Whether anything came between the message whose button was pressed and the press: its question is another's."""
    between = select(Inbox.id).where(Inbox.thread == row.thread, Inbox.id < row.id, Inbox.status == "done",
                                     Inbox.received_at >= pressed.created_at)
    if pressed.reply_to is not None:
        between = select(Inbox.id).where(Inbox.thread == row.thread, Inbox.id < row.id, Inbox.id > pressed.reply_to)
    return bool(session.scalar(select(exists(between))))
