"""The dates and amounts of an instalment plan. Pure: practice-local days and whole cents.

A plan's days are calendar days of the practice, never instants: a change of the clocks can neither lose nor double one.
The day that was asked for is an anchor and every date is counted from it, so that a 31st becomes the 28th, 29th or
30th where a month is shorter and the 31st again afterwards (receivables.md D3). ``interval`` is one of week,
two_weeks, twice_month and month; ``days`` are the anchors (one for a month, two for twice_month), empty for weeks.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from billing.plan_terms import Part

WEEKS = {"week": timedelta(weeks=1), "two_weeks": timedelta(weeks=2)}

#: How often an interval comes round in a year: to compare what two intervals ask for.
PER_YEAR = {"week": 52, "two_weeks": 26, "twice_month": 24, "month": 12}


def in_month(year: int, month: int, anchor: int) -> date:
    """The ``anchor`` (1 to 31) of a month, or its last day. ``month`` may run on past 12."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(anchor, monthrange(year, month)[1]))


def add_months(day: date, months: int) -> date:
    return in_month(day.year, day.month + months, day.day)


def anchors(first_on: date, interval: str, days: Sequence[int] = ()) -> tuple[int, ...]:
    """The days of the month that a plan keeps to, in order; where none were asked for, those that ``first_on`` means.

    Raises ValueError for days that an interval cannot have: two for a month, one for twice a month, or two that fall
    on one day in February.
    """
    if interval in WEEKS:
        return ()
    wanted = tuple(sorted(set(days))) or _anchors_of(first_on, interval)
    if len(wanted) != (2 if interval == "twice_month" else 1) or not all(1 <= day <= 31 for day in wanted):
        raise ValueError(f"{interval} with the days {wanted}: one day for a month, two for twice a month, each 1 to 31")
    if len(wanted) == 2 and wanted[0] >= 28:
        raise ValueError(f"the days {wanted} are one day in February; the first of the two is 27 at the latest")
    return wanted


def _anchors_of(first_on: date, interval: str) -> tuple[int, ...]:
    day = first_on.day
    if interval == "month":
        return (day,)
    if day in (15, 31):  # the middle and the last of the month
        return (15, 31)
    return (day, day + 15) if day < 15 else (day - 15, day)


def dates(first_on: date, interval: str, days: Sequence[int], count: int) -> tuple[date, ...]:
    """``count`` due days; the first is ``first_on`` or, when that is none of ``days``, the next one that is."""
    return tuple(islice(_days_from(first_on, interval, anchors(first_on, interval, days)), count))


def following(day: date, interval: str, days: Sequence[int] = ()) -> date:
    """The due day after ``day``. Pass the plan's ``days``: without them the 28 February of a 31st would stay a 28th."""
    wanted = anchors(day, interval, days)
    return next(due for due in _days_from(day, interval, wanted) if due > day)


def _days_from(first_on: date, interval: str, wanted: tuple[int, ...]) -> Iterator[date]:
    if interval in WEEKS:
        due = first_on
        while True:
            yield due
            due += WEEKS[interval]
    month = first_on.month
    while True:
        for anchor in wanted:
            due = in_month(first_on.year, month, anchor)
            if due >= first_on:
                yield due
        month += 1


def charge_moment(day: date, zone: str, hour: int) -> datetime:
    """The UTC instant from which the charges of a practice-local ``day`` may be made: exactly one for each day.

    An hour that the clocks leave out becomes the one after it; of an hour that they repeat it is the first.
    """
    return datetime.combine(day, time(hour, fold=0), ZoneInfo(zone)).astimezone(UTC)


def even_split(total_minor: int, count: int, most_minor: int | None = None) -> tuple[int, ...]:
    """``count`` equal amounts that sum to ``total_minor``; the last takes the rounding.

    Where that would take the last above ``most_minor``, the odd cents go one each to the last few. Raises ValueError if
    ``count`` amounts of at most ``most_minor`` cannot reach the total.
    """
    if count < 1 or total_minor < count or (most_minor is not None and total_minor > count * most_minor):
        raise ValueError(f"{total_minor} cents cannot be split into {count} parts of 1 to {most_minor} cents")
    base, odd = divmod(total_minor, count)
    if most_minor is None or base + odd <= most_minor:
        return (base,) * (count - 1) + (base + odd,)
    return (base,) * (count - odd) + (base + 1,) * odd


def filled_split(total_minor: int, amount_minor: int) -> tuple[int, ...]:
    """As many parts of ``amount_minor`` as fit, and a last one with the rest."""
    whole, rest = divmod(total_minor, amount_minor)
    return (amount_minor,) * whole + ((rest,) if rest else ())


def shorten(parts: Sequence[Part], left_minor: int, least_minor: int = 0) -> tuple[Part, ...]:
    """Cut from the tail until ``parts`` ask for ``left_minor`` in all: the plan ends earlier, its amounts stay, but for
    the last two where the last would ask for less than ``least_minor``.

    ``parts`` hold in order what is still open of each instalment to come. Only those that still ask for something come
    back; one that is missing asks for nothing any more. No amount ever rises: with more left they come back as they
    were. The same holds for ``lower``.
    """
    kept: list[Part] = []
    for part in parts:
        amount = min(part.amount_minor, left_minor - sum(p.amount_minor for p in kept))
        if amount > 0:
            kept.append(replace(part, amount_minor=amount))
    return _lifted(kept, {part.number: part.amount_minor for part in parts}, least_minor)


