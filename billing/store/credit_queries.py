"""SQL of unapplied credit: who has some, since when, from which payments and visits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from billing.store import payment_queries, settlement_queries
from billing.store.ledger_queries import chunks, transfers_where
from billing.store.tables import Case, Coverage, Guarantor, LedgerAccount, Payment, Practice, Refund, Transfer


def accounts_with_credit(session: Session, practice_id: str) -> list[tuple[str, str, int]]:
    """(account, its number at the source, cents)"""
    found = session.execute(
        select(Guarantor.id, Guarantor, LedgerAccount.balance_minor)
        .join(LedgerAccount, LedgerAccount.key == "credit:" + Guarantor.id)
        .where(LedgerAccount.practice_id == practice_id, Guarantor.practice_id == practice_id,
               LedgerAccount.kind == "credit", LedgerAccount.balance_minor < 0).order_by(Guarantor.id))
    return [(id_, guarantor.external, -int(balance)) for id_, guarantor, balance in found]


def credit_of_all(session: Session, practice_id: str) -> tuple[int, int]:
    """(accounts with credit, cents of all of them)"""
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(LedgerAccount.balance_minor), 0))
        .select_from(LedgerAccount).join(Guarantor, LedgerAccount.key == "credit:" + Guarantor.id)
        .where(LedgerAccount.practice_id == practice_id, Guarantor.practice_id == practice_id,
               LedgerAccount.kind == "credit", LedgerAccount.balance_minor < 0)).one()
    return int(row[0]), -int(row[1])


def since(session: Session, practice_id: str, guarantor_id: str) -> date:
    """The day on which the oldest cent that is still credit came: what is used is the oldest first. What a payment has
    on credit keeps its first day when some of it is put elsewhere: no clock starts anew by that.
    """
    key, queue, first = f"credit:{guarantor_id}", list[list[int | date]](), dict[str, date]()
    account = select(LedgerAccount.id).where(LedgerAccount.practice_id == practice_id, LedgerAccount.key == key)
    last = date.min
    for row in transfers_where(session, or_(Transfer.credit_id.in_(account), Transfer.debit_id.in_(account))):
        last = row.effective_on
        if row.credit.key == key:
            came = first.setdefault(row.payment_id, last) if row.payment_id else last
            queue.append([came, row.amount_minor])
            queue.sort(key=lambda one: one[0])
        else:
            _use(queue, row.amount_minor)
    return queue[0][0] if queue and isinstance(queue[0][0], date) else last


def _use(queue: list[list[int | date]], amount_minor: int) -> None:
    left = amount_minor
    while left and queue:
        have = queue[0][1]
        assert isinstance(have, int)
        share = min(have, left)
        queue[0][1], left = have - share, left - share
        if not queue[0][1]:
            queue.pop(0)


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
