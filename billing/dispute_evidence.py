"""What a practice can answer a bank with: the story of the payment, the words agreed to, the bill, what we wrote.

Only our own reviewed messages are in it, and their times; what the patient wrote stays here. Nothing of it is sent to a
processor by this program (T-53): staff read it, leave out what the bank need not know, and hand it in themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import payment_story
from billing.store import evidence_queries as store
from billing.store import money_queries, payment_queries
from billing.store.tables import Authorization, Outbox, Statement

#: How long before it was asked for a thread may have led to a payment.
BEFORE = timedelta(days=60)


def evidence(session: Session, practice_id: str, dispute_id: str) -> dict[str, Any]:
    """The pack as JSON-able data. Raises LookupError for an unknown dispute."""
    row = money_queries.dispute_by_id(session, practice_id, dispute_id)
    payment = payment_queries.payment_in(session, row.practice_id, row.payment_id) if row is not None else None
    if row is None or payment is None:
        raise LookupError("there is no such dispute")
    statement = store.statement_for(session, payment)
    return {
        "dispute": {"dispute_id": row.id, "processor_ref": row.processor_ref, "reason": row.reason,
                    "status": row.status, "amount_minor": row.amount_minor, "currency": payment.currency,
                    "evidence_due_at": row.evidence_due_at.isoformat() if row.evidence_due_at else None},
        "payment": payment_story.life_of(session, payment.practice_id, payment.id),
        "paid_for": [{"visit": part.external, "service_on": part.service_on.isoformat() if part.service_on else None,
                      "amount_minor": part.amount_minor} for part in store.paid_for(session, payment.id)],
        "statement": _statement(statement) if statement is not None else None,
        "consent": [_consent(one) for one in store.agreements(session, payment)],
        "messages": [_message(one) for one in store.messages(session, payment, payment.created_at - BEFORE)],
    }


def _statement(row: Statement) -> dict[str, Any]:
    return {"statement_id": row.id, "number": row.number, "statement_on": row.statement_on.isoformat(),
            "due_on": row.due_on.isoformat(), "total_minor": row.total_minor, "content": row.content}


def _consent(row: Authorization) -> dict[str, Any]:
    return {"authorization_id": row.id, "purpose": row.purpose, "words": row.words, "words_version": row.words_version,
            "language": row.language, "last4": row.last4, "most_minor": row.most_minor, "schedule": row.schedule,
            "given_by": row.given_by, "message_id": row.message_id, "at": row.at.isoformat(),
            "disclosures_version": row.disclosures_version,
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None}


def _message(row: Outbox) -> dict[str, Any]:
    """A receipt is among them: what was sent, when, and whether it arrived."""
    return {"message_id": row.id, "template": row.template, "template_version": row.template_version,
            "language": row.language, "status": row.status, "body": row.body, "queued_at": row.created_at.isoformat(),
            "sent_at": row.sending_at.isoformat() if row.sending_at else None}
