"""Words that stand ready for staff, per language, with placeholders that are filled before anybody sends.

Only what names nobody and no amount may be filled in: a reply by text is open to whoever holds the phone (T-32).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.store import canned_queries as store
from billing.store.tables import CannedReply
from config.practice import PracticePolicy

PLACEHOLDERS = ("practice", "phone", "website", "hours")


class CannedRefused(ValueError):
    """Words that cannot stand ready. The text says why."""


def save(session: Session, practice_id: str, name: str, language: str, words: str, by: str,
         now: datetime) -> CannedReply:
    """Keep words under a name, in place of what was kept under it before. Raises CannedRefused for a placeholder that
    there is not.
    """
    unknown = sorted(set(re.findall(r"\{(\w*)\}", words)) - set(PLACEHOLDERS))
    if unknown or words.count("{") != len(re.findall(r"\{\w+\}", words)):
        raise CannedRefused(f"a placeholder is one of {', '.join('{' + one + '}' for one in PLACEHOLDERS)}")
    row = store.named(session, practice_id, name, language)
    if row is None:
        row = store.add(session, CannedReply(id=new_id("canned"), practice_id=practice_id, name=name,
                                             language=language, words=words, by=by, at=now))
    row.words, row.by, row.at, row.retired_at = words, by, now, None
    session.flush()
    return row


def retire(session: Session, practice_id: str, canned_id: str, now: datetime) -> CannedReply:
    """Raises CannedRefused for words that are not there."""
    row = store.by_id(session, practice_id, canned_id)
    if row is None:
        raise CannedRefused("there are no such words")
    row.retired_at = now
    return row


def every(session: Session, practice_id: str, language: str = "") -> Sequence[CannedReply]:
    return store.standing(session, practice_id, language)


def fill(words: str, policy: PracticePolicy, phone: str) -> str:
    """``phone`` as people read it. A placeholder that the practice has nothing for is left standing: somebody looks."""
    week = policy.office_hours.weekday
    known = {"practice": policy.name, "phone": phone, "website": policy.website or "",
             "hours": f"{week.opens}-{week.closes}" if week.opens else ""}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1]) or found[0], words)
