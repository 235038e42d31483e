"""When a bulk run would be done: inside every window, under every cap, to the day (T-16)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pacing import Batch, plan
from tests.conftest import maple_clinic

NEW_YORK, CHICAGO, DENVER, ANGELES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
MONDAY = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)  # 9:00 in New York, 6:00 in California


def policy(**carrier: Any) -> Any:
    free = {"per_minute": None, "per_day": None, "segments_per_second": None, "kept_for_replies": 0}
    return maple_clinic(carrier=free | carrier)


def to(zone: str, texts: int, carrier: str = "tmobile", region: str | None = None, each: int = 1) -> Batch:
    return Batch((zone,), region, carrier, texts, texts * each)


def test_five_thousand_texts_on_a_brand_of_two_thousand_a_day_take_three_days() -> None:
    spans = plan(policy(per_day=2_000), [to(zone, 1_250) for zone in (NEW_YORK, CHICAGO, DENVER, ANGELES)], MONDAY)
    days: dict[date, int] = {}
    for span in spans:
        for day, texts in span.per_day:
            days[day] = days.get(day, 0) + texts
    assert days == {date(2026, 11, 2): 2_000, date(2026, 11, 3): 2_000, date(2026, 11, 4): 1_000}
    for span in spans:
        assert span.starts_at is not None and span.finishes_at is not None
        for at in (span.starts_at, span.finishes_at):
            assert 9 <= at.astimezone(ZoneInfo(span.batch.zones[0])).hour < 20


def test_what_is_kept_for_replies_is_kept_of_every_cap() -> None:
    spans = plan(policy(per_day=2_000, kept_for_replies=10), [to(NEW_YORK, 2_000)], MONDAY)
    assert spans[0].per_day == ((date(2026, 11, 2), 1_800), (date(2026, 11, 3), 200))


def test_what_left_today_already_counts_today() -> None:
    spans = plan(policy(per_day=2_000), [to(NEW_YORK, 1_000)], MONDAY, used_today=1_500)
    assert spans[0].per_day == ((date(2026, 11, 2), 500), (date(2026, 11, 3), 500))


def test_a_number_whose_carrier_is_unknown_counts_against_every_cap() -> None:
    caps = policy(per_day=100, per_minute=10)
    known = plan(caps, [to(NEW_YORK, 200, "att")], MONDAY)[0]
    unknown = plan(caps, [to(NEW_YORK, 200, "")], MONDAY)[0]
    assert known.finishes_at == datetime(2026, 11, 2, 14, 19, tzinfo=UTC)
    assert unknown.per_day == ((date(2026, 11, 2), 100), (date(2026, 11, 3), 100))


def test_long_texts_take_the_number_longer() -> None:
    spans = plan(policy(segments_per_second=1), [to(NEW_YORK, 600, "verizon", each=2)], MONDAY)
    assert spans[0].finishes_at == datetime(2026, 11, 2, 14, 19, tzinfo=UTC)


def test_a_zone_that_is_asleep_waits_for_its_own_morning() -> None:
    east, west = plan(policy(), [to(NEW_YORK, 5), to(ANGELES, 5)], MONDAY)
    assert east.finishes_at == MONDAY
    assert west.starts_at == datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


def test_where_two_zones_are_possible_both_have_to_be_awake() -> None:
    both = Batch((NEW_YORK, ANGELES), None, "other", 5, 5)
    assert plan(policy(), [both], MONDAY)[0].starts_at == datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


def test_texans_sleep_longer_on_sundays_and_nobody_is_texted_on_a_federal_holiday() -> None:
    sunday = datetime(2026, 11, 1, 13, 0, tzinfo=UTC)
    texan = plan(policy(), [to(CHICAGO, 1, region="TX")], sunday)[0]
    assert texan.starts_at == datetime(2026, 11, 1, 18, 0, tzinfo=UTC)
    thanksgiving = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
    assert plan(policy(), [to(NEW_YORK, 1)], thanksgiving)[0].starts_at == datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


def test_letters_and_e_mail_know_no_carrier_and_letters_no_hour() -> None:
    night = datetime(2026, 11, 3, 5, 0, tzinfo=UTC)
    letters = Batch((), "NY", "", 9_000, 0, "paper")
    emails = Batch((NEW_YORK,), "NY", "", 9_000, 0, "email")
    first, second = plan(policy(per_day=1, per_minute=1), [letters, emails], night)
    assert first.finishes_at == night and second.finishes_at == datetime(2026, 11, 3, 14, 0, tzinfo=UTC)


def test_what_takes_longer_than_a_year_has_no_finish() -> None:
    span = plan(policy(per_day=2), [to(NEW_YORK, 5_000)], MONDAY)[0]
    assert span.finishes_at is None and span.starts_at == MONDAY


def test_nothing_to_send_is_done_at_once() -> None:
    assert plan(policy(), [], MONDAY) == ()
    assert plan(policy(), [to(NEW_YORK, 0)], MONDAY)[0].starts_at is None


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([NEW_YORK, CHICAGO, DENVER, ANGELES]), st.integers(0, 3_000),
                          st.sampled_from(["", "att", "tmobile", "verizon"]), st.integers(1, 3)), max_size=6),
       st.integers(50, 3_000), st.integers(1, 300), st.integers(0, 50), st.integers(0, 23))
def test_no_day_carries_more_than_its_cap_and_nothing_is_lost(
        wanted: list[tuple[str, int, str, int]], per_day: int, per_minute: int, kept: int, hour: int) -> None:
    """The days of the autumn change of clocks are among them: the first is Sunday, 2026-11-01."""
    at = datetime(2026, 10, 31, hour, 30, tzinfo=UTC)
    spans = plan(policy(per_day=per_day, per_minute=per_minute, kept_for_replies=kept),
                 [to(zone, texts, carrier, each=each) for zone, texts, carrier, each in wanted], at)
    days: dict[date, int] = {}
    for span in spans:
        if span.finishes_at is not None:
            assert sum(texts for _, texts in span.per_day) == span.batch.texts
        for day, texts in span.per_day:
            days[day] = days.get(day, 0) + (texts if span.batch.carrier in ("", "tmobile") else 0)
        for moment in (span.starts_at, span.finishes_at):
            assert moment is None or 9 <= moment.astimezone(ZoneInfo(span.batch.zones[0])).hour <= 20
    assert all(texts <= max(per_day * (100 - kept) // 100, 1) for texts in days.values())
