"""The turn in which a command was decided, and what every command may need of it: a link, a line in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, links
from billing.store.practices import policy_in

#: Purposes of links whose page is for today only.
ONE_DAY = frozenset({"passcode", "card"})


@dataclass(frozen=True, slots=True)
class Context:
    """The turn in which a command was decided. ``inbox_id`` is the text that it answers; ``actor`` is for the audit.

    On a page ``conversation_id`` is empty where the account has no number, and ``medium`` is form.
    """

    practice_id: str
    conversation_id: str
    address: str
    address_hash: str
    channel: str
    inbox_id: int | None
    language: str
    now: datetime
    actor: str = "patient"
    medium: str = "text"

    @property
    def message_ref(self) -> str | None:
        return f"inbox:{self.inbox_id}" if self.inbox_id is not None else None


def make_link(session: Session, context: Context, account_id: str, purpose: str, object_id: str) -> str:
    """A link's token; it stays open as long as the practice says, one day for those of ONE_DAY."""
    policy = policy_in(session, context.practice_id)
    record(session, context, f"link_{purpose}", account_id, object_id)
    days = 1 if purpose in ONE_DAY else policy.link_days
    return links.make(session, context.practice_id, account_id, purpose, object_id, days, context.now)


def record(session: Session, context: Context, action: str, account_id: str, reason: str) -> None:
    audit.record(session, context.practice_id, context.actor, action, "account", account_id, reason, context.now)
