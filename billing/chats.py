"""A chat of another network joined to an account by a one-time link, and parted again (T-19).

The link goes by text to the number that was verified there, so whoever opens it holds that phone; who they are is
still asked before anything is said. The chat is a contact point like a number, with consents of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import audit, consents, links
from billing.contact_status import UNLINKED
from billing.ids import new_id
from billing.store import chat_queries, csv_queries
from billing.store.tables import ContactPoint

PURPOSE = "telegram"
CHANNEL = "telegram"
WORDING = "opened the one-time link, sent by text, to get billing text messages in this Telegram chat"


def make_link(session: Session, practice_id: str, guarantor_id: str, minutes: int, now: datetime) -> str:
    """Return the token of a link good once and for ``minutes``; an older one of the account is good no more."""
    name = f"{PURPOSE}:{guarantor_id}"
    links.revoke_object(session, name, now)
    return links.make_for(session, practice_id, guarantor_id, PURPOSE, name, timedelta(minutes=minutes), now)


def join(session: Session, practice_id: str, token: str, address: str, address_hash: str, now: datetime) -> str | None:
    """Spend a link and join the chat to its account; return the account. None, without saying why, for a token that
    is unknown, another's, expired or used: the chat then stays what it was.
    """
    link = links.open(session, token, now)
    if link is None or link.purpose != PURPOSE or link.practice_id != practice_id:
        return None
    if not links.revoke(session, token, now):
        return None
    known = csv_queries.contact_of(session, link.guarantor_id, CHANNEL, address_hash)
    if known is None:
        session.add(ContactPoint(
            id=new_id("con"), practice_id=practice_id, guarantor_id=link.guarantor_id, channel=CHANNEL,
            address=address, address_hash=address_hash, status="ok", source="link", created_at=now))
    else:
        known.status = "ok"
    consents.record_given(session, practice_id, CHANNEL, address_hash, guarantor_id=link.guarantor_id,
                          wording=WORDING, medium="text", recorded_by="patient", now=now)
    audit.record(session, practice_id, "patient", "chat_joined", "account", link.guarantor_id, CHANNEL, now)
    session.flush()
    return link.guarantor_id


def part(session: Session, practice_id: str, address_hash: str, *, wording: str, by: str, now: datetime) -> int:
    """Take a chat off every account it was joined to, and void what was agreed to for it; return off how many."""
    accounts = chat_queries.set_status(session, practice_id, CHANNEL, address_hash, UNLINKED)
    consents.void(session, practice_id, CHANNEL, address_hash, wording=wording, recorded_by=by, now=now)
    for guarantor_id in accounts:
        audit.record(session, practice_id, by, "chat_parted", "account", guarantor_id, CHANNEL, now)
    return len(accounts)
