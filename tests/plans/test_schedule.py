"""Dates that do not drift and amounts that stay right to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.plan_schedule import (
    anchors,
    charge_moment,
    dates,
    even_split,
    filled_split,
    following,
    lower,
    move_days,
    shorten,
    skip,
)
from billing.plan_terms import Part

days_of_life = st.dates(date(2026, 1, 1), date(2036, 12, 31))
pairs = st.tuples(st.integers(1, 27), st.integers(2, 31)).filter(lambda pair: pair[0] < pair[1])
rhythms = st.one_of(st.sampled_from([("week", ()), ("two_weeks", ())]),
                    st.integers(1, 31).map(lambda day: ("month", (day,))), pairs.map(lambda p: ("twice_month", p)))


def on(*days: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(day) for day in days)


def plan(*amounts: int, first: str = "2026-12-15", interval: str = "month",
         days: tuple[int, ...] = ()) -> tuple[Part, ...]:
    due = dates(date.fromisoformat(first), interval, days, len(amounts))
    return tuple(Part(n, day, minor) for n, (day, minor) in enumerate(zip(due, amounts, strict=True), 1))


def amounts(parts: tuple[Part, ...]) -> list[int]:
    return [part.amount_minor for part in parts]


def test_the_31st_is_the_last_of_a_shorter_month_and_the_31st_again_afterwards() -> None:
    assert dates(date(2026, 12, 31), "month", (31,), 5) == on(
        "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30")


def test_a_plan_that_begins_on_28_february_for_a_31st_goes_back_to_the_31st() -> None:
    assert dates(date(2027, 2, 28), "month", (31,), 3) == on("2027-02-28", "2027-03-31", "2027-04-30")


def test_29_february_exists_in_2028_and_is_the_28th_in_2027() -> None:
    assert dates(date(2027, 1, 29), "month", (29,), 2) == on("2027-01-29", "2027-02-28")
    assert dates(date(2028, 1, 31), "month", (31,), 2) == on("2028-01-31", "2028-02-29")
    assert dates(date(2028, 2, 29), "month", (29,), 13)[-1] == date(2029, 2, 28)


def test_twice_a_month_on_the_1st_and_the_15th() -> None:
    assert dates(date(2026, 12, 15), "twice_month", (1, 15), 4) == on(
        "2026-12-15", "2027-01-01", "2027-01-15", "2027-02-01")


def test_twice_a_month_on_the_15th_and_the_last() -> None:
    assert dates(date(2027, 1, 31), "twice_month", (15, 31), 5) == on(
        "2027-01-31", "2027-02-15", "2027-02-28", "2027-03-15", "2027-03-31")


@pytest.mark.parametrize(("first", "pair"), [("2027-01-01", (1, 16)), ("2027-01-14", (14, 29)),
                                             ("2027-01-15", (15, 31)), ("2027-01-20", (5, 20)),
                                             ("2027-01-30", (15, 30)), ("2027-01-31", (15, 31))])
def test_twice_a_month_with_one_day_named_takes_the_other_half_of_the_month(first: str, pair: tuple[int, int]) -> None:
    assert anchors(date.fromisoformat(first), "twice_month") == pair


def test_weeks_keep_their_weekday_over_a_change_of_the_clocks() -> None:
    weekly = dates(date(2026, 10, 30), "week", (), 3)
    assert weekly == on("2026-10-30", "2026-11-06", "2026-11-13")
    assert dates(date(2027, 2, 26), "two_weeks", (), 3) == on("2027-02-26", "2027-03-12", "2027-03-26")


def test_the_first_day_is_the_next_that_was_asked_for() -> None:
    assert dates(date(2026, 11, 20), "month", (15,), 2) == on("2026-12-15", "2027-01-15")


@pytest.mark.parametrize(("interval", "days"), [("month", (1, 15)), ("twice_month", (5,)), ("month", (32,)),
                                                ("month", (0,)), ("twice_month", (28, 31)), ("twice_month", (1, 2, 3))])
def test_days_that_an_interval_cannot_have_are_refused(interval: str, days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"days|day"):
        dates(date(2026, 11, 3), interval, days, 3)


@given(days_of_life, rhythms, st.integers(1, 60))
def test_dates_strictly_rise_and_begin_no_sooner_than_asked(first: date, rhythm: tuple[str, tuple[int, ...]],
                                                            count: int) -> None:
    due = dates(first, *rhythm, count)
    assert len(due) == count and due[0] >= first
    assert all(a < b for a, b in pairwise(due))


@given(days_of_life, st.sampled_from(["week", "two_weeks", "twice_month", "month"]))
def test_a_plan_for_which_no_days_were_asked_begins_on_the_very_day(first: date, interval: str) -> None:
    assert dates(first, interval, (), 1) == (first,)


@given(days_of_life, st.integers(1, 31), st.integers(2, 60))
def test_every_month_has_one_due_day_and_it_is_the_asked_day_or_the_month_s_last(first: date, anchor: int,
                                                                                count: int) -> None:
    due = dates(first, "month", (anchor,), count)
    months = [day.year * 12 + day.month for day in due]
    assert months == list(range(months[0], months[0] + count))
    for day in due:
        last_of_month = (day + timedelta(days=1)).day == 1
        assert day.day == anchor or (day.day < anchor and last_of_month)


@given(days_of_life, rhythms, st.integers(2, 20))
def test_following_the_dates_one_by_one_gives_the_same_schedule(first: date, rhythm: tuple[str, tuple[int, ...]],
                                                                count: int) -> None:
    due = dates(first, *rhythm, count)
    assert [following(day, *rhythm) for day in due[:-1]] == list(due[1:])


ZONES = ["America/New_York", "America/Chicago", "America/Los_Angeles", "America/Phoenix", "America/Puerto_Rico",
         "Pacific/Honolulu", "Pacific/Guam"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 10, 23])
def test_every_day_has_exactly_one_charge_moment_whatever_the_clocks_do(zone: str, hour: int) -> None:
    """Three years of days with every change of the clocks: none is lost or comes twice, and each lies in its day."""
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]
    moments = [charge_moment(day, zone, hour) for day in every]
    assert [moment.astimezone(ZoneInfo(zone)).date() for moment in moments] == every
    gaps = {b - a for a, b in pairwise(moments)}
    assert gaps <= {timedelta(hours=h) for h in (23, 24, 25)}
    assert all(moment.tzinfo is UTC for moment in moments)


def test_an_hour_that_the_clocks_leave_out_becomes_the_one_after_it() -> None:
    assert charge_moment(date(2026, 3, 8), "America/New_York", 2) == datetime(2026, 3, 8, 7, tzinfo=UTC)  # 3:00 EDT


def test_of_an_hour_that_the_clocks_repeat_the_first_counts() -> None:
    assert charge_moment(date(2026, 11, 1), "America/New_York", 1) == datetime(2026, 11, 1, 5, tzinfo=UTC)  # 1:00 EDT


def test_ten_in_the_morning_is_ten_in_the_morning_on_both_sides_of_a_change() -> None:
    before, after = (charge_moment(date(2026, 11, day), "America/Chicago", 10) for day in (1, 2))
    assert (before.hour, after.hour) == (16, 16)
    assert charge_moment(date(2026, 10, 31), "America/Chicago", 10).hour == 15


def test_the_last_takes_the_rounding() -> None:
    assert even_split(100_01, 4) == (25_00, 25_00, 25_00, 25_01)
    assert even_split(100_00, 3) == (33_33, 33_33, 33_34)


def test_where_the_last_would_go_above_the_most_the_cents_are_spread_over_the_last_few() -> None:
    assert even_split(100_03, 4, 25_01) == (25_00, 25_01, 25_01, 25_01)


def test_parts_that_cannot_reach_the_total_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        even_split(100_00, 3, 33_33)
    with pytest.raises(ValueError, match="cannot be split"):
        even_split(2, 3)


@given(st.integers(1, 10**7), st.integers(1, 260), st.none() | st.integers(0, 300))
def test_an_even_split_keeps_the_sum_and_its_parts_differ_by_their_rounding_only(total: int, count: int,
                                                                                room: int | None) -> None:
    most = -(-total // count) + room if room is not None else None
    if total < count:
        return
    split = even_split(total, count, most)
    assert sum(split) == total and len(split) == count and min(split) == total // count
    assert len(set(split[:-1])) <= 1 or most is not None
    assert most is None or max(split) <= most
    assert max(split) - min(split) < count


@given(st.integers(1, 10**6), st.integers(1, 10**5))
def test_a_filled_split_never_goes_above_the_amount(total: int, amount: int) -> None:
    split = filled_split(total, min(amount, total))
    assert sum(split) == total and set(split[:-1]) <= {amount} and 0 < split[-1] <= amount


def test_an_extra_payment_that_shortens_takes_the_last_ones_away() -> None:
    left = shorten(plan(50_00, 50_00, 50_00, 30_00), 120_00)
    assert [(part.number, part.amount_minor) for part in left] == [(1, 50_00), (2, 50_00), (3, 20_00)]


def test_an_extra_payment_that_lowers_keeps_every_date_and_makes_the_amounts_even() -> None:
    parts = plan(50_00, 50_00, 50_00, 30_00)
    left = lower(parts, 100_00)
    assert amounts(left) == [25_00, 25_00, 25_00, 25_00]
    assert [part.due_on for part in left] == [part.due_on for part in parts]


def test_lowering_leaves_a_smaller_last_one_as_small_as_it_was_agreed() -> None:
    assert amounts(lower(plan(50_00, 50_00, 50_00, 10_00), 115_00)) == [35_00, 35_00, 35_00, 10_00]


def test_lowering_gives_the_rounding_to_the_last() -> None:
    assert amounts(lower(plan(50_00, 50_00, 50_00), 100_00)) == [33_34, 33_34, 33_32]


agreed = st.lists(st.integers(1, 100_00), min_size=1, max_size=24)


@given(agreed, st.integers(-10, 3_000_00))
def test_whichever_way_an_extra_payment_counts_no_amount_rises_and_the_sum_is_what_is_left(minor: list[int],
                                                                                          left: int) -> None:
    parts = plan(*minor)
    before = {part.number: part for part in parts}
    for after in (shorten(parts, left), lower(parts, left)):
        assert sum(amounts(after)) == max(min(left, sum(minor)), 0)
        assert all(0 < part.amount_minor <= before[part.number].amount_minor for part in after)
        assert all(part.due_on == before[part.number].due_on for part in after)


@given(agreed, st.data())
def test_lowered_amounts_are_as_even_as_the_agreed_ones_allow(minor: list[int], data: st.DataObject) -> None:
    """But for the last ones, which take the rounding, each is the common level or all that was agreed for it."""
    left = data.draw(st.integers(len(minor) ** 2, max(sum(minor), len(minor) ** 2)))
    after = lower(plan(*minor), left)
    level = max(amounts(after))
    short = sum(min(m, level) for m in minor) - sum(amounts(after))
    assert 0 <= short < len(minor)
    kept = {part.number: part.amount_minor for part in after}
    lessened = [n for n, m in enumerate(minor, 1) if kept.get(n, 0) < min(m, level)]
    assert lessened == list(range(len(minor) - len(lessened) + 1, len(minor) + 1))


def test_a_skipped_instalment_becomes_the_last_one_an_interval_later() -> None:
    parts = plan(50_00, 50_00, 50_01, first="2026-12-31", days=(31,))
    after = skip(parts, 1, "month", (31,))
    assert [(part.number, part.due_on, part.amount_minor) for part in after] == [
        (2, date(2027, 1, 31), 50_00), (3, date(2027, 2, 28), 50_01), (4, date(2027, 3, 31), 50_00)]


def test_what_was_already_paid_of_a_skipped_instalment_is_not_asked_for_again() -> None:
    parts = (Part(1, date(2027, 1, 5), 20_00), Part(2, date(2027, 2, 5), 50_00))  # 30.00 of the first are paid
    assert amounts(skip(parts, 1, "month", (5,))) == [50_00, 20_00]


def test_a_number_that_was_used_before_is_not_given_again() -> None:
    assert skip(plan(50_00, 50_00), 1, "month", (15,), new_number=9)[-1].number == 9


def test_only_an_open_instalment_is_skipped_and_never_the_deposit() -> None:
    parts = (Part(0, date(2026, 11, 3), 10_00), *plan(50_00, 50_00))
    with pytest.raises(LookupError):
        skip(parts, 7, "month", ())
    with pytest.raises(ValueError, match="deposit"):
        skip(parts, 0, "month", ())


@given(agreed, rhythms, days_of_life, st.data())
def test_skipping_keeps_the_sum_the_largest_amount_and_the_rhythm(minor: list[int], rhythm: tuple[str, tuple[int, ...]],
                                                                 first: date, data: st.DataObject) -> None:
    parts = plan(*minor, first=first.isoformat(), interval=rhythm[0], days=rhythm[1])
    after = skip(parts, data.draw(st.integers(1, len(minor))), *rhythm)
    assert sorted(amounts(after)) == sorted(minor)
    assert all(a.due_on < b.due_on for a, b in pairwise(after))
    assert after[-1].due_on == dates(parts[0].due_on, *rhythm, len(minor) + 1)[-1]


def test_the_15th_instead_of_the_1st_moves_to_the_nearest_15th() -> None:
    parts = plan(50_00, 50_00, 50_00, first="2026-12-01", days=(1,))
    after = move_days(parts, 2, "month", (15,), not_before=date(2026, 12, 20))
    assert [part.due_on for part in after] == list(on("2026-12-01", "2027-01-15", "2027-02-15"))
    assert amounts(after) == amounts(parts)


def test_a_day_that_is_too_near_to_be_noticed_is_the_next_one() -> None:
    parts = plan(50_00, 50_00, first="2026-12-15", days=(15,))
    soon = move_days(parts, 1, "month", (10,), not_before=date(2026, 12, 5))
    late = move_days(parts, 1, "month", (10,), not_before=date(2026, 12, 12))
    assert [soon[0].due_on, late[0].due_on] == list(on("2026-12-10", "2027-01-10"))


def test_fridays_instead_of_mondays() -> None:
    parts = plan(50_00, 50_00, first="2026-11-09", interval="two_weeks")
    assert [part.due_on for part in move_days(parts, 1, "two_weeks", weekday=4)] == list(on("2026-11-06", "2026-11-20"))


def test_a_move_asks_for_days_of_the_plan_s_own_kind() -> None:
    with pytest.raises(ValueError, match="weekday"):
        move_days(plan(50_00, interval="week"), 1, "week", (15,))
    with pytest.raises(ValueError, match="days of the month"):
        move_days(plan(50_00), 1, "month", weekday=3)
    with pytest.raises(LookupError):
        move_days(plan(50_00), 2, "month", (15,))


@settings(max_examples=300)
@given(agreed, rhythms, rhythms, days_of_life, st.integers(-20, 60), st.integers(0, 6), st.data())
def test_moving_the_day_changes_dates_only_keeps_them_rising_and_gives_the_notice_its_time(
        minor: list[int], old: tuple[str, tuple[int, ...]], new: tuple[str, tuple[int, ...]], first: date, wait: int,
        weekday: int, data: st.DataObject) -> None:
    parts = plan(*minor, first=first.isoformat(), interval=old[0], days=old[1])
    number = data.draw(st.integers(1, len(minor)))
    not_before = first + timedelta(days=wait)
    day = weekday if not new[1] else None
    after = move_days(parts, number, *new, weekday=day, not_before=not_before)
    assert [(part.number, part.amount_minor) for part in after] == [(part.number, part.amount_minor) for part in parts]
    assert after[:number - 1] == parts[:number - 1]
    assert after[number - 1].due_on >= not_before
    assert all(a.due_on < b.due_on for a, b in pairwise(after))
    assert day is None or {part.due_on.weekday() for part in after[number - 1:]} == {day}
