"""Debts taken over that a collection agency has already: placed here as they are placed there.

The money moves to the agency account, so that the agency's payments, a recall and a payment at the practice work as for
any other placement (billing/placements.py). Nothing is asked of whom the former system asked: it was placed there, and
was not ours to approve. The agency's next file gives it our number for each (``taken_over``), and places nothing anew.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import ledger, placement_money
from billing.store import collection_queries as store
from billing.store import hold_queries, opening_queries
from billing.store.tables import Guarantor, Placement

PLACED_THERE = "placed by the practice before its ledger came here"
TAKEN_OVER = "taken_over"


def take_over(session: Session, practice_id: str, guarantor_id: str, visit_id: str, agency: str, placed_on: date, *,
              currency: str, by: str, on: date, now: datetime) -> Placement | None:
    """Write down that ``visit_id`` is with ``agency`` since ``placed_on``; the move is posted on ``on``, the day of the
    old aging. Again it returns the first; None when nothing is owed on the visit any more.
    """
    known = store.live_on(session, [visit_id]).get(visit_id)
    owed = ledger.balance(session, practice_id, ledger.patient(visit_id))
    if known is not None or owed <= 0:
        return known
    row = placement_money.open_row(
        session, session.get_one(Guarantor, guarantor_id), visit_id, agency, owed, by=by, now=now,
        status=placement_money.APPROVED)
    placement_money.place(session, row, currency=currency, by=by, on=on, now=now, news=TAKEN_OVER, reason=PLACED_THERE)
    row.placed_on = placed_on
    session.flush()
    return row


def take_back(session: Session, practice_id: str, import_id: str, *, currency: str, by: str, why: str, on: date,
              now: datetime) -> None:
    """Before an import's money goes: what it placed comes back. An agency that knows of it is told that it is recalled;
    one that was told nothing yet is told nothing.
    """
    for row in opening_queries.placements_of(session, practice_id, import_id):
        hold_queries.lock(session, row.guarantor_id)
        untold = [event for event in store.events_of(session, row.id) if event.file_id is None]
        never_told = any(event.kind == TAKEN_OVER for event in untold)
        news = placement_money.take_back(session, row, row.left_minor, "undone", "recalled", currency=currency, on=on,
                                         now=now, reason=why)
        placement_money.end(session, row, placement_money.RECALLED, by=by, reason=why, on=on, now=now)
        for event in (*untold, news) if never_told else ():
            event.file_id = import_id
        session.flush()
