"""What a practice's plan policy allows: how long, how small, how soon, how late, and what is nearest to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from billing.plan_schedule import PER_YEAR, WEEKS, add_months, anchors, dates
from config.payment_policy import PlanPolicy

#: A deposit is at least this, in cents: below it a processor's own minimum refuses the payment.
SMALLEST_DEPOSIT = 1_00


def deposit(policy: PlanPolicy, total_minor: int) -> int:
    """The policy's share of ``total_minor``, in whole cents, rounded down; 0 where it asks for none."""
    if not policy.deposit_percent:
        return 0
    return min(max(total_minor * policy.deposit_percent // 100, SMALLEST_DEPOSIT), total_minor)


def window(policy: PlanPolicy, today: date) -> tuple[date, date]:
    """The first and the last day on which a plan of today may begin; never before its notice can be given."""
    earliest = today + timedelta(days=policy.notice_days)
    return earliest, max(today + timedelta(days=policy.first_within_days), earliest)


def in_months(months: int, interval: str, first_on: date) -> int:
    """How many instalments from ``first_on`` on are due before ``months`` months are over."""
    if interval in WEEKS:
        return -((first_on - add_months(first_on, months)) // WEEKS[interval])
    return months * (2 if interval == "twice_month" else 1)


def longest(policy: PlanPolicy, interval: str, first_on: date) -> int:
    """The largest number of instalments that the policy allows."""
    return min(policy.maximum_instalments, in_months(policy.maximum_months, interval, first_on))


def nearest_interval(policy: PlanPolicy, asked: str) -> str:
    """``asked``, or the interval that the practice offers and that comes round about as often; the rarer of two."""
    return min(policy.intervals, key=lambda name: (abs(PER_YEAR[name] - PER_YEAR[asked]), PER_YEAR[name]))


def asked_interval(interval: str | None, days: Sequence[int], policy: PlanPolicy) -> str:
    """What an ask means by its words: two days of the month are twice a month, one is a month."""
    if interval is not None:
        return interval
    if days:
        return "twice_month" if len(set(days)) > 1 else "month"
    return nearest_interval(policy, "month")


def begin(policy: PlanPolicy, today: date, interval: str, days: Sequence[int],
          first_on: date | None) -> tuple[date, tuple[int, ...], str]:
    """The first due day, the anchors that the others keep to, and why it is not what was asked for (or nothing)."""
    earliest, latest = window(policy, today)
    if first_on is None and not days:
        return (*_default(today, interval, earliest, latest), "")
    wanted = anchors(first_on or earliest, interval, days)
    due = dates(first_on or earliest, interval, wanted, 1)[0]
    if due < earliest:
        due, why = _from(earliest, due, interval, wanted), "first_too_soon"
    else:
        why = ""
    if due <= latest:
        return due, wanted, why
    before = _last_until(latest, due, interval, wanted)
    if before >= earliest:
        return before, wanted, "first_too_late"
    return latest, anchors(latest, interval), "first_too_late"


def _default(today: date, interval: str, earliest: date, latest: date) -> tuple[date, tuple[int, ...]]:
    """A full interval from today on; twice a month: the 1st and the 15th."""
    if interval == "twice_month":
        wanted = anchors(earliest, interval, (1, 15))
        due = dates(earliest, interval, wanted, 1)[0]
    else:
        wanted = anchors(today, interval)
        due = today + WEEKS[interval] if interval in WEEKS else add_months(today, 1)
    if earliest <= due <= latest:
        return due, wanted
    due = min(max(due, earliest), latest)
    return due, anchors(due, interval)


def _from(earliest: date, first_on: date, interval: str, wanted: tuple[int, ...]) -> date:
    """The first day of the asked rhythm at or after ``earliest``."""
    if interval in WEEKS:
        return earliest + timedelta(days=(first_on - earliest).days % WEEKS[interval].days)
    return dates(earliest, interval, wanted, 1)[0]


def _last_until(latest: date, first_on: date, interval: str, wanted: tuple[int, ...]) -> date:
    """The last day of the asked rhythm at or before ``latest``."""
    if interval in WEEKS:
        return latest - timedelta(days=(latest - first_on).days % 7)
    return max(day for day in dates(latest - timedelta(days=62), interval, wanted, 6) if day <= latest)
