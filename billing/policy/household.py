"""How often a household hears from us: all its accounts, all channels, everything that nobody asked for together.

Only what asks for money, and what a campaign says, is held back; what the rest says counts all the same. Answers to
the patient's own texts neither wait nor count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing.policy.core import Facts, Finding, Rule
from billing.policy.hours import defer_until_legal
from config.practice import PracticePolicy

WEEK = timedelta(days=7)

CLOCKS_APART = timedelta(hours=1)
"""Who waited for the household's lock has an older clock than whoever held it: a demand that left a little after
``now`` has left. One that left long after is another day's, in a simulation.
"""


@dataclass(frozen=True, slots=True)
class CityCap:
    """A city's own limit: ``most`` contacts in seven days, from ``since``; on where the policy names the city."""

    most: int
    since: date
    citation: str
    evidence: str


#: Adopted for 2026-09-01, and said to be put off until 2027: the earlier day is the safe one.
CITIES = {"NYC": CityCap(3, date(2026, 9, 1), "6 RCNY 5-77", "S")}


def most_in_a_week(facts: Facts) -> int:
    policy = facts.practice.policy
    on = (CITIES[name] for name in policy.collections.states if name in CITIES)
    return min([policy.frequency.per_7_days, *(city.most for city in on if city.since <= facts.rule_day)])


def household_frequency(facts: Facts) -> Finding | None:
    """Wait until the oldest of the contacts that fill the cap is a week old."""
    if not _is_capped(facts):
        return None
    most = most_in_a_week(facts)
    recent = sorted(at for at in facts.recipient.household_at if facts.now - at < WEEK)
    if len(recent) < most:
        return None
    reason = f"the household has heard from us {len(recent)} times in seven days; the limit is {most}"
    return defer_until_legal(facts, recent[-most] + WEEK, reason)


def rests_until(policy: PracticePolicy, last: datetime | None, now: datetime) -> date | None:
    """The practice's day from which on an account that was asked at ``last`` may be asked again; None: today already.
    Days are calendar days: a demand of Monday morning lets one of Saturday morning leave after five.
    """
    if last is None or last > now + CLOCKS_APART:
        return None
    first_day = policy.local_day(last) + timedelta(days=policy.frequency.between_demands_days)
    return first_day if policy.local_day(now) < first_day else None


def between_demands(facts: Facts) -> Finding | None:
    policy = facts.practice.policy
    first_day = rests_until(policy, facts.recipient.demanded_at, facts.now) if facts.is_demand else None
    if first_day is None:
        return None
    at = datetime.combine(first_day, time(), ZoneInfo(policy.zone)).astimezone(UTC)
    return defer_until_legal(facts, at, f"this account was last asked less than "
                                        f"{policy.frequency.between_demands_days} days ago")


def _is_capped(facts: Facts) -> bool:
    return facts.is_demand or (bool(facts.message.campaign) and facts.is_proactive)


RULES = (
    Rule("household-frequency", "A household hears from us so often in seven days and no more, whatever it is about",
         f"{CITIES['NYC'].citation} (three in seven days); issue 5", "S", household_frequency,
         configured="policy frequency.per_7_days; collections.states (NYC)"),
    Rule("between-demands", "Some days pass between two demands about one account", "issue 5, frequency", "own",
         between_demands, configured="policy frequency.between_demands_days"),
)
