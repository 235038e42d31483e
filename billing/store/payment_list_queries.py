"""SQL of staff's lists of payments: reading alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from billing.store.tables import Guarantor, Payment, Statement, Visit


def listed(session: Session, practice_id: str, *, guarantor_id: str | None = None, status: str | None = None,
           since: datetime | None = None, until: datetime | None = None, limit: int = 200,
           ) -> Sequence[tuple[Payment, str]]:
    """(payment, account's number), newest first. ``since`` and ``until`` bound when it was asked for or recorded."""
    query = select(Payment, Guarantor.external).join(Guarantor, Guarantor.id == Payment.guarantor_id).where(
        Payment.practice_id == practice_id)
    for column, value in ((Payment.guarantor_id, guarantor_id), (Payment.status, status)):
        query = query if value is None else query.where(column == value)
    query = query if since is None else query.where(Payment.created_at >= since)
    query = query if until is None else query.where(Payment.created_at < until)
    found = session.execute(query.order_by(Payment.created_at.desc(), Payment.id.desc()).limit(limit))
    return [(payment, external or "") for payment, external in found]


def find(session: Session, practice_id: str, ref: str) -> Payment | None:
    """By our id, with or without its beginning and the blanks of a printed receipt, or by the processor's."""
    plain = "".join(ref.split())
    own = plain if plain.startswith("pay_") else f"pay_{plain.lower()}"
    return session.scalars(select(Payment).where(
        Payment.practice_id == practice_id,
        or_(Payment.id.in_((own, plain)), Payment.processor_ref == plain)).limit(1)).one_or_none()


def visits_named(session: Session, guarantor_id: str) -> dict[str, str]:
    """The account's visits by our id and by the source's number."""
    names: dict[str, str] = {}
    for visit_id, external in session.execute(select(Visit.id, Visit.external).where(
            Visit.guarantor_id == guarantor_id)):
        names[visit_id] = names[external] = visit_id
    return names


def statement_numbered(session: Session, guarantor_id: str, number: int) -> str | None:
    """The account's statement with this number."""
    return session.scalar(select(Statement.id).where(Statement.guarantor_id == guarantor_id,
                                                     Statement.number == number))


def by_processor_ref(session: Session, processor_ref: str) -> Payment | None:
    """Whose it is among all practices: the processor's ids are its own."""
    return session.scalars(select(Payment).where(Payment.processor_ref == processor_ref).limit(1)).one_or_none()
