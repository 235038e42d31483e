"""Work on a payer's answer that is missing or no: who does it, until when, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, staff
from billing.store import console_claim_queries as store
from billing.store.tables import ClaimWork

#: What may come of it. Those of DONE end the work: the line leaves the list.
OUTCOMES = ("", "called", "sent_again", "corrected", "appealed", "paid", "upheld", "patient_owes", "written_off",
            "other_payer")
DONE = ("paid", "upheld", "patient_owes", "written_off", "other_payer")


class ClaimWorkRefused(ValueError):
    """What cannot be kept about a claim. The text says why; no PHI."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is set; None leaves a field as it is. ``owner`` empty: nobody's."""

    owner: str | None = None
    file_by_on: date | None = None
    appeal_by_on: date | None = None
    outcome: str | None = None
    note: str | None = None


def change(session: Session, practice_id: str, coverage_id: str, wanted: Change, *, by: str, now: datetime,
           ) -> ClaimWork:
    """Keep it beside the payer's coverage. Raises LookupError for what is not there, ClaimWorkRefused, StaffRefused."""
    # The coverage is locked: the first two who work on a claim would both write its first row.
    if store.coverage(session, practice_id, coverage_id, lock=True) is None:
        raise LookupError("there is no such claim")
    if wanted == Change():
        raise ClaimWorkRefused("say who does it, until when, or what came of it")
    if wanted.outcome is not None and wanted.outcome not in OUTCOMES:
        raise ClaimWorkRefused(f"what came of a claim is one of {', '.join(OUTCOMES[1:])}")
    if wanted.owner:
        staff.require(session, practice_id, wanted.owner, "cases")
    row = store.work_of(session, practice_id, coverage_id) or store.add(session, ClaimWork(
        coverage_id=coverage_id, practice_id=practice_id, owner=None, outcome="", note="", by=by, at=now))
    _put(row, wanted)
    row.by, row.at = by, now
    session.flush()
    audit.record(session, practice_id, by, "claim_worked", "coverage", coverage_id, row.outcome, now)
    return row


def _put(row: ClaimWork, wanted: Change) -> None:
    if wanted.owner is not None:
        row.owner = wanted.owner or None
    row.file_by_on = wanted.file_by_on or row.file_by_on
    row.appeal_by_on = wanted.appeal_by_on or row.appeal_by_on
    row.outcome = row.outcome if wanted.outcome is None else wanted.outcome
    row.note = wanted.note or row.note
