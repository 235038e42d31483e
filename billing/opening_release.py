"""The release of what was taken over: by another person than who imported it, account by account or all at once.

The release ends the holds that say "carried over", nothing else: what stood with an agency, a court or an attorney
stays held, and a plan stays paused until the patient agrees to one of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, holds, second_person
from billing.opening_posting import source_of
from billing.store import case_queries, import_queries
from billing.store import opening_queries as store
from billing.store.tables import ImportRun
from config.practice import PracticePolicy

CASE = "opening_release"


class ReleaseRefused(ValueError):
    """This import cannot be released as things stand. No PHI in the text."""


@dataclass(frozen=True, slots=True)
class Released:
    """What the release of one account came to. ``holds`` that ended; ``visits`` that may be asked for from now on."""

    guarantor_id: str
    visits: int
    holds: int


def accounts(session: Session, practice_id: str, import_id: str) -> list[str]:
    """Accounts that wait for their release. Raises ReleaseRefused for an import that brings none to be released."""
    _run(session, practice_id, import_id)
    return store.accounts_held(session, practice_id, import_id)


def require(session: Session, practice_id: str, policy: PracticePolicy, import_id: str, *, by: str,
            now: datetime) -> str:
    """Tell how the second person came about. Raises ReleaseRefused, staff.StaffRefused."""
    run = _run(session, practice_id, import_id)
    return second_person.require(session, practice_id, by=by, asked_by=run.started_by, asked_at=run.started_at,
                                 role="supervisor", policy=policy, now=now)


def release(session: Session, practice_id: str, policy: PracticePolicy, import_id: str, guarantor_id: str, *, by: str,
            now: datetime) -> Released:
    """End the holds of one account's visits; again it does nothing. Raises ReleaseRefused, staff.StaffRefused."""
    how = require(session, practice_id, policy, import_id, by=by, now=now)
    visits = store.held_visits(session, import_id, guarantor_id)
    ended = store.open_holds(session, practice_id, [source_of(import_id)], guarantor_id)
    for hold in ended:
        holds.release(session, practice_id, hold.id, released_by=by, reason=f"released after the takeover ({how})",
                      now=now)
    for visit in visits:
        visit.released_at, visit.released_by = now, by
    session.flush()
    if not store.accounts_held(session, practice_id, import_id):
        close_case(session, practice_id, import_id, by=by, why=f"all of it is released ({how})", now=now)
    return Released(guarantor_id, len(visits), len(ended))


def open_case(session: Session, practice_id: str, import_id: str, now: datetime) -> None:
    """The takeover's own case, open until all of it is released: what nobody looks at would stay held for ever."""
    cases.open_case(session, practice_id, kind=CASE, title="Look through what was taken over, and release it",
                    detail=f"Import {import_id}: plainbill import --opening --release {import_id}", now=now,
                    dedupe=f"{CASE}:{import_id}")


def close_case(session: Session, practice_id: str, import_id: str, *, by: str, why: str, now: datetime) -> None:
    """Again it does nothing."""
    case = case_queries.by_dedupe(session, practice_id, f"{CASE}:{import_id}")
    if case is not None and case.status != "closed":
        cases.close(session, practice_id, case.id, by=by, resolution=why, now=now)


def _run(session: Session, practice_id: str, import_id: str) -> ImportRun:
    run = import_queries.find_run(session, practice_id, import_id)
    if run is None:
        raise ReleaseRefused(f"there is no import {import_id}; plainbill import --list shows them")
    if run.kind != "opening":
        raise ReleaseRefused(f"import {import_id} is no opening file: nothing of it waits for a release")
    if run.status != "finished":
        raise ReleaseRefused(f"import {import_id} is {run.status}; only a finished one can be released")
    return run
