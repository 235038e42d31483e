"""What a patient asks becomes offers inside the practice's policy, to the cent; outside of it, the nearest ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import plan_limits
from billing.plan_offers import FAULTS, WHYS, Answer, Ask, Offer, check, make
from billing.plan_schedule import add_months, dates
from billing.plan_terms import Part
from config.payment_policy import PlanPolicy

TODAY = date(2026, 11, 3)
INTERVALS = ["week", "two_weeks", "twice_month", "month"]


def ask(total: int, /, policy: PlanPolicy | None = None, today: date = TODAY, **wanted: Any) -> Answer:
    return make(total, [("visit_1", total)], policy or PlanPolicy(), today, Ask(**wanted))


def only(answer: Answer) -> Offer:
    assert len(answer.offers) == 1
    return answer.offers[0]


def shown(offer: Offer) -> list[tuple[str, int]]:
    return [(part.due_on.isoformat(), part.amount_minor) for part in offer.instalments]


def test_fifty_a_month_is_fifty_a_month_and_the_last_one_the_rest() -> None:
    answer = ask(230_00, amount_minor=50_00)
    assert answer.fits and answer.why == ""
    assert shown(only(answer)) == [("2026-12-03", 50_00), ("2027-01-03", 50_00), ("2027-02-03", 50_00),
                                   ("2027-03-03", 50_00), ("2027-04-03", 30_00)]


def test_a_last_one_below_the_smallest_instalment_makes_all_a_little_smaller_never_larger() -> None:
    offer = only(ask(510_00, amount_minor=50_00))
    assert [part.amount_minor for part in offer.instalments] == [46_36] * 10 + [46_40]


def test_where_the_rounding_would_take_the_last_above_the_amount_the_cents_are_spread() -> None:
    policy = PlanPolicy(minimum_balance_minor=1, minimum_instalment_minor=1_00)
    offer = only(ask(50_48, policy, amount_minor=1_01, interval="week"))
    assert [part.amount_minor for part in offer.instalments] == [1_00] * 2 + [1_01] * 48


def test_an_amount_that_leaves_no_lawful_last_one_is_answered_with_the_nearest_that_does() -> None:
    answer = ask(110_00, amount_minor=25_00)
    assert (answer.fits, answer.why) == (False, "instalment_too_small")
    assert [part.amount_minor for part in only(answer).instalments] == [27_50] * 4


def test_in_four_payments_takes_the_rounding_in_the_last() -> None:
    offer = only(ask(510_01, count=4, days=(15,)))
    assert shown(offer) == [("2026-11-15", 127_50), ("2026-12-15", 127_50), ("2027-01-15", 127_50),
                            ("2027-02-15", 127_51)]
    assert not offer.needs_disclosures


def test_what_would_six_months_be() -> None:
    assert (only(ask(600_00, months=6)).count, only(ask(600_00, months=6)).amount_minor) == (6, 100_00)
    assert only(ask(700_00, months=6, interval="two_weeks")).count == 13
    assert only(ask(700_00, months=6, interval="twice_month")).count == 12


def test_the_15th_is_the_nearest_15th_that_leaves_time_for_the_notice() -> None:
    assert shown(only(ask(200_00, count=2, days=(15,), today=date(2026, 11, 12))))[0][0] == "2026-11-15"
    assert shown(only(ask(200_00, count=2, days=(15,), today=date(2026, 11, 13))))[0][0] == "2026-12-15"


def test_the_last_of_the_month_stays_the_last_of_the_month() -> None:
    offer = only(ask(400_00, count=4, days=(31,)))
    assert [part.due_on.isoformat() for part in offer.instalments] == ["2026-11-30", "2026-12-31", "2027-01-31",
                                                                       "2027-02-28"]


def test_whoever_names_two_days_pays_twice_a_month() -> None:
    offer = only(ask(400_00, count=4, days=(15, 1)))
    assert (offer.interval, offer.days) == ("twice_month", (1, 15))
    assert [part.due_on.day for part in offer.instalments] == [15, 1, 15, 1]


def test_every_other_friday() -> None:
    offer = only(ask(300_00, count=3, interval="two_weeks", first_on=date(2026, 11, 13)))
    assert [part.due_on.isoformat() for part in offer.instalments] == ["2026-11-13", "2026-11-27", "2026-12-11"]


def test_weekly_begins_in_a_week_where_no_day_is_named() -> None:
    assert shown(only(ask(100_00, count=4, interval="week")))[0][0] == "2026-11-10"


def test_all_of_it_on_one_later_day_is_a_plan_of_one() -> None:
    assert shown(only(ask(300_00, amount_minor=500_00, days=(15,)))) == [("2026-11-15", 300_00)]


def test_nothing_particular_asked_offers_three_six_and_twelve_months() -> None:
    answer = ask(600_00)
    assert answer.fits and [offer.count for offer in answer.offers] == [3, 6, 12]


def test_a_small_balance_is_offered_as_far_as_the_smallest_instalment_lets_it() -> None:
    assert [offer.count for offer in ask(110_00).offers] == [3, 4]
    assert [offer.count for offer in ask(100_00, PlanPolicy(minimum_instalment_minor=50_00)).offers] == [2]


def test_a_deposit_is_due_today_is_no_instalment_and_the_rest_is_spread() -> None:
    offer = only(ask(500_00, PlanPolicy(deposit_percent=20), count=4))
    assert offer.parts[0] == Part(0, TODAY, 100_00)
    assert [part.amount_minor for part in offer.instalments] == [100_00] * 4
    assert offer.deposit_minor == 100_00 and not offer.needs_disclosures


def test_disclosures_are_said_to_be_needed_from_the_fifth_instalment_on() -> None:
    assert [only(ask(500_00, count=count)).needs_disclosures for count in (4, 5)] == [False, True]


@pytest.mark.parametrize(("total", "policy", "wanted", "why", "counts"), [
    (0, {}, {}, "nothing_due", []),
    (-5, {}, {}, "nothing_due", []),
    (99_99, {}, {}, "below_minimum_balance", []),
    (10_000_01, {}, {}, "above_maximum_balance", []),
    (600_00, {}, {"amount_minor": 10_00}, "instalment_too_small", [12]),
    (200_00, {}, {"count": 10}, "instalment_too_small", [8]),
    (200_00, {"minimum_instalment_minor": 250_00}, {}, "instalment_too_small", []),
    (6_000_00, {}, {"amount_minor": 100_00}, "too_long", [12]),
    (6_000_00, {}, {"months": 24}, "too_long", [12]),
    (6_000_00, {"maximum_instalments": 6}, {"count": 7}, "too_long", [6]),
    (600_00, {"intervals": ("month",)}, {"amount_minor": 25_00, "interval": "week"}, "interval_not_offered", [6]),
    (600_00, {"intervals": ("week", "month")}, {"count": 4, "interval": "twice_month"}, "interval_not_offered", [2]),
    (600_00, {}, {"amount_minor": 50_00, "count": 6}, "does_not_add_up", [12, 6]),
    (600_00, {}, {"count": 6, "first_on": TODAY}, "first_too_soon", [6]),
    (600_00, {}, {"count": 6, "first_on": date(2027, 1, 20)}, "first_too_late", [6]),
])
def test_outside_policy_the_nearest_lawful_offers_come_with_the_reason(
        total: int, policy: dict[str, Any], wanted: dict[str, Any], why: str, counts: list[int]) -> None:
    answer = ask(total, PlanPolicy(**policy), **wanted)
    assert (answer.fits, answer.why) == (False, why)
    assert [offer.count for offer in answer.offers] == counts


def test_an_interval_that_is_not_offered_is_offered_as_about_as_much_by_the_nearest() -> None:
    offer = only(ask(600_00, PlanPolicy(intervals=("month",)), amount_minor=25_00, interval="week"))
    assert (offer.interval, offer.amount_minor) == ("month", 25_00 * 52 // 12)


def test_a_first_day_that_is_too_late_becomes_the_same_day_of_the_month_before() -> None:
    offer = only(ask(600_00, count=6, first_on=date(2027, 1, 20)))
    assert (offer.days, offer.instalments[0].due_on) == ((20,), date(2026, 11, 20))


def test_a_weekday_that_is_too_soon_is_the_same_weekday_a_week_later() -> None:
    offer = only(ask(100_00, count=4, interval="week", first_on=date(2026, 11, 5)))
    assert offer.instalments[0].due_on == date(2026, 11, 12)


def test_a_practice_without_months_answers_who_names_no_interval_by_the_nearest_that_it_has() -> None:
    answer = ask(600_00, PlanPolicy(intervals=("week", "two_weeks")), count=4)
    assert answer.fits and only(answer).interval == "two_weeks"


def test_t_48_autopay_is_never_a_condition_the_plan_is_the_same_by_link() -> None:
    offer = only(ask(600_00, count=6))
    by_link, by_card = offer.terms("link"), offer.terms("autopay", "meth_1")
    assert by_link == replace(by_card, collects="link", method_id=None)


def test_an_ask_and_visits_that_make_no_sense_are_errors() -> None:
    with pytest.raises(ValueError, match="sum to"):
        make(600_00, [("visit_1", 599_00)], PlanPolicy(), TODAY, Ask())
    with pytest.raises(ValueError, match="at least 1"):
        ask(600_00, count=0)


def signed(**changes: Any) -> str:
    """What check says of a lawful plan of four payments of a total of 600.00, changed."""
    terms = only(ask(600_00, count=4)).terms("autopay", "meth_1")
    policy = PlanPolicy(**changes.pop("policy", {}))
    today, owed = changes.pop("today", TODAY), changes.pop("owed", {"visit_1": 600_00})
    return check(replace(terms, **changes), policy, today, owed)


def parts(*amounts: int, first: date = date(2026, 12, 3)) -> tuple[Part, ...]:
    due = dates(first, "month", (), len(amounts))
    return tuple(Part(n, day, minor) for n, (day, minor) in enumerate(zip(due, amounts, strict=True), 1))


@pytest.mark.parametrize(("changes", "why"), [
    ({}, ""),
    ({"today": TODAY + timedelta(days=29)}, ""),
    ({"owed": {"visit_1": 600_01}}, ""),
    ({"owed": {"visit_1": 599_99}}, "balance_moved"),
    ({"owed": {}}, "balance_moved"),
    ({"visits": (("visit_1", 500_00),)}, "not_a_schedule"),
    ({"visits": (("visit_1", 300_00), ("visit_1", 300_00))}, "not_a_schedule"),
    ({"parts": ()}, "not_a_schedule"),
    ({"parts": parts(600_01, -1)}, "not_a_schedule"),
    ({"parts": parts(300_00, 300_00)[::-1]}, "not_a_schedule"),
    ({"interval": "year"}, "not_a_schedule"),
    ({"days": (1, 15)}, "not_a_schedule"),
    ({"days": (4,)}, "not_a_schedule"),
    ({"parts": parts(580_00, 20_00)}, "instalment_too_small"),
    ({"policy": {"minimum_balance_minor": 600_01}}, "below_minimum_balance"),
    ({"policy": {"maximum_balance_minor": 599_99}}, "above_maximum_balance"),
    ({"policy": {"intervals": ("week",)}}, "interval_not_offered"),
    ({"policy": {"maximum_instalments": 3}}, "too_long"),
    ({"policy": {"maximum_months": 3}}, "too_long"),
    ({"policy": {"first_within_days": 29}}, "first_too_late"),
    ({"today": date(2026, 12, 4)}, "first_too_soon"),
    ({"policy": {"deposit_percent": 10}}, "deposit_missing"),
    ({"policy": {"autopay": False}}, "autopay_not_offered"),
    ({"policy": {"autopay": False}, "collects": "link"}, ""),
])
def test_signing_asks_the_policy_once_more(changes: dict[str, Any], why: str) -> None:
    assert signed(**changes) == why
    assert why in ("", *WHYS, *FAULTS)


@given(st.integers(1, 60), st.sampled_from(INTERVALS), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_the_longest_plan_is_over_before_its_months_are(months: int, interval: str, first: date) -> None:
    policy = PlanPolicy(maximum_months=months, maximum_instalments=260)
    count = plan_limits.longest(policy, interval, first)
    due = dates(first, interval, (), count + 1)
    over = add_months(first, months)
    assert due[count - 1] < over
    assert count == 260 or due[count] >= over


policies = st.builds(
    PlanPolicy, minimum_balance_minor=st.integers(1, 500_00), maximum_balance_minor=st.integers(500_00, 20_000_00),
    minimum_instalment_minor=st.integers(1_00, 200_00), maximum_months=st.integers(1, 60),
    maximum_instalments=st.integers(2, 260), deposit_percent=st.just(0) | st.integers(0, 50),
    intervals=st.lists(st.sampled_from(INTERVALS), min_size=1, max_size=4, unique=True).map(tuple),
    first_within_days=st.integers(1, 62), notice_days=st.integers(1, 14), autopay=st.just(True))
totals = st.integers(-10, 1_000_00) | st.integers(100_00, 5_000_00) | st.integers(1, 25_000_00)
days = st.just(()) | st.lists(st.integers(1, 31), max_size=3).map(tuple)


@st.composite
def asked(draw: st.DrawFn) -> tuple[int, PlanPolicy, date, Ask]:
    today = draw(st.dates(date(2026, 1, 1), date(2030, 12, 31)))
    first_on = draw(st.none() | st.integers(-5, 80).map(lambda n: today + timedelta(days=n)))
    wanted = Ask(draw(st.none() | st.integers(1, 3_000_00)), draw(st.none() | st.integers(1, 60)),
                 draw(st.none() | st.sampled_from(INTERVALS)), draw(days), first_on,
                 draw(st.none() | st.integers(1, 30)))
    return draw(totals), draw(st.just(PlanPolicy()) | policies), today, wanted


@settings(max_examples=1_000)
@given(asked())
def test_no_offer_ever_breaks_the_policy_and_each_sums_to_the_cent(case: tuple[int, PlanPolicy, date, Ask]) -> None:
    total, policy, today, wanted = case
    visits = [("visit_1", total - total // 3), ("visit_2", total // 3)] if total > 2 else [("visit_1", total)]
    answer = make(total, visits, policy, today, wanted)
    earliest, latest = plan_limits.window(policy, today)
    assert len(answer.offers) <= 3 and answer.fits == (answer.why == "")
    assert answer.why in ("", *WHYS)
    assert answer.offers or not answer.fits
    for offer in answer.offers:
        assert check(offer.terms("autopay", "meth_1"), policy, today, dict(visits)) == ""
        assert sum(part.amount_minor for part in offer.parts) == total
        assert earliest <= offer.instalments[0].due_on <= latest


@settings(max_examples=1_000)
@given(asked())
def test_what_fits_is_what_was_asked_for(case: tuple[int, PlanPolicy, date, Ask]) -> None:
    total, policy, today, wanted = case
    answer = make(total, [("visit_1", total)], policy, today, wanted)
    if not answer.fits:
        return
    offer = answer.offers[0]
    assert wanted.interval in (None, offer.interval)
    if wanted.amount_minor is not None:
        assert all(part.amount_minor <= wanted.amount_minor for part in offer.instalments)
        assert wanted.count is None or offer.count <= wanted.count
    elif wanted.count is not None:
        assert offer.count == wanted.count
    elif wanted.months is not None:
        assert offer.instalments[-1].due_on < add_months(offer.instalments[0].due_on, wanted.months)
    if wanted.first_on is not None and not wanted.days:
        assert offer.instalments[0].due_on == wanted.first_on


@settings(max_examples=500)
@given(asked())
def test_where_a_lawful_plan_exists_one_is_offered(case: tuple[int, PlanPolicy, date, Ask]) -> None:
    total, policy, today, wanted = case
    answer = make(total, [("visit_1", total)], policy, today, wanted)
    rest = total - plan_limits.deposit(policy, total)
    inside = policy.minimum_balance_minor <= total <= policy.maximum_balance_minor
    if total > 0 and inside and rest >= policy.minimum_instalment_minor:
        assert answer.offers
