"""When a bulk run would be done (T-16): windows of each zone, carriers' caps, what is kept free for replies.

Arithmetic only, in whole texts, from one opening, closing or Pacific midnight to the next. Between two of these the
batches that may leave share what the caps let through in proportion to what is left of each. A recipient's own hours
(T-21) are not counted: few have any, and they only make single texts later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing.carrier_caps import BY_DAY, BY_MINUTE, PACIFIC, pacific_day
from billing.policy.hours import STATES, legal_interval, next_legal
from config.practice import PracticePolicy

MINUTE = timedelta(minutes=1)
HORIZON = timedelta(days=366)
"""What would take longer has no finish."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of equal fate: ``zones`` in which each has to be legal at once, ``region`` of the recipients;
    ``carrier`` att, tmobile, verizon, other, empty where not known, which counts against every cap. Other ways than
    sms know no caps, and a letter no hour either.
    """

    zones: tuple[str, ...]
    region: str | None
    carrier: str
    texts: int
    segments: int
    way: str = "sms"


@dataclass(frozen=True, slots=True)
class Span:
    """When the first and the last message of a batch leave; empty when that is not within a year. ``per_day``: texts
    by Pacific day, as the carriers count.
    """

    batch: Batch
    starts_at: datetime | None
    finishes_at: datetime | None
    per_day: tuple[tuple[date, int], ...] = ()


@dataclass(slots=True)
class _Lane:
    """A batch on its way."""

    batch: Batch
    left: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    per_day: dict[date, int] = field(default_factory=dict)

    def segments(self, texts: int) -> int:
        """Of that many texts, rounded up."""
        return -(-texts * self.batch.segments // max(self.batch.texts, 1))


def plan(policy: PracticePolicy, batches: Sequence[Batch], at: datetime, *, used_today: int = 0) -> tuple[Span, ...]:
    """Lay the batches out from ``at`` on, each text in its zones' windows and under every cap. ``used_today``: texts
    that the brand's day has seen already. The spans come in the order of the batches.
    """
    at = at.astimezone(UTC).replace(microsecond=0)
    lanes = [_Lane(one, one.texts) for one in batches]
    day_left, end = _per_day(policy, used_today), at + HORIZON
    midnight = pacific_day(at)[1]
    while at < end and any(lane.left for lane in lanes):
        if at >= midnight:
            day_left, midnight = _per_day(policy, 0), pacific_day(at)[1]
        for lane in lanes:
            _look(policy, lane, at)
        until = min([midnight, *(moment for lane in lanes if lane.left and (moment := _change(lane, at)))])
        day_left = _work(policy, lanes, at, until, day_left)
        at = until
    return tuple(Span(lane.batch, lane.starts_at, lane.ends_at if not lane.left else None,
                      tuple(sorted(lane.per_day.items()))) for lane in lanes)


def _share(policy: PracticePolicy, limit: int | None) -> int | None:
    """What bulk sending may use of a cap; never nothing, or it would never end."""
    return None if limit is None else max(limit * (100 - policy.carrier.kept_for_replies) // 100, 1)


def _per_day(policy: PracticePolicy, used: int) -> int | None:
    share = _share(policy, policy.carrier.per_day)
    return None if share is None else max(share - used, 0)


def _look(policy: PracticePolicy, lane: _Lane, at: datetime) -> None:
    """Find the lane's next window, if the one known is over."""
    if lane.batch.way == "paper":
        lane.opens_at, lane.closes_at = at, at + HORIZON
    if not lane.left or (lane.closes_at is not None and at < lane.closes_at):
        return
    zones, region = lane.batch.zones or (policy.zone,), _region(lane.batch.region, policy.local_day(at))
    lane.opens_at = next_legal(policy.text_window, region, zones, at)
    lane.closes_at = None if lane.opens_at is None else min(
        _closes(policy, region, ZoneInfo(zone), lane.opens_at) for zone in zones)


def _closes(policy: PracticePolicy, region: str | None, zone: ZoneInfo, at: datetime) -> datetime:
    interval = legal_interval(policy.text_window, region, zone, at.astimezone(zone).date())
    assert interval is not None and interval[0] <= at < interval[1], "next_legal names moments within a window"
    return interval[1]


def _region(region: str | None, day: date) -> str | None:
    limit = STATES.get(region or "")
    return region if limit is None or limit.since <= day else None


