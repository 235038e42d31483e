"""Words that have outlived their use are emptied (RetentionPolicy); amounts, verdicts and consents stay (T-11, T-36).

A message's body and arguments, and what came in, go; the row with its purpose, template, times, rule and receipt
remains, so that ``plainbill why`` still answers. How far a purge went is in the audit trail; the next begins there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from billing.store import purge_queries as store
from billing.store.purge_queries import What
from billing.store.trail import note
from config.dunning_policy import RetentionPolicy

BATCH = 500


@dataclass(frozen=True, slots=True)
class Due:
    """``rows`` whose words are older than ``before``; what is older than ``since`` was emptied by an earlier purge."""

    what: What
    since: datetime | None
    before: datetime
    rows: int


def due(session: Session, practice_id: str, policy: RetentionPolicy, now: datetime) -> list[Due]:
    """What a purge would empty now."""
    found = []
    ages: tuple[tuple[What, int], ...] = (("outbox", policy.message_text_days), ("inbox", policy.inbox_days))
    for what, days in ages:
        since, before = store.last_until(session, what, practice_id), now - timedelta(days=days)
        if since is not None and since >= before:
            found.append(Due(what, since, before, 0))
        else:
            found.append(Due(what, since, before, store.count(session, what, practice_id, since, before)))
    return found


def purge(write: Callable[[Callable[[Session], object | None]], object | None], practice_id: str, one: Due, *,
          by: str, now: datetime) -> int:
    """Empty in transactions of BATCH rows; return how many. The last one writes the line in the audit trail, so that a
    purge that was cut short begins again where the one before it had begun. ``write`` is the store's.
    """
    after: object | None = None
    done = 0
    while ids := write(partial(_empty_next, practice_id=practice_id, one=one, after=after)):
        assert isinstance(ids, list)
        after, done = ids[-1], done + len(ids)
    if one.rows:
        write(lambda session: note(session, practice_id, by, store.ACTION, one.what, one.before.isoformat(), now,
                                   f"{done} rows"))
    return done


def _empty_next(session: Session, practice_id: str, one: Due, after: object | None) -> list[object]:
    ids = list(store.batch(session, one.what, practice_id, one.since, one.before, after, BATCH)) if one.rows else []
    if ids:
        store.empty(session, one.what, ids)
    return [*ids]
