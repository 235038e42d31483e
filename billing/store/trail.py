"""The audit trail: who saw or did what, reads too. Rows are only ever added (T-36)."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.prepared import Query, given, prepared
from billing.store.tables import Audit


def note(
    session: Session, practice_id: str, actor: str, action: str, object_kind: str, object_id: str, now: datetime,
    reason: str = "",
) -> None:
    """Add one entry. ``action`` is read, change, export, ...; ids are ours, never a source's number; no PHI."""
    row = {"practice_id": practice_id, "at": now, "actor": actor, "action": action, "object_kind": object_kind,
           "object_id": object_id, "reason": reason}
    driver.insert(session, cast(Table, Audit.__table__), [row])


@prepared
def _looks() -> Query:
    return select(Audit.id).where(
        Audit.object_kind == given("object_kind"), Audit.object_id == given("object_id"), Audit.at >= given("since"),
        Audit.actor == given("actor"), Audit.practice_id == given("practice_id"), Audit.action == "read").limit(1)


def has_read(session: Session, practice_id: str, actor: str, object_kind: str, object_id: str, since: datetime) -> bool:
    """Whether a look of theirs at it stands in the trail since then."""
    return bool(_looks(session, practice_id=practice_id, actor=actor, object_kind=object_kind, object_id=object_id,
                       since=since))
