"""Rows into the inbox: each once, and of one thread by one transaction at a time, so that ids rise as commits do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Dialect, text
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.seal import SealedJSON
from billing.store.tables import Base, Inbox
from billing.store.types import Instant

Outcome = Literal["kept", "known", "busy"]
"""Kept now; kept before; not kept, as another transaction is adding to its thread at this moment."""

#: The lock of a thread comes before the id of its row. Whose thread is locked is not waited for: one slow transaction
#: would hold up everybody else's texts, and two sets that wait for each other would be a deadlock.
_TOGETHER = """
WITH given AS MATERIALIZED (
  SELECT g.*, pg_try_advisory_xact_lock(hashtextextended(g.thread, 0)) AS free
  FROM ROWS FROM (json_to_recordset(?::json) AS (
    practice_id text, source text, external_id text, kind text, thread text, payload bytea, at timestamptz))
    WITH ORDINALITY AS g (practice_id, source, external_id, kind, thread, payload, at, place)),
made AS (
  INSERT INTO inbox (practice_id, source, external_id, kind, thread, payload, status, attempts, received_at, due_at)
  SELECT practice_id, source, external_id, kind, thread, payload, 'accepted', 0, at, at
  FROM given WHERE free ORDER BY place
  ON CONFLICT (source, external_id) DO NOTHING RETURNING source, external_id)
SELECT given.free, made.external_id IS NOT NULL FROM given LEFT JOIN made USING (source, external_id) ORDER BY place
"""
_TABLE = Base.metadata.tables[Inbox.__tablename__]
_TEXTS = ("practice_id", "source", "external_id", "kind", "thread")


def lock_thread(session: Session, thread: str) -> None:
    """Let one transaction at a time add to a thread; wait for its turn."""
    if driver.is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:thread, 0))"), {"thread": thread})


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """Add rows in their order, each unless one with its source and external id is there. No two may be the same.

    A row names practice_id, source, external_id, kind, thread, payload and received_at; it is due at once.
    """
    if driver.is_postgresql(session):
        return _add_together(session, rows)
    return ["kept" if _add_one(session, row) else "known" for row in rows]


def _add_together(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """As one JSON list: the driver's own arrays cost more than all the rest."""
    given = json.dumps([_plain(row, session.get_bind().dialect) for row in rows])
    return [("kept" if new else "known") if free else "busy" for free, new in driver.run(session, _TOGETHER, given)]


def _plain(row: Mapping[str, Any], dialect: Dialect) -> dict[str, str]:
    sealed, at = (_TABLE.c[name].type for name in ("payload", "received_at"))
    assert isinstance(sealed, SealedJSON) and isinstance(at, Instant)
    payload = sealed.process_bind_param(row["payload"], dialect) or b""
    moment = at.process_bind_param(row["received_at"], dialect)
    assert moment is not None
    return {**{name: row[name] for name in _TEXTS}, "payload": f"\\x{payload.hex()}", "at": moment.isoformat()}


def _add_one(session: Session, row: Mapping[str, Any]) -> bool:
    values = {**row, "status": "accepted", "attempts": 0, "due_at": row["received_at"]}
    statement, bound = driver.insertion(session, _TABLE, values)
    return bool(driver.run(session, f"{statement} ON CONFLICT (source, external_id) DO NOTHING RETURNING id", *bound))
