"""SQL of the ledger of record: what another system told, and what it has to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import ImportedBalance, ImportRun


def newest_balances(session: Session, practice_id: str) -> datetime | None:
    """The moment that the newest finished import of balances speaks of; undone and unfinished ones do not count."""
    return session.scalar(
        select(func.max(ImportedBalance.as_of_at)).join(ImportRun, ImportRun.id == ImportedBalance.import_id)
        .where(ImportedBalance.practice_id == practice_id, ImportRun.status == "finished"))
