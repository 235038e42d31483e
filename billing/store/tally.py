"""How full the store is, for ``plainbill check``."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store.tables import Base, Guarantor

_COUNTED = {"accounts": "guarantors", "visits": "visits", "imports": "imports", "messages": "outbox", "staff": "staff"}


def count_rows(session: Session, practice_id: str) -> dict[str, int]:
    """Return how many accounts, visits, imports, messages and people the practice has."""
    tables = Base.metadata.tables
    return {name: session.scalars(select(func.count()).select_from(tables[table])
                                  .where(tables[table].c.practice_id == practice_id)).one()
            for name, table in _COUNTED.items()}


def count_collectors(session: Session, practice_id: str) -> int:
    """How many accounts a debt collector asks, as billing.policy.collector.capacity_of says it (T-20)."""
    late = and_(Guarantor.obtained_on.is_not(None), Guarantor.defaulted_on <= Guarantor.obtained_on)
    return session.scalars(select(func.count()).select_from(Guarantor).where(
        Guarantor.practice_id == practice_id, or_(Guarantor.capacity == "collector", late))).one()
