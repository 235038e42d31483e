"""How full the store is, for ``plainbill check``."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import Base

_COUNTED = {"accounts": "guarantors", "visits": "visits", "imports": "imports", "messages": "outbox", "staff": "staff"}


def count_rows(session: Session, practice_id: str) -> dict[str, int]:
    """Return how many accounts, visits, imports, messages and people the practice has."""
    tables = Base.metadata.tables
    return {name: session.scalars(select(func.count()).select_from(tables[table])
                                  .where(tables[table].c.practice_id == practice_id)).one()
            for name, table in _COUNTED.items()}
