"""T-08: quiet hours in the recipient's own time, to the minute, on the days when clocks change, in several zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.policy.core import Facts, Ruling, Zone, decide
from tests.policy.examples import demand, practice

NY, CHI, DEN, LA = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"


def at(text: str, zone: str = NY) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def asked(text: str, *zones: str, region: str | None = None) -> Ruling:
    """Rule on a demand at a New York clock time; without ``zones`` the recipient is in New York."""
    known = tuple(Zone(zone, "area_code") for zone in zones or (NY,))
    return decide(demand(now=at(text), recipient={"zones": known, "region": region}))


@pytest.mark.parametrize("text", [
    "2026-11-03T09:00:00", "2026-11-03T19:59:59", "2026-11-07T09:00:00", "2026-11-08T12:00:00", "2026-11-01T12:00:00",
])
def test_inside_the_window_it_leaves(text: str) -> None:
    assert asked(text).outcome == "send"


@pytest.mark.parametrize(("text", "until"), [
    ("2026-11-03T08:59:59", "2026-11-03T09:00"),  # a second early
    ("2026-11-03T20:00:00", "2026-11-04T09:00"),  # closing is exclusive
    ("2026-11-04T00:00:00", "2026-11-04T09:00"),  # midnight is the new day's
    ("2026-11-03T23:59:59", "2026-11-04T09:00"),
    ("2026-11-03T03:00:00", "2026-11-03T09:00"),
    ("2026-11-07T20:00:00", "2026-11-08T12:00"),  # Saturday evening to Sunday noon
    ("2026-11-08T09:00:00", "2026-11-08T12:00"),
    ("2026-11-11T10:00:00", "2026-11-12T09:00"),  # Veterans Day
    ("2026-11-10T21:00:00", "2026-11-12T09:00"),
    ("2026-11-26T10:00:00", "2026-11-27T09:00"),  # Thanksgiving
    ("2026-07-02T20:30:00", "2026-07-05T12:00"),  # observed on Friday, the day itself on Saturday, then Sunday
    ("2026-12-31T22:00:00", "2027-01-02T09:00"),  # New Year's Day
    ("2027-12-30T20:00:00", "2028-01-02T12:00"),  # observed on 31 December: a holiday of next year's list
])
def test_outside_the_window_it_waits_for_the_next_opening(text: str, until: str) -> None:
    ruling = asked(text)
    assert (ruling.outcome, ruling.rule, ruling.until_at) == ("defer", "T-08", at(until))


def test_on_1_november_2026_the_clock_goes_back_and_noon_is_an_hour_further_off() -> None:
    night = at("2026-11-01T00:30")
    assert asked("2026-11-01T00:30").until_at == night + timedelta(hours=12, minutes=30)
    assert asked("2026-11-01T00:30").until_at == at("2026-11-01T12:00") == datetime(2026, 11, 1, 17, 0, tzinfo=UTC)


def test_in_both_of_the_two_hours_called_one_o_clock_it_waits() -> None:
    for fold in (0, 1):
        now = datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=ZoneInfo(NY)).astimezone(UTC)
        assert decide(demand(now=now)).until_at == datetime(2026, 11, 1, 17, 0, tzinfo=UTC)


def test_in_spring_the_opening_comes_an_hour_sooner() -> None:
    assert asked("2026-03-07T20:00").until_at == at("2026-03-08T12:00") == datetime(2026, 3, 8, 16, 0, tzinfo=UTC)


def test_two_zones_it_must_be_legal_in_both() -> None:
    """A New York address and a Los Angeles mobile: 9:00 there is noon here, 20:00 here is 17:00 there."""
    assert asked("2026-11-03T11:59", NY, LA).until_at == at("2026-11-03T12:00")
    assert asked("2026-11-03T12:00", NY, LA).outcome == "send"
    assert asked("2026-11-03T19:59", NY, LA).outcome == "send"
    assert asked("2026-11-03T20:00", NY, LA).until_at == at("2026-11-04T12:00")


def test_two_zones_on_a_sunday_and_over_midnight() -> None:
    assert asked("2026-11-08T13:00", NY, CHI).outcome == "send"
    assert asked("2026-11-08T12:30", NY, CHI).until_at == at("2026-11-08T13:00")
    # Half past midnight in New York is still Saturday evening in Los Angeles: Sunday noon there is what counts.
    assert asked("2026-11-08T00:30", NY, LA).until_at == at("2026-11-08T12:00", LA)


def test_zones_that_share_only_two_hours_wait_for_those() -> None:
    ruling = asked("2026-11-03T10:00", NY, "Pacific/Guam")
    assert ruling.until_at == at("2026-11-04T09:00", "Pacific/Guam") == at("2026-11-03T18:00")


def test_zones_without_a_common_moment_withhold_with_the_reason() -> None:
    morning = {name: {"opens": "09:00", "closes": "10:00"} for name in ("weekday", "saturday", "sunday")}
    facts = replace(demand(recipient={"zones": (Zone(NY, "zip"), Zone(LA, "area_code"))}),
                    practice=practice(text_window=morning))
    ruling = decide(facts)
    assert (ruling.outcome, ruling.rule) == ("withhold", "T-08")
    assert NY in ruling.reason and LA in ruling.reason


def test_a_wider_window_of_the_practice_does_not_pass_the_federal_one() -> None:
    wide = {name: {"opens": "06:00", "closes": "23:00"} for name in ("weekday", "saturday", "sunday")}
    early = demand(now=at("2026-11-03T07:59"), practice=practice(text_window=wide))
    late = demand(now=at("2026-11-03T21:00"), practice=practice(text_window=wide))
    assert decide(early).until_at == at("2026-11-03T08:00")
    assert decide(late).until_at == at("2026-11-04T08:00")


@pytest.mark.parametrize(("region", "text", "zone", "outcome"), [
    ("FL", "2026-11-03T20:30", NY, "defer"), ("NY", "2026-11-03T20:30", NY, "send"),
    ("TX", "2026-11-08T11:30", CHI, "defer"), ("TX", "2026-11-03T20:30", CHI, "send"),
])
def test_a_state_s_own_window_counts_where_the_state_is_known(region: str, text: str, zone: str, outcome: str) -> None:
    wide = {name: {"opens": "08:00", "closes": "21:00"} for name in ("weekday", "saturday", "sunday")}
    facts = demand(now=at(text, zone), practice=practice(text_window=wide),
                   recipient={"region": region, "zones": (Zone(zone, "address"),)})
    assert decide(facts).outcome == outcome


def test_holidays_may_be_allowed_by_the_practice() -> None:
    facts = demand(now=at("2026-11-11T10:00"), practice=practice(text_window={"federal_holidays": True}))
    assert decide(facts).outcome == "send"


def _after(sent_hours_ago: list[float], text: str = "2026-11-03T15:00") -> Facts:
    now = at(text)
    return demand(now=now, recipient={"demands_at": tuple(now - timedelta(hours=h) for h in sent_hours_ago)})


def test_the_cap_of_24_hours_lets_three_pass_and_keeps_the_fourth_until_the_first_is_a_day_old() -> None:
    assert decide(_after([1, 2])).outcome == "send"
    ruling = decide(_after([1, 2, 4]))
    assert (ruling.outcome, ruling.rule) == ("defer", "T-08")
    assert ruling.until_at == at("2026-11-03T15:00") + timedelta(hours=20)
    assert decide(_after([1, 2, 24])).outcome == "send"


def test_the_cap_s_moment_must_be_legal_too() -> None:
    """Three texts until 20:30 a day before: 20:30 today is quiet, so tomorrow at nine."""
    assert decide(_after([18.5, 18.4, 18.3])).until_at == at("2026-11-04T09:00")


def test_without_any_known_zone_the_practice_s_own_counts() -> None:
    assert decide(demand(now=at("2026-11-03T08:00"), recipient={"zones": ()})).until_at == at("2026-11-03T09:00")
