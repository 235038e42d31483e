"""The receipt of one payment, as content: what was paid, for which visits, what is still due. No card data, ever."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from billing.figures import account_figures
from billing.statement_content import frame
from billing.store import receipt_queries as store
from billing.store import statement_queries
from billing.store.practices import policy_of


def receipt(session: Session, payment_id: str, language: str, today: date) -> dict[str, Any]:
    """Amounts in cents; ``today`` is the practice-local day. Parts and credit add up to the amount that arrived.

    Raises LookupError when there is no such payment, or when its money has not arrived.
    """
    payment = store.find_paid(session, payment_id)
    if payment is None:
        raise LookupError("no such payment, or it is not paid")
    guarantor = statement_queries.find_guarantor(session, payment.guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    policy = policy_of(statement_queries.practice_of(session, guarantor.practice_id))
    parts = store.parts_of(session, payment_id)
    figures = account_figures(session, guarantor.id, today)
    return {
        **frame(guarantor, policy, language, today), "kind": "receipt", "receipt_number": payment.id,
        "amount_minor": payment.amount_minor, "refunded_minor": payment.refunded_minor, "tender": payment.tender,
        "paid_on": payment.paid_on.isoformat(),
        "parts": [{"visit_id": p.visit_id, "external": p.external, "amount_minor": p.amount_minor,
                   "service_on": p.service_on.isoformat() if p.service_on else None} for p in parts if p.visit_id],
        "credit_minor": sum(p.amount_minor for p in parts if not p.visit_id),
        "due_now_minor": max(figures.total.due_now_minor, 0),
    }