def _change(lane: _Lane, at: datetime) -> datetime | None:
    """When the lane's window next opens or closes. Without any in sight it is looked for again in a week."""
    if lane.opens_at is None or lane.closes_at is None:
        return at + timedelta(days=7)
    return lane.opens_at if at < lane.opens_at else lane.closes_at


def _work(policy: PracticePolicy, lanes: Sequence[_Lane], at: datetime, until: datetime, day_left: int | None,
          ) -> int | None:
    """Let out what the caps let through from ``at`` until ``until``; return what is left of the day's cap."""
    able = [lane for lane in lanes if lane.left and lane.opens_at is not None and lane.opens_at <= at]
    free = [lane for lane in able if lane.batch.way != "sms"]
    texts = [lane for lane in able if lane.batch.way == "sms"]
    for lane in free:
        _let_out(lane, lane.left, at, at)
    minutes = max(int((until - at) / MINUTE), 1)
    per_minute = _share(policy, policy.carrier.per_minute)
    per_second = policy.carrier.segments_per_second
    number = _share(policy, None if per_second is None else 60 * per_second)
    sent = _divide(texts, None if number is None else number * minutes,
                   None if per_minute is None else per_minute * minutes, day_left)
    used = sum(lane.segments(count) for lane, count in zip(texts, sent, strict=True))
    timed = sum(count for lane, count in zip(texts, sent, strict=True) if lane.batch.carrier in BY_MINUTE)
    needed = max(_minutes(used, number), _minutes(timed, per_minute))
    last_at = min(at + needed * MINUTE, until)
    for lane, count in zip(texts, sent, strict=True):
        _let_out(lane, count, at, last_at)
    daily = sum(count for lane, count in zip(texts, sent, strict=True) if lane.batch.carrier in BY_DAY)
    return None if day_left is None else day_left - daily


def _minutes(amount: int, rate: int | None) -> int:
    """The minute in which the last one leaves, counted from the first."""
    return 0 if rate is None or not amount else (amount - 1) // rate


def _let_out(lane: _Lane, count: int, first_at: datetime, last_at: datetime) -> None:
    if not count:
        return
    lane.left -= count
    lane.starts_at = lane.starts_at or first_at
    lane.ends_at = last_at
    day = first_at.astimezone(PACIFIC).date()
    lane.per_day[day] = lane.per_day.get(day, 0) + count


def _divide(lanes: Sequence[_Lane], segments: int | None, timed: int | None, daily: int | None) -> list[int]:
    """How many texts of each lane fit under the three caps, in proportion; then one lane after another fills the rest.

    ``segments`` counts for all, ``timed`` for BY_MINUTE, ``daily`` for BY_DAY; None: no such cap.
    """
    sent, limits = [0] * len(lanes), (segments, timed, daily)
    wanted = [_wanted(lanes, cap) for cap in range(len(limits))]
    for fill in (False, True):
        for number, lane in enumerate(lanes):
            rooms = _rooms(lanes, sent, limits)
            most = [lane.left - sent[number]]
            for cap in _caps(lane):
                room, limit = rooms[cap], limits[cap]
                if room is not None and limit is not None:
                    most.append(room if cap else room * lane.batch.texts // max(lane.batch.segments, 1))
                    if not fill and wanted[cap] > limit:
                        most.append(lane.left * limit // wanted[cap])
            sent[number] += max(min(most), 0)
    return sent


def _caps(lane: _Lane) -> list[int]:
    """Which of the caps bind: 0 the number's segments, 1 the minute's texts, 2 the day's."""
    return [0, *([1] if lane.batch.carrier in BY_MINUTE else []), *([2] if lane.batch.carrier in BY_DAY else [])]


def _wanted(lanes: Sequence[_Lane], cap: int) -> int:
    return sum(lane.segments(lane.left) if cap == 0 else lane.left for lane in lanes if cap in _caps(lane))


def _rooms(lanes: Sequence[_Lane], sent: Sequence[int], limits: Sequence[int | None]) -> list[int | None]:
    used = [0, 0, 0]
    for lane, count in zip(lanes, sent, strict=True):
        for cap in _caps(lane):
            used[cap] += lane.segments(count) if cap == 0 else count
    return [None if limit is None else limit - used[cap] for cap, limit in enumerate(limits)]
