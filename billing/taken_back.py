"""A yes to one charge of the card on file, taken back before the charge was made (T-48, T-50: in any words)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing import plan_money, processor_calls
from billing.store import consent_queries, money_queries, payment_queries
from billing.store.tables import Payment

#: On file with a payment whose yes was taken back; begins like every charge that a rule of ours held back.
TAKEN_BACK = "withheld:taken_back"

PATIENT = "patient"


def take_back(session: Session, practice_id: str, guarantor_id: str, payment_id: str, wording: str,
              now: datetime) -> bool:
    """End a charge that the patient said yes to; tell whether that is certain now.

    Its call takes the same locks and looks at the status before it is made, so that one of the two comes first. A
    charge that may have been made already keeps no permission: it is not repeated but looked for, and one that waits
    for the patient's bank is given up at the processor. What was paid stays paid: a refund is another matter.
    """
    payment = payment_queries.lock_payment(session, practice_id, payment_id)
    if payment is None or payment.guarantor_id != guarantor_id or payment.way != "saved":
        return False
    _revoke(session, payment, wording, now)
    if payment.status == life.CREATED and not _begun(session, payment):
        life.move(payment, life.CANCELLED)
        payment.failure = TAKEN_BACK
        session.flush()
        plan_money.note_failed(session, payment, now)
        return True
    if payment.status == life.NEEDS_PATIENT:
        processor_calls.enqueue(
            session, practice_id=practice_id, kind="cancel_charge", object_id=payment.id,
            key=f"{payment.id}:cancel:taken_back", request={"processor_ref": payment.processor_ref or ""}, now=now)
    return False


def _revoke(session: Session, payment: Payment, wording: str, now: datetime) -> None:
    given = money_queries.authorization_for(session, payment.id)
    if given is not None and given.revoked_at is None:
        given.revoked_at, given.revoked_by, given.revoked_words = now, PATIENT, wording


def _begun(session: Session, payment: Payment) -> bool:
    """Whether the processor may have been asked."""
    return any(processor_calls.is_uncertain(row) for row in money_queries.calls_of(session, [payment.id])
               if row.kind == "charge")


def for_opt_out(session: Session, practice_id: str, address_hash: str, wording: str, now: datetime) -> None:
    """STOP right after a yes: nobody knows yet what was meant, so nothing is charged."""
    for guarantor_id in consent_queries.guarantors_on(session, practice_id, address_hash):
        for row in payment_queries.of_account(session, guarantor_id, {life.CREATED, life.NEEDS_PATIENT}):
            if row.way == "saved":
                take_back(session, practice_id, guarantor_id, row.id, wording, now)
