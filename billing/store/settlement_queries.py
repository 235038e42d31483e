"""SQL of settlement: how visits stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.ledger_queries import chunks
from billing.store.tables import LedgerAccount, Transfer


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
    rows = driver.run(session, _STANDING, practice_id, driver.among(session, visit_ids))
    return [_standing(session, practice_id, visit_id, guarantor_id, bool(pending), balance, -held)
            for visit_id, guarantor_id, pending, balance, held in rows
            if balance < 0 or (balance > 0 and held < 0) or held > 0]


_STANDING = """
SELECT v.id, v.guarantor_id, EXISTS (SELECT 1 FROM coverages c WHERE c.visit_id = v.id AND c.status = 'pending'),
    a.balance_minor, COALESCE(k.balance_minor, 0)
FROM visits v JOIN ledger_accounts a ON a.practice_id = ? AND a.key = 'patient:' || v.id
LEFT JOIN ledger_accounts k ON k.practice_id = a.practice_id AND k.key = 'credit:' || v.guarantor_id
WHERE v.id IN_LIST ORDER BY v.id"""


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