def _lifted(kept: Sequence[Part], asked: Mapping[int, int], least_minor: int) -> tuple[Part, ...]:
    """Move cents from the last but one to a last one that no processor would take; none rises above what it asked."""
    if len(kept) < 2:
        return tuple(kept)
    *others, before, last = kept
    lack = min(least_minor, asked[last.number]) - last.amount_minor
    if lack <= 0 or before.amount_minor - lack < least_minor:
        return tuple(kept)
    return (*others, replace(before, amount_minor=before.amount_minor - lack),
            replace(last, amount_minor=last.amount_minor + lack))


def lower(parts: Sequence[Part], left_minor: int, least_minor: int = 0) -> tuple[Part, ...]:
    """Keep the dates and make the amounts smaller, as even as what was agreed for each allows; the last takes the
    rounding. Where that would come to amounts below ``least_minor``, the plan is shortened instead.
    """
    if left_minor >= sum(part.amount_minor for part in parts):
        return tuple(part for part in parts if part.amount_minor > 0)
    level = _level([part.amount_minor for part in parts], max(left_minor, 0))
    even = [min(part.amount_minor, level) for part in parts]
    over = sum(even) - max(left_minor, 0)
    for index in range(len(even) - 1, -1, -1):
        less = min(over, even[index])
        even[index], over = even[index] - less, over - less
    if any(0 < amount < least_minor for amount in even):
        return shorten(parts, left_minor, least_minor)
    return tuple(replace(part, amount_minor=amount) for part, amount in zip(parts, even, strict=True) if amount > 0)


def _level(amounts: Sequence[int], left_minor: int) -> int:
    """The lowest cap under which ``amounts`` still reach ``left_minor``."""
    rising, below = sorted(amounts), 0
    for index, amount in enumerate(rising):
        level = -((below - left_minor) // (len(rising) - index))  # rounded up
        if level <= amount:
            return level
        below += amount
    return rising[-1] if rising else 0


def skip(parts: Sequence[Part], number: int, interval: str, days: Sequence[int],
         new_number: int | None = None) -> tuple[Part, ...]:
    """Take an instalment out of its turn: what is open of it becomes a new last one, an interval after the last.

    ``days`` are the plan's own, or a month end would drift. ``new_number`` where the plan has higher numbers than
    ``parts``. Raises LookupError if ``number`` is none of ``parts``, ValueError for the deposit.
    """
    skipped = next((part for part in parts if part.number == number), None)
    if skipped is None:
        raise LookupError(f"there is no open instalment {number}")
    if number == 0:
        raise ValueError("a deposit is not skipped")
    rest = tuple(part for part in parts if part.number != number)
    last_on = max(part.due_on for part in parts)
    new_number = new_number or max(part.number for part in parts) + 1
    return (*rest, Part(new_number, following(last_on, interval, days), skipped.amount_minor))


def move_days(parts: Sequence[Part], from_number: int, interval: str, days: Sequence[int] = (),
              weekday: int | None = None, not_before: date | None = None) -> tuple[Part, ...]:
    """Move the instalments from ``from_number`` on to other ``days`` of the month, or to a ``weekday`` (0 is Monday).

    The first goes to the asked day that is nearest to its old one (the later of two as near), not before
    ``not_before`` (so that its notice can still be given) and after the one that stays; the others follow at the plan's
    interval. Numbers and amounts stay. Raises LookupError if ``from_number`` is none of ``parts``, ValueError where the
    days do not fit the interval.
    """
    stay = [part for part in parts if part.number < from_number]
    moved = [part for part in parts if part.number >= from_number]
    if not moved or moved[0].number != from_number:
        raise LookupError(f"there is no open instalment {from_number}")
    earliest = max([not_before or date.min] + [part.due_on + timedelta(days=1) for part in stay])
    first_on = nearest(moved[0].due_on, interval, days, weekday, earliest)
    new = dates(first_on, interval, days, len(moved))
    return (*stay, *(replace(part, due_on=due_on) for part, due_on in zip(moved, new, strict=True)))


def nearest(wanted_on: date, interval: str, days: Sequence[int], weekday: int | None, earliest: date) -> date:
    """The day on one of ``days`` (or ``weekday``) nearest to ``wanted_on`` and not before ``earliest``."""
    if interval in WEEKS:
        if weekday is None or not 0 <= weekday <= 6 or days:
            raise ValueError("a plan by weeks moves to a weekday, 0 to 6")
        around = [wanted_on + timedelta(days=n) for n in range(-3, 4)]
        fits = [day for day in around if day.weekday() == weekday]
        first = max(fits[0], earliest)
        return first + timedelta(days=(weekday - first.weekday()) % 7)
    if not days or weekday is not None:
        raise ValueError("a plan by months moves to days of the month")
    asked = anchors(wanted_on, interval, days)
    start = max(earliest, wanted_on - timedelta(days=31))
    near = islice(_days_from(start, interval, asked), 5)
    return min(near, key=lambda day: (abs((day - wanted_on).days), -day.toordinal()))
