"""Undoing an import as a whole: every transfer of it is reversed, what it opened is closed, nothing is deleted.

Patients' payments on its visits are not the import's: they stay, and become the guarantor's credit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import csv_undoing, holds, ledger, opening_undoing
from billing.settlement import settle
from billing.store import ledger_queries, opening_queries, undo_queries
from config.practice import PracticePolicy


class UndoRefused(ValueError):
    """This import cannot be undone as things stand. The text says what to do first."""


def undo_import(session: Session, practice_id: str, policy: PracticePolicy, import_id: str, *, actor: str,
                now: datetime) -> dict[str, Any]:
    """Reverse an import; return what that did. Raises UndoRefused."""
    run = undo_queries.lock_run(session, practice_id, import_id)
    if run is None:
        raise UndoRefused(f"there is no import {import_id}; plainbill import --list shows them")
    if run.status != "finished" or run.outcome in ("duplicate", "refused"):
        raise UndoRefused(f"import {import_id} is {run.outcome or run.status}: it has posted nothing that stands")
    later = undo_queries.later_imports(session, import_id)
    if later:
        raise UndoRefused(f"import {later[0]} built on this one; undo that first")
    today = now.astimezone(ZoneInfo(policy.zone)).date()
    visit_ids = undo_queries.visits_touched(session, import_id)
    opening_undoing.end_what_runs(session, practice_id, import_id, currency=policy.currency, actor=actor, today=today,
                                  now=now)
    postings = ledger.reversals(session, ledger_queries.of_import(session, import_id), source="undo", ref=import_id,
                                effective_on=today, import_id=import_id)
    restored = ledger.restorations(session, ledger_queries.reversing_others(session, import_id), ref=import_id,
                                   effective_on=today)
    reversed_count = ledger.post(session, [*postings, *restored], now)
    undo_queries.close_opened(session, import_id)
    undo_queries.reopen_answered(session, import_id)
    csv_undoing.take_back(session, practice_id, import_id, visit_ids, actor=actor, now=now)
    undo_queries.mark_undone(session, run, actor, now)
    for dedupe in undo_queries.holds_placed(session, practice_id, import_id):
        holds.release_by_dedupe(session, practice_id, dedupe, released_by=actor, now=now, reason="import undone")
    opening_undoing.end_holds(session, practice_id, import_id, actor=actor, now=now)
    settled = settle(session, practice_id, visit_ids, now=now, today=today, currency=policy.currency)
    if opening_queries.overdrawn(session, import_id):
        raise UndoRefused("credit that this import brought was used or paid back since; reverse that first")
    return {"import": import_id, "file": run.file_name, "reversed": reversed_count, "settled": settled,
            "visits": len(visit_ids)}
