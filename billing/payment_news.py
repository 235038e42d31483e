"""Who hears about a payment: the patient in the conversation, by an inbox row that it answers; staff by a case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, inbox, threads
from billing.store import payment_queries
from billing.store.tables import Payment

#: What a case says in lists: no PHI.
TITLES = {
    "payment_unmatched": "Money arrived for a payment that is not on file",
    "payment_mismatch": "The processor's amount is not the payment's",
    "payment_after_cancel": "A cancelled payment was paid",
    "payment_twice": "A payment was paid twice",
    "unapplied_credit": "Part of a payment fits no visit",
    "refund_unplaced": "A refund belongs to no visit",
    "chargeback": "A payment is disputed at the bank",
}


def tell_patient(session: Session, payment: Payment, kind: str, once: str, now: datetime, *, reason: str = "") -> None:
    """Put news into the payment's conversation, once per ``once``; a payment without one is told to nobody."""
    if payment.conversation_id is None:
        return
    talk = payment_queries.conversation(session, payment.conversation_id)
    if talk is None:
        return
    payload = {"kind": kind, "conversation_id": talk.id,
               "data": {"payment_id": payment.id, "account_id": payment.guarantor_id,
                        "amount_minor": payment.amount_minor, "currency": payment.currency, "reason": reason}}
    inbox.accept(session, payment.practice_id, "event", f"{kind}:{once}", "event",
                 threads.of_hash(payment.practice_id, talk.channel, talk.address_hash), payload, now)


def call_staff(session: Session, practice_id: str, kind: str, once: str, detail: str, now: datetime,
               payment: Payment | None = None, *, hold: str = "") -> None:
    """Open a case, once per cause. ``detail`` has amounts and the processor's ids; ``hold`` stands until it closes."""
    visits = {str(visit_id) for visit_id, _ in payment.instruction} if payment else set()
    cases.open_case(
        session, practice_id, kind=kind, title=TITLES[kind], detail=detail, now=now, dedupe=f"{kind}:{once}",
        guarantor_id=payment.guarantor_id if payment else None,
        visit_id=visits.pop() if len(visits) == 1 else None,
        conversation_id=payment.conversation_id if payment else None, hold=hold)
