"""What a person said of a copy out of a backup: by these channels messages may have left that no row tells of.

Whom they told is not known, so every household that has an address of such a channel counts as told by it in the
moment of the restoration: for the calendar of reminders, the rest between two demands and the household's cap. A letter
may have gone to anybody. billing/restorations.py keeps the word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from billing.store.tables import Practice

_EVERYBODY = frozenset({"paper"})


def moments(session: Session, practice_id: str) -> Mapping[str, datetime]:
    """By channel; empty where nothing was taken as left. Read once a session."""
    kept: dict[str, dict[str, datetime]] = session.info.setdefault("taken_as_left", {})
    if practice_id not in kept:
        row = session.get(Practice, practice_id)
        words = (row.channels_said or {}) if row is not None else {}
        kept[practice_id] = {channel: datetime.fromisoformat(one["until"]) for channel, one in words.items()
                             if one["said"] == "left"}
    return kept[practice_id]


def until(session: Session, practice_id: str) -> datetime | None:
    """The last of these moments."""
    return max(moments(session, practice_id).values(), default=None)


def heard(said: Mapping[str, datetime], channels: Collection[str]) -> tuple[datetime, ...]:
    """When somebody with addresses of these ``channels`` counts as told."""
    return tuple(sorted(at for channel, at in said.items() if channel in channels or channel in _EVERYBODY))
