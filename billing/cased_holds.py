"""A hold that comes with a case: whoever closes the case ends the hold, whoever ends the hold closes the case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, holds
from billing.store import case_queries, hold_queries
from billing.store.tables import Case, Guarantor, Hold

REVIEW = "hold_review"


def place(session: Session, guarantor: Guarantor, *, kind: str, title: str, reason: str, dedupe: str, now: datetime,
          visit_id: str | None = None) -> Hold:
    """Hold an account for one cause and open the case of it; the same ``dedupe`` again returns the first hold, open or
    released, and opens nothing.
    """
    known = hold_queries.by_dedupe(session, guarantor.practice_id, dedupe)
    if known is not None:
        return known
    hold_queries.lock(session, guarantor.id)
    case = cases.open_case(session, guarantor.practice_id, kind=kind, title=title, detail=reason, now=now,
                           dedupe=dedupe, guarantor_id=guarantor.id, visit_id=visit_id)
    return holds.place(session, practice_id=guarantor.practice_id, guarantor_id=guarantor.id, kind=kind, reason=reason,
                       source=f"case:{case.id}", placed_by="plainbill", now=now, visit_id=visit_id, dedupe=dedupe)


def release(session: Session, practice_id: str, hold_id: str, *, by: str, reason: str, now: datetime) -> Hold:
    """End a hold, with the cases that are about nothing else. Raises holds.HoldRefused."""
    hold = holds.release(session, practice_id, hold_id, released_by=by, reason=reason, now=now)
    for case in _cases_of(session, hold):
        cases.close(session, practice_id, case.id, by=by, resolution=reason, now=now)
    return hold


def case_of(session: Session, hold: Hold) -> Case | None:
    """The case that the hold came with, open or closed."""
    if not hold.source.startswith("case:"):
        return None
    return case_queries.by_id(session, hold.practice_id, hold.source.removeprefix("case:"))


def reviews_of(session: Session, hold: Hold) -> list[Case]:
    """The open cases that ask somebody to look at the hold again."""
    return [one for one in case_queries.open_of_account(session, hold.practice_id, hold.guarantor_id, [REVIEW])
            if one.dedupe.startswith(f"{REVIEW}:{hold.id}:")]


def _cases_of(session: Session, hold: Hold) -> list[Case]:
    own = case_of(session, hold)
    alone = own is not None and own.dedupe == hold.dedupe and own.status != "closed"
    return reviews_of(session, hold) + ([own] if own is not None and alone else [])
