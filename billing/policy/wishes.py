"""What the patient has asked of us: their own hours (T-21), another way than texts, nothing at this number.

Answers are not held back by any of them: who writes wants to be answered where they wrote.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.hold_kinds import KINDS
from billing.own_hours import OwnHours
from billing.policy.core import Facts, Finding, Rule, withhold
from billing.policy.hours import LOOK_AHEAD_DAYS, next_legal, region_of, waits_for_the_window
from config.practice import TextWindow


def own_hours(facts: Facts) -> Finding | None:
    """Wait for a moment that both the law's window and the patient's own allow."""
    own, recipient = facts.recipient.own_hours, facts.recipient
    if own is None or not facts.is_proactive or not waits_for_the_window(facts):
        return None
    zones = recipient.zone_names or (facts.practice.policy.zone,)
    moment = next_welcome(own, facts.practice.policy.text_window, region_of(facts), zones, facts.now)
    named = f"outside the hours that the patient asked for (preference {recipient.own_hours_id})"
    if moment is None:
        return withhold(f"{named}, and none of those is a legal one in the coming two weeks")
    return Finding("defer", named, moment) if moment > facts.now else None


def next_welcome(own: OwnHours, window: TextWindow, region: str | None, zones: tuple[str, ...],
                 at: datetime) -> datetime | None:
    """The first instant at or after ``at`` that is legal and welcome in every zone; None when none is near."""
    end = at + timedelta(days=LOOK_AHEAD_DAYS)
    while at < end:
        legal = next_legal(window, region, zones, at)
        if legal is None:
            return None
        welcome = [_next_own(own, ZoneInfo(zone), legal) for zone in zones]
        if any(moment is None for moment in welcome):
            return None
        latest = max((moment for moment in welcome if moment is not None), default=legal)
        if latest == legal:
            return legal
        at = latest
    return None


def _next_own(own: OwnHours, zone: ZoneInfo, at: datetime) -> datetime | None:
    first = at.astimezone(zone).date()
    for offset in range(LOOK_AHEAD_DAYS):
        for opens_at, closes_at in own.intervals(first + timedelta(days=offset), zone):
            if at < closes_at:
                return max(at, opens_at)
    return None


_WAY_OF = {"email": "email", "paper": "paper"}


def another_way(facts: Facts) -> Finding | None:
    """Bills on paper, by e-mail or by phone or by text alone. No opt-out: the conversation goes on."""
    recipient = facts.recipient
    if facts.is_demand and recipient.way_only and recipient.way != _WAY_OF.get(facts.message.channel, "text"):
        return withhold(f"bills by {recipient.way} only were asked for here (preference {recipient.way_id})")
    return None


def nothing_here(facts: Facts) -> Finding | None:
    """Nothing about this account at this number; nor at any of its numbers before a person has set up another way."""
    if not facts.is_proactive:
        return None
    if facts.recipient.confidential_id is not None:
        return withhold(f"asked that nothing comes to this number (preference {facts.recipient.confidential_id})")
    if not facts.is_demand and any(hold.kind == "confidential_contact" for hold in facts.account.holds):
        return withhold(KINDS["confidential_contact"].why)
    return None


RULES = (
    Rule("confidential-contact", "Another way or place to be reached is granted and never asked why",
         "45 CFR 164.522(b)", "V", nothing_here, configured="preferences of the patient"),
    Rule("asked-another-way", "Bills by paper, e-mail or phone in place of texts, where that was asked for",
         "45 CFR 164.522(b); 12 CFR 1006.14(h)", "S", another_way, configured="preferences of the patient"),
)

HOURS = (
    Rule("T-21", "The patient's own hours for texts, with the legal ones", "12 CFR 1006.6(b)(1), 1006.14(h)", "S",
         own_hours, configured="preferences of the patient"),
)
