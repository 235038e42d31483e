"""Holds: placed once per cause, released by somebody with a reason, looked at again when they said they would be.

The kinds and what each stops are data, in billing/hold_kinds.py. Placing and releasing move the balance's version, so
that a demand or a payment agreed before is not carried out after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from billing.hold_kinds import KINDS, HoldKind, reaches
from billing.ids import new_id
from billing.store import hold_queries as store
from billing.store.tables import Hold

__all__ = [
    "KINDS", "HoldKind", "HoldRefused", "open_account_kinds", "open_holds", "open_visit_kinds", "place", "reaches",
    "release", "release_by_dedupe", "release_from", "review_due",
]


class HoldRefused(ValueError):
    """A hold that its kind does not allow, or a step that its life does not have. No PHI in the text."""


def place(session: Session, *, practice_id: str, guarantor_id: str, kind: str, reason: str, source: str,
          placed_by: str, now: datetime, visit_id: str | None = None, amount_minor: int | None = None,
          dedupe: str = "", review_on: date | None = None) -> Hold:
    """Place a hold and return it; the same ``dedupe`` a second time returns the first, released or not.

    Without ``dedupe`` an open hold of the same kind in the same place is returned. ``amount_minor`` (cents) empty
    holds all of the visit or account. Raises HoldRefused.
    """
    about = _checked(kind, visit_id, amount_minor, reason)
    store.lock(session, guarantor_id)
    known = (store.by_dedupe(session, practice_id, dedupe) if dedupe
             else store.open_alike(session, guarantor_id, kind, visit_id))
    if known is not None:
        return known
    hold_id = new_id("hold")
    review = review_on or (now.astimezone(UTC).date() + timedelta(days=about.review_days) if about.review_days
                           else None)
    row = store.add(session, Hold(
        id=hold_id, practice_id=practice_id, guarantor_id=guarantor_id, visit_id=visit_id, kind=kind,
        amount_minor=amount_minor, reason=reason, source=source, placed_by=placed_by, placed_at=now, review_on=review,
        dedupe=dedupe or hold_id))
    store.lock_and_bump(session, guarantor_id)
    return row


def _checked(kind: str, visit_id: str | None, amount_minor: int | None, reason: str) -> HoldKind:
    about = KINDS.get(kind)
    if about is None:
        raise HoldRefused(f"{kind!r} is no kind of hold; billing/hold_kinds.py lists them")
    if about.scope == "visit" and visit_id is None:
        raise HoldRefused(f"a {kind} hold lies on a visit; name it")
    if about.scope == "account" and visit_id is not None:
        raise HoldRefused(f"a {kind} hold lies on the whole account, not on one visit")
    if amount_minor is not None and (amount_minor <= 0 or visit_id is None):
        raise HoldRefused("an amount is held on a visit and is positive; leave it empty to hold all")
    if not reason.strip():
        raise HoldRefused("a hold needs its reason")
    return about


def release(session: Session, practice_id: str, hold_id: str, *, released_by: str, reason: str, now: datetime) -> Hold:
    """End a hold. Raises HoldRefused if there is none, it has ended, or no reason is given."""
    row = store.by_id(session, practice_id, hold_id)
    if row is None:
        raise HoldRefused(f"there is no hold {hold_id}")
    if row.released_at is not None:
        raise HoldRefused(f"hold {hold_id} was released before")
    return _end(session, row, released_by, reason, now)


def release_by_dedupe(session: Session, practice_id: str, dedupe: str, *, released_by: str, reason: str,
                      now: datetime) -> Hold | None:
    """End the hold of one cause, if it is still open."""
    row = store.by_dedupe(session, practice_id, dedupe)
    if row is None or row.released_at is not None:
        return None
    return _end(session, row, released_by, reason, now)


def release_from(session: Session, practice_id: str, source: str, *, released_by: str, reason: str,
                 now: datetime) -> int:
    """End every open hold that ``source`` (such as ``case:ID``) placed; return how many."""
    rows = store.open_from(session, practice_id, [source])
    for row in rows:
        _end(session, row, released_by, reason, now)
    return len(rows)


def _end(session: Session, row: Hold, released_by: str, reason: str, now: datetime) -> Hold:
    if not reason.strip():
        raise HoldRefused("releasing a hold needs a reason")
    store.lock_and_bump(session, row.guarantor_id)
    row.released_at, row.released_by, row.released_reason = now, released_by, reason
    session.flush()
    return row


def open_holds(session: Session, guarantor_id: str) -> Sequence[Hold]:
    """Every open hold of the account and of its visits."""
    return store.open_of(session, guarantor_id)


def open_account_kinds(session: Session, guarantor_id: str) -> tuple[str, ...]:
    """Kinds of the open holds on the account as a whole."""
    return tuple(sorted({row.kind for row in store.open_of(session, guarantor_id) if row.visit_id is None}))


def open_visit_kinds(session: Session, visit_id: str) -> tuple[str, ...]:
    """Kinds of the open holds on one visit itself."""
    return tuple(sorted({row.kind for row in store.open_on_visit(session, visit_id)}))


def review_due(session: Session, practice_id: str, today: date) -> Sequence[Hold]:
    """Open holds whose day of review has come, the oldest first."""
    return store.to_review(session, practice_id, today)
