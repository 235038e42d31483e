"""Who saw or did what to whose account, when and why; reads too (T-36: 45 CFR 164.312(b))."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing.store import trail


def record(session: Session, practice_id: str, actor: str, action: str, object_kind: str, object_id: str,
           reason: str, now: datetime) -> None:
    """Add an entry. ``object_id`` is our id, never a source's number; ``reason`` holds no PHI.

    Raises ValueError without an actor: an entry that names nobody proves nothing.
    """
    if not actor.strip():
        raise ValueError("an audit entry names who acted; commands act as PLAINBILL_STAFF")
    trail.note(session, practice_id, actor, action, object_kind, object_id, now, reason)
