"""Paying over time with a lender beside the practice: what became of it, as staff hear it from the lender.

The patient applies with the lender itself; nothing is filled in, sent or kept for them here (T-54: NY GBL 349-g). All
that is known is a word from the lender, and while it decides nobody asks the patient for the same money.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import holds
from billing.store.practices import policy_in

HOLD = "lender"
STATUSES = ("applied", "paid", "declined")


class LenderRefused(ValueError):
    """The practice has no lender, or the word is none of STATUSES. No PHI."""


def note(session: Session, practice_id: str, guarantor_id: str, status: str, *, by: str, now: datetime) -> bool:
    """Note the lender's word: "applied" holds all demands, "paid" and "declined" end that. Returns whether anything
    changed. The money itself is recorded like any check. Raises LenderRefused.
    """
    policy = policy_in(session, practice_id)
    lender = policy.payments.pay_over_time
    if lender is None or lender.since > policy.local_day(now):
        raise LenderRefused("the practice's policy names no lender ([payments.pay_over_time])")
    if status not in STATUSES:
        raise LenderRefused(f"{status!r}: one of {', '.join(STATUSES)}")
    standing = [row for row in holds.open_holds(session, guarantor_id) if row.kind == HOLD]
    if status == "applied":
        holds.place(session, practice_id=practice_id, guarantor_id=guarantor_id, kind=HOLD,
                    reason="the lender is deciding", source="lender", placed_by=by, now=now)
        return not standing
    for row in standing:
        holds.release(session, practice_id, row.id, released_by=by, reason=f"the lender {status}", now=now)
    return bool(standing)
