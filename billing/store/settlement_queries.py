"""SQL of settlement: how visits stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from billing.store.ledger_queries import balances_by_key, chunks
from billing.store.tables import Coverage, LedgerAccount, Transfer, Visit


@dataclass(frozen=True, slots=True)
class Standing:
    """``remembered_minor`` is the credit that came from this visit and did not go back; ``credit_minor`` is all of
    the guarantor's.
    """

    visit_id: str
    guarantor_id: str
    pending: bool
    patient_minor: int
    remembered_minor: int
    credit_minor: int
    newest_transfer_id: int


def load(session: Session, practice_id: str, visit_ids: Collection[str]) -> list[Standing]:
    """Only visits that may need a transfer: those below zero, those owing while their guarantor has credit, and those
    of a guarantor whose credit is below zero.
    """
    found: list[Standing] = []
    for part in chunks(sorted(visit_ids), 200):
        found.extend(_load_part(session, practice_id, part))
    return found


def _load_part(session: Session, practice_id: str, visit_ids: list[str]) -> list[Standing]:
    pending = exists().where(Coverage.visit_id == Visit.id, Coverage.status == "pending")
    account = aliased(LedgerAccount)
    query = (
        select(Visit.id, Visit.guarantor_id, pending, account.balance_minor)
        .join(account, and_(account.practice_id == practice_id, account.key == literal("patient:") + Visit.id))
        .where(Visit.id.in_(visit_ids)).order_by(Visit.id))
    rows = session.execute(query).all()
    held = balances_by_key(session, practice_id, {f"credit:{row[1]}" for row in rows})
    return [_standing(session, practice_id, *row, -held[f"credit:{row[1]}"]) for row in rows
            if row[3] < 0 or (row[3] > 0 and held[f"credit:{row[1]}"] < 0) or held[f"credit:{row[1]}"] > 0]


def _standing(session: Session, practice_id: str, visit_id: str, guarantor_id: str, pending: bool, balance: int,
              credit: int) -> Standing:
    newest = session.scalar(select(func.max(Transfer.id)).where(Transfer.visit_id == visit_id))
    return Standing(visit_id, guarantor_id, pending, balance, remembered(session, practice_id, visit_id), credit,
                    int(newest or 0))


def remembered(session: Session, practice_id: str, visit_id: str) -> int:
    """Credit in cents that came from this visit, less what went back to it."""
    total = 0
    for column, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)):
        amount = session.scalar(
            select(func.coalesce(func.sum(Transfer.amount_minor), 0)).join(LedgerAccount, LedgerAccount.id == column)
            .where(Transfer.visit_id == visit_id, LedgerAccount.practice_id == practice_id,
                   LedgerAccount.kind == "credit"))
        total += sign * int(amount or 0)
    return total
