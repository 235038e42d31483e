"""Questions that nobody answered: the conversation hears of it as an event, in its own lane and in order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import inbox
from billing.store import road_queries

AT_ONCE = 100


def accept_timeouts(session: Session, now: datetime) -> int:
    """Accept one time-out event for each conversation whose question is old enough; return how many.

    The event carries the conversation's version: a text that comes first makes it void.
    """
    silent = road_queries.silent_conversations(session, now, AT_ONCE)
    for talk in silent:
        inbox.accept_news(session, talk, "timeout", f"timeout:{talk.id}:{talk.version}", now, version=talk.version)
        talk.silent_at = None
    return len(silent)
