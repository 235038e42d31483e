"""Patients who were told a wrong amount hear it put right: once for a cause, after a second person has read why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, figures, second_person
from billing.ids import new_id
from billing.store import correction_queries as store
from billing.store.tables import Correction
from config.practice import PracticePolicy

PROPOSED, TOLD, UNTOLD, DECLINED = "proposed", "told", "untold", "declined"


class CorrectionRefused(ValueError):
    """A correction that cannot be asked for or reviewed as things stand. The text says why; no PHI."""


def propose(session: Session, practice_id: str, account_ids: Collection[str], cause: str, reason: str, *,
            since: datetime, by: str, today: date, now: datetime) -> list[Correction]:
    """Ask for a correction for each of these accounts that was told something since then which is not what is due now.

    An account has one for a cause, and one that waits at a time. Nothing is said to anybody yet.
    """
    told = store.said(session, practice_id, account_ids, since)
    right = figures.accounts_figures(session, practice_id, sorted(told), today)
    known = store.corrected(session, practice_id, sorted(told), cause)
    made = []
    for account_id, (said_minor, said_at) in sorted(told.items()):
        due = right[account_id].total.due_now_minor if account_id in right else 0
        if account_id in known or said_minor == due:
            continue
        row = Correction(
            id=new_id("corr"), practice_id=practice_id, guarantor_id=account_id, cause=cause, reason=reason,
            said_minor=said_minor, right_minor=due, said_at=said_at, status=PROPOSED, asked_by=by, asked_at=now)
        store.add(session, row)
        made.append(row)
    return made


def ask(session: Session, practice_id: str, account_id: str, reason: str, *, since: datetime, by: str, today: date,
        now: datetime) -> Correction:
    """As ``propose``, for one account by hand. Raises CorrectionRefused where there is nothing to put right."""
    made = propose(session, practice_id, [account_id], f"said:{now.isoformat()}", reason, since=since, by=by,
                   today=today, now=now)
    if not made:
        raise CorrectionRefused("nothing that this account was told differs from what is due now, or a correction "
                                "waits for its review already")
    audit.record(session, practice_id, by, "correction_asked", "correction", made[0].id, "", now)
    return made[0]


def review(session: Session, practice_id: str, correction_id: str, *, due_minor: int, by: str, note: str,
           policy: PracticePolicy, now: datetime) -> Correction:
    """Another person has read it and lets it go; whoever calls queues the message. ``due_minor``: what is due now;
    where that is what was said, nothing was wrong. Raises CorrectionRefused, staff.StaffRefused, LookupError.
    """
    row = find(session, practice_id, correction_id)
    if row.said_minor == due_minor:
        raise CorrectionRefused("what they were told is what is due again, so there is nothing to put right; decline "
                                "it with that note")
    row.right_minor = due_minor
    how = second_person.require(session, practice_id, by=by, asked_by=row.asked_by, asked_at=row.asked_at,
                                role="supervisor", policy=policy, now=now)
    row.reviewed_by, row.reviewed_at, row.review_note = by, now, note
    audit.record(session, practice_id, by, "correction_approved", "correction", row.id, how, now)
    session.flush()
    return row


def decline(session: Session, practice_id: str, correction_id: str, *, by: str, note: str, now: datetime) -> Correction:
    """Nobody is told anything. Raises CorrectionRefused."""
    row = find(session, practice_id, correction_id)
    if not note.strip():
        raise CorrectionRefused("say why nobody is told: it stays beside the correction")
    row.status, row.reviewed_by, row.reviewed_at, row.review_note = DECLINED, by, now, note
    audit.record(session, practice_id, by, "correction_declined", "correction", row.id, "", now)
    session.flush()
    return row


def find(session: Session, practice_id: str, correction_id: str) -> Correction:
    """One that waits, locked. Raises CorrectionRefused, LookupError."""
    row = store.lock_correction(session, practice_id, correction_id)
    if row is None:
        raise LookupError("there is no such correction")
    if row.status != PROPOSED:
        raise CorrectionRefused(f"this correction is {row.status} already")
    return row
