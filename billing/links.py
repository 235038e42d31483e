"""Doors for one account: a random token in a link, expiring and revocable; only its keyed hash is kept (T-39).

Opening one reads and changes nothing, however often: a carrier's preview robot asks first, and it must neither use
the link up nor learn anything from it. What is shown behind it is for the page to decide.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing.ids import new_token
from billing.store import link_queries as store
from billing.store.seal import blind
from billing.store.tables import Link

MOST_TRIES = 5
"""Wrong answers behind one link before it is revoked (T-34)."""

LinkView = store.LinkView


def _hash(token: str) -> str:
    # The practice is not known before the token is found, so the hash is not bound to one.
    return blind("link", "", token)


def make(session: Session, practice_id: str, guarantor_id: str, purpose: str, object_id: str, days: int,
         now: datetime) -> str:
    """Make a link good for ``days`` and return its token, which is nowhere stored."""
    if days < 1:
        raise ValueError("a link is good for one day at least")
    return make_for(session, practice_id, guarantor_id, purpose, object_id, timedelta(days=days), now)


def make_for(session: Session, practice_id: str, guarantor_id: str, purpose: str, object_id: str, good_for: timedelta,
             now: datetime) -> str:
    """As ``make``, for links that live less than a day."""
    token = new_token()
    store.add(session, Link(token_hash=_hash(token), practice_id=practice_id, guarantor_id=guarantor_id,
                            purpose=purpose, object_id=object_id, created_at=now,
                            expires_at=now + good_for, tries=0))
    return token


def open(session: Session, token: str, now: datetime) -> LinkView | None:  # noqa: A001  (links.open reads as it should)
    """Return what a token opens; None, without saying why, when it is unknown, expired, revoked or used up."""
    row = store.by_hash(session, _hash(token))
    if row is None or row.revoked_at is not None or now >= row.expires_at or row.tries >= MOST_TRIES:
        return None
    return row


def find(session: Session, token: str) -> LinkView | None:
    """Return what a token was made for, expired and revoked ones too; for what is done whatever became of the link."""
    return store.by_hash(session, _hash(token))


def count_wrong_answer(session: Session, token: str) -> int:
    """Count a failed proof of identity behind the link; return how many tries are left (at 0 it opens no more)."""
    return max(MOST_TRIES - store.add_try(session, _hash(token)), 0)


def revoke(session: Session, token: str, now: datetime) -> bool:
    """Close one link; False when it is unknown or was closed before."""
    return store.revoke_where(session, now, token_hash=_hash(token)) > 0


def revoke_account(session: Session, guarantor_id: str, now: datetime) -> int:
    """Close every link of an account (wrong number, changed guarantor); return how many."""
    return store.revoke_where(session, now, guarantor_id=guarantor_id)


def revoke_object(session: Session, object_id: str, now: datetime) -> int:
    """Close every link to one object, such as a cancelled payment; return how many."""
    return store.revoke_where(session, now, object_id=object_id)
