"""Quiet hours and the daily cap (T-08), in the recipient's own time.

Where several zones are possible the moment must be legal in all of them. Windows are intersected: the practice's
own, the federal outer one, and the state's where the recipient's state is known. Openings and closings are compared
as instants, so that the two days a year of 23 and 25 hours need no case of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from billing.calendar import is_federal_holiday
from billing.policy.core import ANSWERS, Facts, Finding, Rule, withhold
from config.practice import TextWindow

REPLY_AT_ANY_HOUR = timedelta(minutes=60)
"""Who wrote within the hour is awake. An answer later than that waits for the window like everything else."""

PAID_JUST_NOW = timedelta(minutes=15)
LOOK_AHEAD_DAYS = 15
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StateWindow:
    """A limit by law: local opening and closing, a later opening on Sundays, a daily cap."""

    citation: str
    evidence: str
    opens: time
    closes: time
    sunday_opens: time | None = None
    per_24_hours: int | None = None
    since: date = date(2020, 1, 1)


FEDERAL = StateWindow("47 CFR 64.1200(c)(1); 12 CFR 1006.6(b)(1)", "S", time(8), time(21))

#: Examples of stricter states (rules.md C9); each is a default to be checked by the practice's counsel.
STATES = {
    "FL": StateWindow("Fla. Stat. 501.059", "S", time(8), time(20), per_24_hours=3),
    "OK": StateWindow("15 Okl. Stat. 775C", "S", time(8), time(20), per_24_hours=3),
    "MD": StateWindow("Md. Com. Law 14-4501", "S", time(8), time(20), per_24_hours=3),
    "OR": StateWindow("Or. HB 3865 (2026)", "S", time(8), time(20), per_24_hours=3, since=date(2026, 1, 1)),
    "TX": StateWindow("Tex. SB 140 (2025)", "S", time(9), time(21), sunday_opens=time(12)),
}


def legal_interval(window: TextWindow, region: str | None, zone: ZoneInfo, day: date,
                   ) -> tuple[datetime, datetime] | None:
    """Return the UTC instants between which texts may go out on ``day`` in ``zone``; None: not that day."""
    bounds = window.on(day).bounds()
    if bounds is None or (is_federal_holiday(day) and not window.federal_holidays):
        return None
    limits = [FEDERAL] + ([STATES[region]] if region in STATES else [])
    opens = max([bounds[0], *(_opens(limit, day) for limit in limits)])
    closes = min([bounds[1], *(limit.closes for limit in limits)])
    # The federal limits keep both ends out of the small hours in which a clock time can occur twice or never.
    opens_at, closes_at = (datetime.combine(day, clock, zone).astimezone(UTC) for clock in (opens, closes))
    return (opens_at, closes_at) if opens_at < closes_at else None


def _opens(limit: StateWindow, day: date) -> time:
    return limit.sunday_opens if limit.sunday_opens is not None and day.weekday() == 6 else limit.opens


def next_in_zone(window: TextWindow, region: str | None, zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return the first legal instant at or after ``at`` in one zone, looking about two weeks ahead."""
    first = at.astimezone(zone).date()
    for offset in range(LOOK_AHEAD_DAYS):
        interval = legal_interval(window, region, zone, first + timedelta(days=offset))
        if interval is not None and at < interval[1]:
            return max(at, interval[0])
    return None


@lru_cache(maxsize=4096)  # a campaign's preview asks it of a million accounts in one moment
def next_legal(window: TextWindow, region: str | None, zones: tuple[str, ...], at: datetime) -> datetime | None:
    """Return the first instant at or after ``at`` that is legal in every zone; None when none is near."""
    end = at + timedelta(days=LOOK_AHEAD_DAYS)
    while at < end:
        moments = [next_in_zone(window, region, ZoneInfo(zone), at) for zone in zones]
        if any(moment is None for moment in moments):
            return None
        latest = max((moment for moment in moments if moment is not None), default=at)
        if latest == at:
            return at
        at = latest
    return None


def waits_for_the_window(facts: Facts) -> bool:
    """Proactive texts wait, and answers so late that the person may be asleep again; mandated answers never do."""
    if facts.message.channel == "paper":
        return False  # a letter has no hour
    if facts.is_demand:
        return True
    if facts.message.purpose not in ANSWERS or facts.message.internal:
        return False
    age, paid = facts.message.inbound_age, facts.recipient.paid_age
    if facts.message.purpose == "receipt" and paid is not None and paid <= PAID_JUST_NOW:
        return False
    return age is None or age > REPLY_AT_ANY_HOUR


def region_of(facts: Facts) -> str | None:
    """The recipient's state, where its own limits are in force on the day whose rules are asked."""
    region = facts.recipient.region
    limit = STATES.get(region or "")
    return region if limit is None or limit.since <= facts.rule_day else None


def quiet_hours(facts: Facts) -> Finding | None:
    if not waits_for_the_window(facts):
        return None
    return defer_until_legal(facts, facts.now, "outside the recipient's hours for texts")


def daily_cap(facts: Facts) -> Finding | None:
    """At most so many demands to one number in any 24 hours: wait until the oldest of them is a day old."""
    if not facts.is_demand:
        return None
    state = STATES.get(region_of(facts) or "")
    cap = min(facts.practice.policy.text_window.per_24_hours, (state and state.per_24_hours) or 10)
    recent = sorted(at for at in facts.recipient.demands_at if facts.now - at < _DAY)
    if len(recent) < cap:
        return None
    return defer_until_legal(facts, recent[-cap] + _DAY, f"{len(recent)} texts in 24 hours; the limit is {cap}")


def defer_until_legal(facts: Facts, at: datetime, reason: str) -> Finding | None:
    """Wait for the first legal moment at or after ``at``; a letter for ``at`` itself."""
    if facts.message.channel == "paper":
        return Finding("defer", reason, at) if at > facts.now else None
    zones = facts.recipient.zone_names or (facts.practice.policy.zone,)
    moment = next_legal(facts.practice.policy.text_window, region_of(facts), zones, at)
    if moment is None:
        return withhold(f"{reason}, and no moment is legal in all of {', '.join(zones)} in the coming two weeks")
    return Finding("defer", reason, moment) if moment > facts.now else None


def hours_and_cap(facts: Facts) -> Finding | None:
    """T-08 whole: of two deferrals the later one counts."""
    found = [finding for finding in (quiet_hours(facts), daily_cap(facts)) if finding is not None]
    withheld = next((finding for finding in found if finding.outcome == "withhold"), None)
    return withheld or max(found, key=lambda finding: finding.until_at or facts.now, default=None)


RULES = (
    Rule("T-08", "Quiet hours in the recipient's local time, no federal holidays, a daily cap",
         f"{FEDERAL.citation}; state windows in billing/policy/hours.py", "M", hours_and_cap,
         configured="policy text_window"),
)
