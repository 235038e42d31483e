"""Notices to staff: who has a patient's case now is told by text, with its number and by when; never with PHI."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import outbox
from billing.phones import address_hash
from billing.store import road_queries
from billing.store.practices import find_practice, find_staff, policy_of
from billing.store.tables import Case
from bot import own_words
from config.practice import PracticePolicy
from templates.render import render

AT_ONCE = 50
CHANNEL = "sms"


def queue_notices(session: Session, now: datetime) -> int:
    """Queue a notice for each case whose holder was not told; return how many were queued.

    Somebody without a number on file sees the case in ``plainbill cases list`` alone.
    """
    queued = 0
    for case in road_queries.untold_cases(session, AT_ONCE):
        practice = find_practice(session, case.practice_id)
        if practice is not None:
            queued += sum(_queue(session, case, policy_of(practice), number, now)
                          for number in _numbers(session, case, policy_of(practice)))
        case.told_level = case.level
    return queued


def _numbers(session: Session, case: Case, policy: PracticePolicy) -> list[str]:
    """The holder's number; for an emergency also that of whoever is on call."""
    holder = find_staff(session, case.practice_id, case.owner) if case.owner else None
    on_call = policy.on_call_phone if case.kind == "emergency" else None
    return [number for number in dict.fromkeys((holder.phone if holder else None, on_call)) if number]


def _queue(session: Session, case: Case, policy: PracticePolicy, number: str, now: datetime) -> bool:
    by_at = case.due_at.astimezone(ZoneInfo(policy.zone))
    arguments = {"practice": policy.name, "number": case.number, "title": case.title, "by_at": by_at}
    with own_words.spoken_for(session, case.practice_id):
        words = render("staff_notice", "en", arguments, CHANNEL)
    hashed = address_hash(case.practice_id, CHANNEL, number)
    row = outbox.put(session, outbox.Draft(
        case.practice_id, CHANNEL, number, hashed, "staff", "staff_notice", words.version, "en", words.privacy,
        words.body, words.segments, f"notice:{case.id}:{case.level}:{hashed[:8]}", arguments), now)
    return row.status == "queued"
