"""Other words for a message: asked for by one person, in force for patients once another has read them.

Whether words will do is checked where words are (templates/wordcheck.py); here is who may, and which ones stand.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, second_person
from billing.ids import new_id
from billing.store import words_queries as store
from billing.store.tables import WordsChange
from config.practice import PracticePolicy

PROPOSED, IN_FORCE, DECLINED, REPLACED = "proposed", "in_force", "declined", "replaced"


class WordsRefused(ValueError):
    """Words that cannot be asked for or reviewed as things stand. The text says why."""


def propose(session: Session, practice_id: str, *, template: str, language: str, words: str, shipped_version: str,
            reason: str, by: str, now: datetime) -> WordsChange:
    """Keep words that passed their checks until somebody else has read them. One proposal waits at a time for a message
    in a language; a newer one takes its place. Raises WordsRefused.
    """
    for older in store.standing(session, practice_id, language, template, PROPOSED):
        if older.words == words:
            raise WordsRefused("these words wait for their review already")
        _end(older, REPLACED, by, now)
    row = store.add(session, WordsChange(
        id=new_id("word"), practice_id=practice_id, language=language, template=template, words=words,
        shipped_version=shipped_version, reason=reason, status=PROPOSED, asked_by=by, asked_at=now, review_note=""))
    audit.record(session, practice_id, by, "words_proposed", "words_change", row.id, f"{language}/{template}", now)
    return row


def approve(session: Session, practice_id: str, change_id: str, *, by: str, note: str, shipped_version: str,
            policy: PracticePolicy, now: datetime) -> WordsChange:
    """From now on patients read these words. ``shipped_version``: of the message's file today; words for an older one
    are asked for anew. Raises WordsRefused, staff.StaffRefused, LookupError.
    """
    row = _waiting(session, practice_id, change_id)
    if row.shipped_version != shipped_version:
        raise WordsRefused("a release has changed this message since; look at it and propose the words again")
    how = second_person.require(session, practice_id, by=by, asked_by=row.asked_by, asked_at=row.asked_at,
                                role="supervisor", policy=policy, now=now)
    for older in store.standing(session, practice_id, row.language, row.template, IN_FORCE):
        older.status = REPLACED
    row.status, row.reviewed_by, row.reviewed_at, row.review_note = IN_FORCE, by, now, note
    audit.record(session, practice_id, by, "words_approved", "words_change", row.id, how, now)
    session.flush()
    return row


def decline(session: Session, practice_id: str, change_id: str, *, by: str, note: str, now: datetime) -> WordsChange:
    """The words stay as they are. Raises WordsRefused, LookupError."""
    row = _waiting(session, practice_id, change_id)
    _end(row, DECLINED, by, now)
    row.review_note = note
    audit.record(session, practice_id, by, "words_declined", "words_change", row.id, "", now)
    session.flush()
    return row


def _end(row: WordsChange, status: str, by: str, now: datetime) -> None:
    row.status, row.reviewed_by, row.reviewed_at = status, by, now


def _waiting(session: Session, practice_id: str, change_id: str) -> WordsChange:
    row = store.lock(session, practice_id, change_id)
    if row is None:
        raise LookupError("there is no such change")
    if row.status != PROPOSED:
        raise WordsRefused(f"these words are {row.status.replace('_', ' ')} already")
    return row
