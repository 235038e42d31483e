"""The receipt of one payment, as content: what was paid, for which visits, what is still due; what was given
back of it since. Of a card at most its last four digits."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from billing.figures import account_figures
from billing.statement_content import StatementRefused, frame
from billing.store import receipt_queries as store
from billing.store import statement_queries
from billing.store.practices import policy_in


def receipt(session: Session, payment_id: str, language: str, today: date) -> dict[str, Any]:
    """Amounts in cents; ``today`` is the practice-local day. Parts and credit add up to the amount that arrived.

    Raises LookupError when there is no such payment, or when its money has not arrived, StatementRefused when some of
    it went to a confidential visit: a person hands that one out. What is still due leaves such visits out, too.
    """
    payment = store.find_paid(session, payment_id)
    if payment is None:
        raise LookupError("no such payment, or it is not paid")
    guarantor = statement_queries.find_guarantor(session, payment.guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    policy = policy_in(session, guarantor.practice_id)
    parts = store.parts_of(session, payment_id)
    visits = account_figures(session, guarantor.id, today).visits
    hidden = [v.visit_id for v in visits if v.confidential]
    if any(p.visit_id in hidden for p in parts):
        raise StatementRefused("confidential", "the payment went to a confidential visit", hidden)
    return {
        **frame(guarantor, policy, language, today), "kind": "receipt", "receipt_number": payment.id,
        "amount_minor": payment.amount_minor, "refunded_minor": payment.refunded_minor, "tender": payment.tender,
        "last4": payment.last4, "paid_on": payment.paid_on.isoformat(),
        "refunds": [{"on": on.isoformat(), "amount_minor": minor} for on, minor in store.given_back(
            session, payment_id)],
        "parts": [{"visit_id": p.visit_id, "external": p.external, "amount_minor": p.amount_minor,
                   "service_on": p.service_on.isoformat() if p.service_on else None} for p in parts if p.visit_id],
        "credit_minor": sum(p.amount_minor for p in parts if not p.visit_id),
        "due_now_minor": max(sum(v.figures.due_now_minor for v in visits if v.visit_id not in hidden), 0),
    }
