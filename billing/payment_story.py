"""The story of one payment, from the patient's yes to the bank, as data for staff and for a bank's question.

Ids, days and amounts in cents; no names, and nothing of what the patient wrote.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing.store import money_queries, payment_queries
from billing.store.tables import Payment, PaymentDispute, ProcessorCall, Refund


def life_of(session: Session, practice_id: str, payment_id: str) -> dict[str, Any]:
    """The payment with its postings, calls, refunds and disputes. Raises LookupError."""
    payment = payment_queries.payment_in(session, practice_id, payment_id)
    if payment is None:
        raise LookupError("there is no such payment")
    refunds = money_queries.refunds_of(session, payment.id)
    calls = money_queries.calls_of(session, [payment.id, *(refund.id for refund in refunds)])
    given = money_queries.authorization_for(session, payment.id)
    return {
        **_payment(payment),
        "authorization_id": given.id if given is not None else None,
        "stands_at": [{"visit_id": net.visit_id, "amount_minor": net.amount_minor}
                      for net in payment_queries.net_of_payment(session, payment.id)],
        "postings": [{
            "transfer_id": row.id, "on": row.effective_on.isoformat(), "code": row.code, "debit": row.debit.key,
            "credit": row.credit.key, "amount_minor": row.amount_minor, "ref": row.source_ref,
            "takes_back": row.reverses_id} for row in payment_queries.transfers_of(session, payment.id)],
        "calls": [_call(row) for row in calls], "refunds": [_refund(row) for row in refunds],
        "disputes": [_dispute(row) for row in money_queries.disputes_of(session, payment.id)],
    }


def _payment(row: Payment) -> dict[str, Any]:
    return {
        "payment_id": row.id, "account_id": row.guarantor_id, "status": row.status, "way": row.way,
        "processor": row.processor, "tender": row.tender, "amount_minor": row.amount_minor,
        "refunded_minor": row.refunded_minor, "currency": row.currency,
        "instruction": [[visit_id, minor] for visit_id, minor in row.instruction], "early": row.early,
        "plan_id": row.plan_id, "instalment": row.instalment, "statement_id": row.statement_id,
        "method_id": row.method_id, "consent_message_id": row.consent_message_id,
        "conversation_id": row.conversation_id, "recorded_by": row.recorded_by, "asked_at": _iso(row.created_at),
        "paid_at": _iso(row.paid_at), "attempts": row.attempt, "page": row.session_ref,
        "processor_ref": row.processor_ref, "failure": row.failure,
    }


def _call(row: ProcessorCall) -> dict[str, Any]:
    return {"call_id": row.id, "kind": row.kind, "status": row.status, "attempts": row.attempts,
            "idempotency_key": row.idempotency_key, "first_called_at": _iso(row.first_called_at),
            "settled_at": _iso(row.settled_at), "result_ref": row.result_ref, "code": row.code}


def _refund(row: Refund) -> dict[str, Any]:
    return {"refund_id": row.id, "status": row.status, "amount_minor": row.amount_minor, "tender": row.tender,
            "reason": row.reason, "requested_by": row.requested_by, "requested_at": _iso(row.requested_at),
            "approved_by": row.approved_by, "approved_at": _iso(row.approved_at), "processor_ref": row.processor_ref,
            "failure": row.failure, "settled_at": _iso(row.settled_at)}


def _dispute(row: PaymentDispute) -> dict[str, Any]:
    return {"dispute_id": row.id, "status": row.status, "amount_minor": row.amount_minor, "fee_minor": row.fee_minor,
            "reason": row.reason, "processor_ref": row.processor_ref, "evidence_due_at": _iso(row.evidence_due_at),
            "opened_at": _iso(row.opened_at), "closed_at": _iso(row.closed_at)}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
