"""What people do about a dispute at the bank: keep a note, or let it go. What becomes of it the processor tells
(billing/payment_disputes.py); nothing is said to the processor from here (T-53).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases
from billing.dispute_cases import case_key, kind_of, open_cases
from billing.payment_disputes import DisputeRefused
from billing.payment_news import TITLES
from billing.store import money_queries, payment_queries
from billing.store.tables import Case, Payment, PaymentDispute


def note(session: Session, practice_id: str, dispute_id: str, *, by: str, body: str, now: datetime) -> Case:
    """Keep a note with the dispute's case, opened anew where it was closed. Raises DisputeRefused."""
    row, payment = _found(session, practice_id, dispute_id)
    case = next(iter(open_cases(session, practice_id, [(row, payment)])[row.id]), None)
    if case is None:
        kind = kind_of(row)
        case = cases.open_case(
            session, practice_id, kind=kind, title=TITLES[kind], now=now, actor=by,
            detail=f"dispute {row.id}, {row.status}: taken up again", dedupe=f"{kind}:{case_key(payment, row)}",
            guarantor_id=payment.guarantor_id, conversation_id=payment.conversation_id)
    return cases.add_note(session, practice_id, case.id, by=by, body=body, now=now)


def accept(session: Session, practice_id: str, dispute_id: str, *, by: str, reason: str,
           now: datetime) -> PaymentDispute:
    """The practice does not contest it: no evidence is handed in, and the money stays with the payer. The processor
    tells that it is lost when its time is over; the hold stands until then. Raises DisputeRefused.
    """
    row, _ = _found(session, practice_id, dispute_id)
    if row.status != "open":
        raise DisputeRefused(f"this dispute is {row.status}; one that is open and unanswered can be let go")
    note(session, practice_id, dispute_id, by=by, body=f"Not contested: {reason}", now=now)
    row.status = "accepted"
    session.flush()
    audit.record(session, practice_id, by, "dispute_accepted", "payment", row.payment_id, row.reason[:60], now)
    return row


def _found(session: Session, practice_id: str, dispute_id: str) -> tuple[PaymentDispute, Payment]:
    row = money_queries.dispute_by_id(session, practice_id, dispute_id)
    payment = payment_queries.payment_in(session, practice_id, row.payment_id) if row is not None else None
    if row is None or payment is None:
        raise DisputeRefused(f"there is no dispute {dispute_id}")
    return row, payment
