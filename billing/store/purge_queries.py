"""SQL of the purge: which words are old, and the emptying of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from billing.store.road_queries import UNSETTLED
from billing.store.tables import Audit, Inbox, Outbox

ACTION = "purge"

What = Literal["outbox", "inbox"]


def count(session: Session, what: What, practice_id: str, since: datetime | None, before: datetime) -> int:
    return session.scalar(select(func.count()).select_from(_old(what, practice_id, since, before).subquery())) or 0


def batch(session: Session, what: What, practice_id: str, since: datetime | None, before: datetime, after: object,
          limit: int) -> list[Any]:
    """The next ids, in their order, after ``after`` (None: from the first)."""
    table = _table(what)
    found = _old(what, practice_id, since, before)
    if after is not None:
        found = found.where(table.id > after)
    return list(session.scalars(found.order_by(table.id).limit(limit)))


def empty(session: Session, what: What, ids: Sequence[Any]) -> None:
    """Take the words away; who was told what kind of thing, when, and by which rule stays."""
    if what == "outbox":
        session.execute(update(Outbox).where(Outbox.id.in_(ids)).values(body="", arguments={}, buttons=None),
                        execution_options={"synchronize_session": False})
    else:
        session.execute(update(Inbox).where(Inbox.id.in_(ids)).values(payload={}),
                        execution_options={"synchronize_session": False})


def last_until(session: Session, what: What, practice_id: str) -> datetime | None:
    """Up to which instant the words were emptied before, as the audit trail has it."""
    found = session.scalars(select(Audit.object_id).where(
        Audit.practice_id == practice_id, Audit.action == ACTION, Audit.object_kind == what)).all()
    return max(map(datetime.fromisoformat, found), default=None)


def _old(what: What, practice_id: str, since: datetime | None, before: datetime) -> Select[Any]:
    table, moment, open_ = ((Outbox, Outbox.created_at, UNSETTLED) if what == "outbox"
                            else (Inbox, Inbox.received_at, ("accepted", "working")))
    found: Select[Any] = select(table.id).where(table.practice_id == practice_id, moment < before,
                                                table.status.notin_(open_))
    return found.where(moment >= since) if since is not None else found


def _table(what: What) -> type[Outbox] | type[Inbox]:
    return Outbox if what == "outbox" else Inbox
