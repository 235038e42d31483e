"""Hours, naively: which clock time it is in a zone, and whether texts may arrive then."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from billing.own_hours import OwnHours
from billing.policy.core import Facts

#: Federal holidays as the Office of Personnel Management lists them, with the weekdays on which they are observed.
HOLIDAYS = frozenset("""
2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-07-03 2026-07-04 2026-09-07 2026-10-12 2026-11-11
2026-11-26 2026-12-25 2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-06-18 2027-06-19 2027-07-04 2027-07-05
2027-09-06 2027-10-11 2027-11-11 2027-11-25 2027-12-24 2027-12-25 2027-12-31
""".split())

EARLY_CLOSING = ("FL", "OK", "MD", "OR")


def quiet(f: Facts, now: datetime, zones: list[str]) -> bool:
    """Whether texts are out of order in any of the zones: by the practice's window, or by law."""
    window, region = f.practice.policy.text_window, f.recipient.region
    for zone in zones:
        local = now.astimezone(ZoneInfo(zone))
        clock, day = local.strftime("%H:%M:%S"), local.strftime("%a")
        hours = {"Sat": window.saturday, "Sun": window.sunday}.get(day, window.weekday)
        if hours.opens is None or hours.closes is None:
            return True
        if local.strftime("%Y-%m-%d") in HOLIDAYS and not window.federal_holidays:
            return True
        if clock < hours.opens or clock >= hours.closes or clock < "08:00" or clock >= "21:00":
            return True
        if region in EARLY_CLOSING and clock >= "20:00":
            return True
        if region == "TX" and clock < ("12:00" if day == "Sun" else "09:00"):
            return True
    return False


def is_awake(now: datetime, zone: str) -> bool:
    return "08:00" <= now.astimezone(ZoneInfo(zone)).strftime("%H:%M") < "21:00"


def in_own_hours(own: OwnHours, now: datetime, zone: str) -> bool:
    local = now.astimezone(ZoneInfo(zone))
    clock = local.strftime("%H:%M")
    return local.weekday() in own.days and any(opens <= clock < closes for opens, closes in own.spans)
