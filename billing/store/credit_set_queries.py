"""SQL of all accounts with unapplied credit at once: as many statements for thousands of them as for one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from billing.store.ledger_queries import TransferRow, chunks, transfers_where
from billing.store.tables import Coverage, Guarantor, LedgerAccount, Payment, Transfer


def accounts_with_credit(session: Session, practice_id: str) -> list[tuple[str, str, int]]:
    """(account, its number at the source, cents)"""
    found = session.execute(
        select(Guarantor.id, Guarantor.external, LedgerAccount.balance_minor)
        .join(LedgerAccount, LedgerAccount.key == "credit:" + Guarantor.id)
        .where(LedgerAccount.practice_id == practice_id, Guarantor.practice_id == practice_id,
               LedgerAccount.kind == "credit", LedgerAccount.balance_minor < 0).order_by(Guarantor.id))
    return [(id_, external, -int(balance)) for id_, external, balance in found]


def _credit(practice_id: str) -> Select[int]:
    """The ledger's accounts of credit that is there."""
    return select(LedgerAccount.id).where(LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "credit",
                                          LedgerAccount.balance_minor < 0)


def moves(session: Session, practice_id: str) -> list[TransferRow]:
    """Everything that was ever put to these accounts' credit or taken from it, in order of posting."""
    among = _credit(practice_id)
    return transfers_where(session, or_(Transfer.credit_id.in_(among), Transfer.debit_id.in_(among)))


def on_credit(session: Session, practice_id: str) -> list[tuple[str, str, int]]:
    """(account, payment, cents of it that stand on credit) of paid payments, newest first."""
    owners = select(LedgerAccount.guarantor_id).where(LedgerAccount.id.in_(_credit(practice_id)))
    sides = union_all(*(
        select(Transfer.payment_id.label("payment"), (Transfer.amount_minor * literal(sign)).label("minor"))
        .join(LedgerAccount, LedgerAccount.id == column).join(Payment, Payment.id == Transfer.payment_id)
        .where(LedgerAccount.kind == "credit", Payment.guarantor_id.in_(owners))
        for column, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)))).subquery()
    sums = select(sides.c.payment, func.sum(sides.c.minor).label("minor")).group_by(sides.c.payment).subquery()
    query = (select(Payment.guarantor_id, Payment.id, sums.c.minor).join(sums, sums.c.payment == Payment.id)
             .where(Payment.paid_at.is_not(None), sums.c.minor > 0)
             .order_by(Payment.paid_at.desc(), Payment.id.desc()))
    return [(str(owner), payment, int(minor)) for owner, payment, minor in session.execute(query)]


def remembered(session: Session, practice_id: str) -> dict[str, int]:
    """Cents of credit that came from each visit, less what went back to it, of visits that gave these accounts some."""
    gave = select(Transfer.visit_id).where(Transfer.credit_id.in_(_credit(practice_id)), Transfer.code == "to_credit",
                                           Transfer.visit_id.is_not(None))
    sides = union_all(*(
        select(Transfer.visit_id.label("visit"), (Transfer.amount_minor * literal(sign)).label("minor"))
        .join(LedgerAccount, LedgerAccount.id == column)
        .where(LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "credit", Transfer.visit_id.in_(gave))
        for column, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)))).subquery()
    query = select(sides.c.visit, func.sum(sides.c.minor)).group_by(sides.c.visit)
    return {str(visit): int(minor) for visit, minor in session.execute(query)}


def visits_of_payments(session: Session, payment_ids: Collection[str]) -> dict[str, set[str]]:
    """By payment: every visit that it ever paid, or was meant for."""
    found: dict[str, set[str]] = {}
    for part in chunks(payment_ids):
        paid = select(Transfer.payment_id, Transfer.visit_id).where(
            Transfer.payment_id.in_(part), Transfer.visit_id.is_not(None)).distinct()
        for payment, visit in session.execute(paid):
            found.setdefault(str(payment), set()).add(str(visit))
        for payment, meant in session.execute(select(Payment.id, Payment.instruction).where(Payment.id.in_(part))):
            found.setdefault(str(payment), set()).update(str(visit) for visit, _ in meant)
    return found


def visits_with_payer(session: Session, visit_ids: Collection[str], codes: Collection[str]) -> set[str]:
    """Of these visits, those with a payer of one of these kinds."""
    return {visit for part in chunks(visit_ids) for visit in session.scalars(select(Coverage.visit_id).where(
        Coverage.visit_id.in_(part), Coverage.filing_code.in_(codes)))}
