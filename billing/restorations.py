"""A copy that came out of a backup: it knows nothing of what happened since, so nothing leaves it and nothing is
charged before it was compared with the carrier and the processor.

While ``restored_at`` of a practice stands, its policy's sending mode reads ``restored`` (billing/store/practices.py),
and the gate withholds every message and every charge. What was on its way when the backup was made may have left since:
it is of unknown outcome, and looked for before anything else is done with it. Campaigns that were approved or under way
are stopped for good: whom they have told since, by whatever channel, nobody here knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing.processor_calls import KEY_LIFE
from billing.store import restoration_queries as store
from billing.store.tables import Practice


class RestorationRefused(Exception):
    """The copy cannot be released yet, or is none. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a restored practice is; ``waiting``: messages and calls whose outcome is still being looked for."""

    practice_id: str
    backup_at: datetime
    restored_at: datetime
    texts_checked_at: datetime | None
    money_checked_at: datetime | None
    waiting: int

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to happen before the copy may be released."""
        todo = []
        if self.texts_checked_at is None:
            todo.append("compare with the carrier: plainbill restored texts")
        if self.money_checked_at is None:
            todo.append("compare with the processor: plainbill restored money")
        if self.waiting:
            todo.append(f"learn what became of messages and calls that were under way ({self.waiting} left): plainbill "
                        "serve looks for them, what it cannot find out is a case")
        return tuple(todo)


def begin(session: Session, *, backup_at: datetime, now: datetime) -> None:
    """Put every practice of a restored database into the shadow."""
    for practice in store.practices(session):
        practice.restored_at, practice.backup_at = now, backup_at
        practice.texts_checked_at = practice.money_checked_at = None
    store.forget_leases(session)
    store.distrust_messages(session, backup_at)
    store.distrust_calls(session, now - KEY_LIFE)
    store.stop_campaigns(session, "restored from a backup", now)
    session.flush()


def standing(session: Session, practice_id: str) -> Standing | None:
    """None for a practice that was not restored, or was released."""
    row = session.get(Practice, practice_id)
    if row is None or row.restored_at is None or row.backup_at is None:
        return None
    return Standing(row.id, row.backup_at, row.restored_at, row.texts_checked_at, row.money_checked_at,
                    store.unsettled(session, practice_id))


def note_checked(session: Session, practice_id: str, what: str, now: datetime) -> None:
    """``what``: texts, money. Raises RestorationRefused."""
    row = _restored(session, practice_id)
    setattr(row, {"texts": "texts_checked_at", "money": "money_checked_at"}[what], now)
    session.flush()


def release(session: Session, practice_id: str) -> None:
    """Let the copy go on as the practice's own. Raises RestorationRefused naming what is missing."""
    row, now_standing = _restored(session, practice_id), standing(session, practice_id)
    if now_standing is not None and now_standing.missing:
        raise RestorationRefused("; ".join(("the copy stays in the shadow", *now_standing.missing)))
    row.restored_at = None
    session.flush()


def _restored(session: Session, practice_id: str) -> Practice:
    row = session.get(Practice, practice_id)
    if row is None or row.restored_at is None:
        raise RestorationRefused("this practice was not restored from a backup, or was released before")
    return row
