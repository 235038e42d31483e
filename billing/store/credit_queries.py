"""SQL of unapplied credit: how much there is, from which payments and visits of an account (of all at once:
credit_set_queries)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from billing.store import payment_queries, settlement_queries
from billing.store.ledger_queries import chunks
from billing.store.tables import Case, Coverage, Guarantor, LedgerAccount, Payment, Practice, Refund, Transfer


def credit_of_all(session: Session, practice_id: str) -> tuple[int, int]:
    """(accounts with credit, cents of all of them)"""
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(LedgerAccount.balance_minor), 0))
        .select_from(LedgerAccount).join(Guarantor, LedgerAccount.key == "credit:" + Guarantor.id)
        .where(LedgerAccount.practice_id == practice_id, Guarantor.practice_id == practice_id,
               LedgerAccount.kind == "credit", LedgerAccount.balance_minor < 0)).one()
    return int(row[0]), -int(row[1])


def payments_on_credit(session: Session, guarantor_id: str,
                       statuses: Collection[str] = ()) -> list[tuple[str, int]]:
    """(payment, cents of it that were put to credit and not moved since), newest first."""
    return payments_on_visit(session, guarantor_id, None, statuses)


def payments_on_visit(session: Session, guarantor_id: str, visit_id: str | None,
                      statuses: Collection[str] = ()) -> list[tuple[str, int]]:
    """(payment, cents of it that stand on a visit, or on credit), newest first."""
    query = select(Payment.id).where(Payment.guarantor_id == guarantor_id, Payment.paid_at.is_not(None))
    query = query.where(Payment.status.in_(statuses)) if statuses else query
    found = []
    for payment_id in session.scalars(query.order_by(Payment.paid_at.desc(), Payment.id.desc())).all():
        minor = sum(net.amount_minor for net in payment_queries.net_of_payment(session, payment_id)
                    if net.visit_id == visit_id)
        if minor > 0:
            found.append((payment_id, minor))
    return found


def visits_that_gave(session: Session, guarantor_id: str) -> list[tuple[str, int]]:
    """(visit, cents that it gave up to its guarantor's credit and did not take back), the last to give first."""
    rows = session.execute(select(Transfer.visit_id, func.max(Transfer.id)).where(
        Transfer.guarantor_id == guarantor_id, Transfer.code == "to_credit", Transfer.visit_id.is_not(None))
        .group_by(Transfer.visit_id).order_by(func.max(Transfer.id).desc())).all()
    practice = session.scalar(select(Guarantor.practice_id).where(Guarantor.id == guarantor_id)) or ""
    found = []
    for visit_id in (str(row[0]) for row in rows):
        minor = settlement_queries.remembered(session, practice, visit_id)
        if minor > 0:
            found.append((visit_id, minor))
    return found


def being_refunded(session: Session, guarantor_id: str) -> int:
    """Cents of refunds that are asked for or on their way."""
    return int(session.scalar(select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.guarantor_id == guarantor_id, Refund.status.in_(("waiting", "approved", "sent")))) or 0)


def filing_codes(session: Session, visit_ids: Collection[str]) -> set[str]:
    """The kinds of payer of these visits."""
    found: set[str] = set()
    for part in chunks(visit_ids):
        found.update(session.scalars(select(Coverage.filing_code).where(Coverage.visit_id.in_(part))))
    return found


def was_opened(session: Session, practice_id: str, dedupe: str) -> bool:
    """Whether a case of this cause was ever opened: one that is closed keeps its key, with its number behind it."""
    return session.scalar(select(Case.id).where(
        Case.practice_id == practice_id, or_(Case.dedupe == dedupe,
                                             Case.dedupe.startswith(f"{dedupe}#", autoescape=True))).limit(1)
        ) is not None


def newest_of_visit(session: Session, visit_id: str) -> int:
    return int(session.scalar(select(func.max(Transfer.id)).where(Transfer.visit_id == visit_id)) or 0)


def currency(session: Session, practice_id: str) -> str:
    return session.scalar(select(Practice.currency).where(Practice.id == practice_id)) or "USD"
