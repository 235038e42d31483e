"""Who hears about a payment: the patient in the conversation, by an inbox row that it answers; staff by a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import cases, inbox
from billing.store import payment_queries
from billing.store.tables import Payment, PaymentMethod, Refund

#: What a case says in lists: no PHI.
TITLES = {
    "payment_unmatched": "Money arrived for a payment that is not on file",
    "payment_mismatch": "The processor's amount is not the payment's",
    "payment_after_cancel": "A cancelled payment was paid",
    "payment_twice": "A payment was paid twice",
    "unapplied_credit": "Part of a payment fits no visit",
    "refund_unplaced": "A refund belongs to no visit",
    "chargeback": "A payment is disputed at the bank",
    "bank_inquiry": "A bank asks about a payment",
    "bank_return": "A bank debit came back",
    "refund_failed": "A refund did not arrive",
    "refund_mismatch": "Another amount was refunded than was asked for",
    "refund_approval": "A refund waits for approval",
    "charge_not_made": "It is not known whether a charge was made",
    "overpayment_federal": "Money of a federal payer may have to go back",
}


def tell_patient(session: Session, payment: Payment, kind: str, once: str, now: datetime, *, reason: str = "") -> None:
    """Put news into the payment's conversation, once per ``once``; a payment without one is told to nobody."""
    tell(session, payment.practice_id, payment.conversation_id, kind, once, {
        "payment_id": payment.id, "account_id": payment.guarantor_id, "plan_id": payment.plan_id,
        "amount_minor": payment.amount_minor, "currency": payment.currency, "reason": reason}, now)


def tell_of_card(session: Session, conversation_id: str | None, card: PaymentMethod, now: datetime) -> None:
    """A card is on file now: said once, with what the patient knows it by (T-50)."""
    tell(session, card.practice_id, conversation_id, "card_kept", card.id, {
        "account_id": card.guarantor_id, "last4": card.last4, "method_kind": card.kind, "brand": card.brand,
        "reason": ""}, now)


def tell_of_refund(session: Session, payment: Payment, refund: Refund, now: datetime) -> None:
    """Money has gone back to where it came from: said once for each refund."""
    tell(session, payment.practice_id, payment.conversation_id, "payment_refunded", refund.id, {
        "payment_id": payment.id, "account_id": payment.guarantor_id, "plan_id": payment.plan_id,
        "amount_minor": refund.amount_minor, "currency": refund.currency, "reason": ""}, now)


def tell(session: Session, practice_id: str, conversation_id: str | None, kind: str, once: str,
         data: Mapping[str, Any], now: datetime) -> None:
    talk = payment_queries.conversation(session, conversation_id) if conversation_id is not None else None
    if talk is not None:
        inbox.accept_news(session, talk, kind, f"{kind}:{once}", now, data)


def call_staff(session: Session, practice_id: str, kind: str, once: str, detail: str, now: datetime,
               payment: Payment | None = None, *, hold: str = "") -> None:
    """Open a case, once per cause. ``detail`` has amounts and the processor's ids; ``hold`` stands until it closes."""
    visits = {str(visit_id) for visit_id, _ in payment.instruction} if payment else set()
    cases.open_case(
        session, practice_id, kind=kind, title=TITLES[kind], detail=detail, now=now, dedupe=f"{kind}:{once}",
        guarantor_id=payment.guarantor_id if payment else None,
        visit_id=visits.pop() if len(visits) == 1 else None,
        conversation_id=payment.conversation_id if payment else None, hold=hold)
