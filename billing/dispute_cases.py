"""The cases of disputes at the bank: staff are called to each state of a dispute once, under a cause of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from billing.store import payment_queries
from billing.store.tables import Case, Payment, PaymentDispute

#: The kind of case that a dispute in this state has; one that is over keeps the case that it had.
_KINDS: Mapping[str, str] = {"inquiry": "bank_inquiry", "returned": "bank_return"}


def kind_of(row: PaymentDispute) -> str:
    return _KINDS.get(row.status, "chargeback")


def case_key(payment: Payment, row: PaymentDispute) -> str:
    """What the causes of a dispute's cases end with; they begin with the kind."""
    return payment.id if row.processor_ref.startswith(payment.id) else f"{payment.id}:{row.processor_ref}"


def open_cases(session: Session, practice_id: str,
               disputes: Iterable[tuple[PaymentDispute, Payment]]) -> dict[str, list[Case]]:
    """dispute id -> its cases that nobody has closed, that of its present state first. One query for all of them."""
    causes = {row.id: [f"{kind}:{case_key(payment, row)}" for kind in _kinds(row)] for row, payment in disputes}
    found = payment_queries.open_cases(session, practice_id, [one for each in causes.values() for one in each])
    return {dispute_id: [found[one] for one in each if one in found] for dispute_id, each in causes.items()}


def _kinds(row: PaymentDispute) -> Iterable[str]:
    return dict.fromkeys((kind_of(row), "chargeback", "bank_inquiry"))
