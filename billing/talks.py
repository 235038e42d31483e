"""Opening a conversation: when somebody texts for the first time, or pays before ever having texted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.store import account_queries, payment_queries
from billing.store.tables import Conversation, Guarantor


def open_talk(session: Session, practice_id: str, channel: str, address: str, address_hash: str, language: str,
              now: datetime) -> Conversation:
    """Make the conversation of a number that has none; the caller has looked. Its state is empty: nothing is open."""
    made = Conversation(id=new_id("conv"), practice_id=practice_id, channel=channel, address=address,
                        address_hash=address_hash, language=language, language_chosen=False, state={}, tries=0,
                        version=0, created_at=now)
    session.add(made)
    session.flush()
    return made


def latest_talk(session: Session, practice_id: str, guarantor_id: str, now: datetime) -> str | None:
    """The id of the conversation in which an account spoke with us last; where it never did, as ``talk_of_account``."""
    return (payment_queries.latest_conversation(session, practice_id, guarantor_id)
            or talk_of_account(session, practice_id, guarantor_id, now))


def talk_of_account(session: Session, practice_id: str, guarantor_id: str, now: datetime) -> str | None:
    """The id of the conversation in which an account hears of its payments, opened at its number if need be; None
    without a number that works.
    """
    contact = account_queries.text_contact(session, guarantor_id)
    if contact is None:
        return None
    known = account_queries.talk_at(session, practice_id, contact.channel, contact.address_hash)
    if known is not None:
        return known.id
    language = session.get_one(Guarantor, guarantor_id).language
    return open_talk(session, practice_id, contact.channel, contact.address, contact.address_hash, language, now).id
