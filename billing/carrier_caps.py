"""What carriers let a brand and a number send (T-16), counted in windows that all workers share.

AT&T caps a campaign's texts in a minute, T-Mobile a brand's in a day that begins at midnight Pacific, and a number as
such carries so many segments a second. A number whose carrier is unknown counts against every cap. Counted is in the
transaction that marks a message ``sending``; answers count and are never held back, and of each cap a part is kept
free for them (config/dunning_policy.py: CarrierPolicy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.policy.core import DEMANDS
from billing.store import window_queries as store
from billing.store.tables import Outbox
from config.dunning_policy import CarrierPolicy
from config.practice import PracticePolicy

PACIFIC = ZoneInfo("America/Los_Angeles")
MINUTE = timedelta(minutes=1)

#: Which cap binds which carrier; "" is a carrier that nobody knows.
BY_MINUTE = frozenset({"att", ""})
BY_DAY = frozenset({"tmobile", ""})


@dataclass(frozen=True, slots=True)
class Window:
    """One window of one cap; ``limit`` and ``amount`` in texts, of the number's own window in segments."""

    key: str
    begins_at: datetime
    ends_at: datetime
    limit: int
    amount: int


def windows(caps: CarrierPolicy, *, practice_id: str, number: str, carrier: str, segments: int, now: datetime,
            ) -> list[Window]:
    """The windows that one text counts in, in the order in which all workers take them (so that none waits for another
    that waits for it).
    """
    found = []
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    if caps.per_day is not None and carrier in BY_DAY:
        begins, ends = pacific_day(now)
        found.append(Window(f"day:{caps.brand or practice_id}", begins, ends, caps.per_day, 1))
    if caps.per_minute is not None and carrier in BY_MINUTE:
        key = f"minute:{caps.campaign or practice_id}"
        found.append(Window(key, minute, minute + MINUTE, caps.per_minute, 1))
    if caps.segments_per_second is not None:
        # By the minute: a text of several segments would not fit into any one second.
        key = f"number:{number or practice_id}"
        found.append(Window(key, minute, minute + MINUTE, 60 * caps.segments_per_second, segments))
    return found


def pacific_day(now: datetime) -> tuple[datetime, datetime]:
    """The UTC instants of the Pacific midnights before and after ``now``: 23, 24 or 25 hours apart."""
    day = now.astimezone(PACIFIC).date()
    begins, ends = (datetime.combine(one, time(), PACIFIC).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return begins, ends


def carrier_of(known: Iterable[str]) -> str:
    """The one carrier on record, or "" where there is none or accounts disagree."""
    found = set(known)
    return found.pop() if len(found) == 1 else ""


def room_at(session: Session, row: Outbox, policy: PracticePolicy, now: datetime, carrier: str | None = None,
            used: Callable[[str, datetime], int] | None = None) -> datetime | None:
    """When every cap has room for the message; None: now. Answers always have room. ``carrier`` and ``used`` (of a
    window's key and beginning): where they were read already.
    """
    share = _share(row, policy.carrier)
    if share is None:
        return None
    used = used or partial(store.used, session)
    full = [one.ends_at for one in _windows(session, row, policy, now, carrier)
            if used(one.key, one.begins_at) + one.amount > _limit(one, share)]
    return max(full, default=None)


def take(session: Session, row: Outbox, policy: PracticePolicy, now: datetime, carrier: str | None = None) -> bool:
    """Count the message where it counts; False, and nothing counted, when another worker took the last place."""
    return _take_together(session, [(row, carrier)], policy, now)


def take_all(session: Session, rows: Sequence[tuple[Outbox, str | None]], policy: PracticePolicy, now: datetime,
             ) -> list[bool]:
    """Count many messages (each with its number's carrier, where that was read already) as ``take`` would one by one;
    say which of them found a place. Late in a transaction: all workers count in the same few rows, and each waits for
    the one before to commit.
    """
    if not rows or _take_together(session, rows, policy, now):
        return [True] * len(rows)
    return [take(session, row, policy, now, carrier) for row, carrier in rows]


def _take_together(session: Session, rows: Sequence[tuple[Outbox, str | None]], policy: PracticePolicy, now: datetime,
                   ) -> bool:
    """Count all of them, or nothing."""
    sums: dict[tuple[str, int], tuple[Window, int | None, int]] = {}
    for row, carrier in rows:
        share = _share(row, policy.carrier)
        for one in _windows(session, row, policy, now, carrier):
            limit = _limit(one, share) if share is not None else None
            key = (one.key, -1 if limit is None else limit)
            sums[key] = (one, limit, one.amount + (sums[key][2] if key in sums else 0))
    taken: list[tuple[Window, int]] = []
    for _, (window, limit, amount) in sorted(sums.items()):  # in one order, so that no two workers wait for each other
        if not store.take(session, rows[0][0].practice_id, window.key, window.begins_at, amount, limit):
            for back, counted in taken:
                store.give_back(session, back.key, back.begins_at, counted)
            return False
        taken.append((window, amount))
    return True


def next_window_at(now: datetime) -> datetime:
    """When the shortest of the windows begins anew: then the gate looks again at all of them."""
    return now.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE


def _windows(session: Session, row: Outbox, policy: PracticePolicy, now: datetime, carrier: str | None = None,
             ) -> list[Window]:
    if row.channel != "sms":
        return []
    if carrier is None:
        carrier = carrier_of(store.carriers(session, row.practice_id, row.address_hash))
    return windows(policy.carrier, practice_id=row.practice_id, number=policy.sms_number or "", carrier=carrier,
                   segments=row.segments, now=now)


def _share(row: Outbox, caps: CarrierPolicy) -> int | None:
    """How many percent of a cap this message may fill; None: it is never held back."""
    if row.purpose in DEMANDS or row.campaign_id is not None:
        return 100 - caps.kept_for_replies
    return None


def _limit(window: Window, share: int) -> int:
    """Never less than the message itself needs: a cap of one would otherwise keep everything back for ever."""
    return max(window.limit * share // 100, window.amount, 1)
