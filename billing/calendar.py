"""Federal holidays and office hours. All answers are for a given day or instant; nothing here reads a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from config.practice import PracticePolicy

_LONGEST_CLOSURE_DAYS = 60


@lru_cache(maxsize=64)
def _holidays_of(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year))


def is_federal_holiday(day: date) -> bool:
    """Tell whether ``day`` is a federal holiday or the weekday on which one is observed (5 USC 6103)."""
    return day in _holidays_of(day.year)


def office_interval(policy: PracticePolicy, day: date) -> tuple[datetime, datetime] | None:
    """Return the UTC instants between which the office is open on ``day``; None when it is closed."""
    bounds = policy.office_hours.on(day).bounds()
    if bounds is None or is_federal_holiday(day):
        return None
    zone = ZoneInfo(policy.zone)
    opens_at, closes_at = (datetime.combine(day, clock, zone).astimezone(UTC) for clock in bounds)
    return (opens_at, closes_at) if opens_at < closes_at else None


def office_open(policy: PracticePolicy, now: datetime) -> bool:
    interval = office_interval(policy, now.astimezone(ZoneInfo(policy.zone)).date())
    return interval is not None and interval[0] <= now < interval[1]


def due_by(policy: PracticePolicy, now: datetime) -> datetime:
    """Return when ``policy.answer_within_hours`` of open office have passed since ``now`` (aware UTC).

    A practice without any office hours gets the plain hours: a promise without an end would be none.
    """
    left = timedelta(hours=policy.answer_within_hours)
    first = now.astimezone(ZoneInfo(policy.zone)).date()
    idle = 0
    for offset in range(366):
        interval = office_interval(policy, first + timedelta(days=offset))
        idle = 0 if interval else idle + 1
        if idle > _LONGEST_CLOSURE_DAYS:
            break
        if interval is None or interval[1] <= now:
            continue
        open_for = interval[1] - max(now, interval[0])
        if left <= open_for:
            return max(now, interval[0]) + left
        left -= open_for
    return now + timedelta(hours=policy.answer_within_hours)


def next_opening(policy: PracticePolicy, now: datetime) -> datetime | None:
    """Return when the office opens next (now, if it is open); None when it never does within two months."""
    first = now.astimezone(ZoneInfo(policy.zone)).date()
    for offset in range(_LONGEST_CLOSURE_DAYS):
        interval = office_interval(policy, first + timedelta(days=offset))
        if interval is not None and now < interval[1]:
            return max(now, interval[0])
    return None
