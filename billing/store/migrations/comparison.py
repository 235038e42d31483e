"""How Alembic is to see our column types: as what they are in the database, so that a revision outlives the code."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import DateTime, LargeBinary

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Instant


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, Sealed | SealedJSON):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def compare_type(_context: Any, _inspected: Any, _column: Any, found: Any, wanted: Any) -> bool | None:
    """Return whether the types differ, None to let Alembic judge by itself."""
    if isinstance(wanted, Sealed | SealedJSON):
        return not isinstance(found, LargeBinary)
    if isinstance(wanted, Instant):
        return not isinstance(found, DateTime)
    return None
