"""A payment that an agency took and that came to nothing: a check that bounced, a card that was charged back.

The agency's row names the payment's own reference and takes it back whole, with the fee that it had kept of it. Nothing
is struck out: what was posted is posted back, the payment says ``returned``, and the debt's age goes on as if it had
never been (receivables.md D3). A debt that is still placed goes back to the agency; one that has ended meanwhile stays
with the practice, and the agency is told that it is recalled.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from billing import ledger, placement_money
from billing import payment_status as life
from billing.ledger import Posting
from billing.payment_posting import post_back
from billing.placement_money import PLACED, SOURCE
from billing.store import collection_queries as store
from billing.store import payment_queries
from billing.store.tables import Payment, Placement, PlacementEvent

if TYPE_CHECKING:
    from billing.agency_returns import ReturnRow

#: Why a payment was taken back, as the row's ``note`` says it: codes, since free words might name somebody.
REASONS = ("returned", "disputed", "refunded", "mistake")
KIND = "agency_reversed"


def payment_key(agency: str, reference: str) -> str:
    """A payment at an agency is one payment here, by the agency's own reference."""
    return f"agency:{agency}:{reference}"


def fee_ref(placed: Placement, event: PlacementEvent) -> str:
    """The ledger's reference of the fee that an event brought."""
    return f"{placed.id}:fee:{event.id}"


def fault(session: Session, row: ReturnRow, placed: Placement) -> str:
    """Why the row cannot be taken in, or ""."""
    if row.note not in REASONS:
        return f"note: why it was taken back, one of {', '.join(REASONS)}"
    taken = _taken(session, row, placed)
    payment = _payment(session, row, placed)
    if taken is None or payment is None:
        return "reverses: the reference of a payment of this debt that was taken in"
    if payment.status == life.RETURNED:
        return "reverses: this payment was taken back before"
    if payment.status != life.SUCCEEDED:
        return f"reverses: this payment is {payment.status} here: settle with the practice by telephone"
    if (row.amount_minor, row.fee_minor) != (taken.amount_minor, taken.fee_minor):
        return "amount, fee: a payment is taken back whole, with the fee that was kept of it"
    return ""


def _taken(session: Session, row: ReturnRow, placed: Placement) -> PlacementEvent | None:
    event = store.event_by(session, placed.practice_id, placed.agency, f"in:{row.reverses}")
    return event if event is not None and (event.placement_id, event.kind) == (placed.id, "agency_paid") else None


def _payment(session: Session, row: ReturnRow, placed: Placement) -> Payment | None:
    return payment_queries.by_key(session, placed.practice_id, payment_key(placed.agency, row.reverses))


def act(session: Session, row: ReturnRow, placed: Placement, *, currency: str, file_id: str, on: date, now: datetime,
        ) -> None:
    """Take the payment back; ``fault`` has been asked in the same transaction."""
    taken, payment = _taken(session, row, placed), _payment(session, row, placed)
    assert taken is not None and payment is not None, "asked before"
    post_back(session, payment, row.amount_minor, f"returned:{row.reference}", on, now)
    life.move(payment, life.RETURNED)
    payment.failure = row.note
    placed.collected_minor -= row.amount_minor
    event = placement_money.note(session, placed, KIND, row.amount_minor, on, now, reason=row.note,
                                 fee_minor=row.fee_minor, reference=f"in:{row.reference}", file_id=file_id)
    _give_fee_back(session, placed, taken, event, on, now)
    if placed.status == PLACED:
        _place_again(session, placed, row.amount_minor, event.id, currency, on, now)
    else:
        placement_money.note(session, placed, "recalled", 0, on, now, reason=KIND)
    session.flush()


def _give_fee_back(session: Session, placed: Placement, taken: PlacementEvent, event: PlacementEvent, on: date,
                   now: datetime) -> None:
    rows = store.posted_as(session, placed.practice_id, SOURCE, fee_ref(placed, taken))
    ledger.post(session, ledger.reversals(session, rows, source=SOURCE, ref=fee_ref(placed, event),
                                          effective_on=on), now)
    placed.fee_minor -= sum(row.amount_minor for row in rows)


def _place_again(session: Session, placed: Placement, minor: int, event_id: str, currency: str, on: date,
                 now: datetime) -> None:
    """As much as the visit owes again: what credit took the payment's place stays paid."""
    back = min(minor, max(ledger.balance(session, placed.practice_id, ledger.patient(placed.visit_id)), 0))
    if back:
        ledger.post(session, [Posting(
            placed.practice_id, ledger.wide("agency"), ledger.patient(placed.visit_id), back, currency, "placement", on,
            SOURCE, f"{placed.id}:{event_id}", placed.guarantor_id, placed.visit_id)], now)
        placed.left_minor += back
