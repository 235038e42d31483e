"""Holds come up for review; they never lapse by themselves. A person keeps them, with a new day, or releases them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import cased_holds, cases, holds
from billing.store import hold_queries
from billing.store.tables import Hold

CASE = cased_holds.REVIEW


def open_reviews(session: Session, practice_id: str, today: date, now: datetime) -> int:
    """Open a case for every hold whose day of review has come (practice-local); once a day of review. Return how many
    wait. Nothing is released: what was held stays held until somebody says otherwise.
    """
    rows = holds.review_due(session, practice_id, today)
    for row in rows:
        cases.open_case(session, practice_id, kind=CASE, title=f"Review a hold: {row.kind.replace('_', ' ')}",
                        detail=row.reason, now=now, dedupe=f"{CASE}:{row.id}:{row.review_on}",
                        guarantor_id=row.guarantor_id, visit_id=row.visit_id)
    return len(rows)


def keep(session: Session, practice_id: str, hold_id: str, *, days: int, by: str, today: date, now: datetime) -> Hold:
    """Look again in ``days`` (1 to 365): the review that is open is done, and that day opens the next. Raises
    holds.HoldRefused.
    """
    row = hold_queries.by_id(session, practice_id, hold_id)
    if row is None or row.released_at is not None:
        raise holds.HoldRefused(f"there is no open hold {hold_id}")
    if not 1 <= days <= 365:
        raise holds.HoldRefused("a hold is kept for 1 to 365 days before somebody looks again")
    row.review_on = today + timedelta(days=days)
    for case in cased_holds.reviews_of(session, row):
        cases.close(session, practice_id, case.id, by=by, resolution=f"kept until {row.review_on}", now=now)
    session.flush()
    return row
