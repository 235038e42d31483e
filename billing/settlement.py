"""What closes a posting: no visit keeps a negative patient balance once no payer can change it any more.

DESIGN.md, "Reversals": a visit's patient receivable may be negative only while a payer is pending; the transaction
that ends that moves the excess to the guarantor's credit, remembering its visit. When the same visit needs the money
again, it comes back first. What stands below zero while the visit is at an agency is first drawn back from there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import placement_money
from billing.ledger import Posting, credit, patient, post
from billing.store import settlement_queries as store


def settle(session: Session, practice_id: str, visit_ids: Collection[str], *, now: datetime, today: date,
           currency: str = "USD", import_id: str | None = None) -> int:
    """Settle these visits; return how many transfers that took. Call once at the end of every posting."""
    standings = store.load(session, practice_id, visit_ids)
    drawn = placement_money.draw_back(session, standings, currency=currency, today=today, now=now)
    standings = [replace(v, patient_minor=v.patient_minor + drawn.get(v.visit_id, 0)) for v in standings]
    postings = []
    credits_minor: dict[str, int] = {}  # several visits may draw on one guarantor's credit
    for visit in sorted(standings, key=lambda v: v.patient_minor >= 0):
        at_hand = credits_minor.get(visit.guarantor_id, visit.credit_minor)
        amount = _amount(visit, at_hand)
        credits_minor[visit.guarantor_id] = at_hand + amount
        if amount:
            postings.append(_posting(practice_id, visit, amount, today, currency, import_id))
    return post(session, postings, now) + len(drawn)


def _amount(visit: store.Standing, credit_minor: int) -> int:
    """Cents to move to credit; negative: from credit back to the visit.

    Credit below zero was paid out and then lost its ground (an undone import): the visit owes it again.
    """
    if visit.patient_minor < 0 and not visit.pending:
        return -visit.patient_minor
    if credit_minor < 0:
        return -credit_minor
    if visit.patient_minor > 0 and visit.remembered_minor > 0:
        return -min(visit.patient_minor, visit.remembered_minor, credit_minor)
    return 0


def _posting(practice_id: str, visit: store.Standing, amount: int, today: date, currency: str,
             import_id: str | None) -> Posting:
    """The reference names the newest transfer seen, so that the same state settles once."""
    return Posting(
        practice_id, patient(visit.visit_id), credit(visit.guarantor_id), abs(amount), currency,
        "to_credit" if amount > 0 else "from_credit", today, "settle", f"{visit.visit_id}:{visit.newest_transfer_id}",
        visit.guarantor_id, visit.visit_id, import_id=import_id).flipped_if(amount < 0)
