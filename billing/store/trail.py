"""The audit trail: who saw or did what, reads too. Rows are only ever added (T-36)."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.tables import Audit


def note(
    session: Session, practice_id: str, actor: str, action: str, object_kind: str, object_id: str, now: datetime,
    reason: str = "",
) -> None:
    """Add one entry. ``action`` is read, change, export, ...; ids are ours, never a source's number; no PHI."""
    row = {"practice_id": practice_id, "at": now, "actor": actor, "action": action, "object_kind": object_kind,
           "object_id": object_id, "reason": reason}
    driver.insert(session, cast(Table, Audit.__table__), [row])


def has_read(session: Session, practice_id: str, actor: str, object_kind: str, object_id: str, since: datetime) -> bool:
    """Whether a look of theirs at it stands in the trail since then."""
    return session.scalar(select(Audit.id).where(
        Audit.object_kind == object_kind, Audit.object_id == object_id, Audit.at >= since, Audit.actor == actor,
        Audit.practice_id == practice_id, Audit.action == "read").limit(1)) is not None
