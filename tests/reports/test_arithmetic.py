"""Ratios, medians, buckets and talks at their edges, on values written by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from billing import reports
from billing.reports import aging, collecting, shape, spending, summary, talking
from billing.reports.shape import Footing, Scope, midnight, scope_of
from billing.store.report_queries import AgedSum, Moved, Paid
from billing.store.report_talk_queries import CampaignCount, Messages, Moment, OptOuts, PlanCount, Returned
from tests.conftest import maple_clinic

TO = date(2026, 11, 3)
NOON = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)
END = datetime(2026, 11, 4, 5, 0, tzinfo=UTC)


@pytest.fixture
def scope() -> Scope:
    return scope_of("prac_maple", maple_clinic(), date(2026, 8, 6), TO, TO)


@pytest.mark.parametrize(("part", "whole", "points"), [
    (1, 3, 3_333), (2, 3, 6_667), (1, 20_000, 1), (1, 20_001, 0), (-1, 3, -3_333), (5, 0, None), (5, -5, None)])
def test_a_share_is_in_basis_points_half_up_and_nothing_is_divided_by_nothing(
        part: int, whole: int, points: int | None) -> None:
    assert shape.share(part, whole) == points


@pytest.mark.parametrize(("counts", "beyond", "middle"), [
    ({3: 1}, 0, 3), ({3: 1, 9: 1}, 0, 3), ({3: 1, 9: 1, 10: 1}, 0, 9), ({3: 2}, 2, 3), ({3: 2}, 3, None), ({}, 0, None),
    ({}, 4, None)])
def test_those_that_have_no_value_yet_count_as_later_than_all(
        counts: dict[int, int], beyond: int, middle: int | None) -> None:
    assert shape.median(counts, beyond) == middle


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_day_with_a_changed_clock_begins_at_its_own_midnight(day: date) -> None:
    begins, ends = midnight(day, "America/New_York"), midnight(day + timedelta(days=1), "America/New_York")
    hours = (ends.astimezone(UTC) - begins.astimezone(UTC)) / timedelta(hours=1)
    assert hours == {date(2026, 3, 8): 23, date(2026, 11, 1): 25}[day]


def test_a_report_about_days_to_come_or_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValueError, match="has not come"):
        scope_of("p", maple_clinic(), TO, TO + timedelta(days=1), TO)
    with pytest.raises(ValueError, match="after its last"):
        scope_of("p", maple_clinic(), TO, TO - timedelta(days=1), TO)


def test_an_unknown_report_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(reports.UnknownReport, match="aging, days-in-ar"):
        reports.make(None, "ageing", None)  # type: ignore[arg-type]


def test_a_report_that_does_not_foot_says_so_first(scope: Scope) -> None:
    rows = [AgedSum("patient", "0-30", "31-60", True, 1, 5_000), AgedSum("patient", "none", "none", False, 1, -700)]
    right = aging.age(scope, rows, 300, {"patient": 4_300, "payer": 0, "credit": -300})
    assert right.foots
    wrong = aging.age(scope, rows, 300, {"patient": 4_299, "payer": 0, "credit": -300})
    assert [f for f in wrong.footings if not f.foots] == [
        Footing("Patient receivable: buckets and credit balances, against the transfers", 4_300, 4_299)]
    assert "$43.00, the ledger $42.99" in summary.to_look_at([wrong])[0]


def test_days_in_ar_take_credits_off_and_have_no_value_without_charges(scope: Scope) -> None:
    assert aging.count_days(scope, 50_000, 5_000, 90_000).value("days") == 450
    assert aging.count_days(scope, 50_000, 5_000, 0).value("days") is None


def test_a_cohort_has_no_rate_before_all_of_its_visits_have_had_their_days(scope: Scope) -> None:
    stated = date(2026, 8, 31)
    report = collecting.collect(scope, [
        Moved(stated, date(2026, 8, 1), "revenue", 10_000), Moved(stated, date(2026, 8, 1), "cash", -1_000),
        Moved(stated, date(2026, 9, 30), "cash", -2_000), Moved(stated, date(2026, 10, 1), "cash", -500),
        Moved(stated, date(2026, 10, 2), "charity", -100)])
    row = next(row for row in report.tables[0].rows if row[0] == "2026-08")
    assert row == ("2026-08", 9_000, 2_222, 2_778, None, None)
    assert (report.value("rate_30"), report.value("rate_90")) == (2_222, None)


def test_a_return_of_the_money_lowers_the_cohorts_rate(scope: Scope) -> None:
    stated = date(2026, 6, 1)
    report = collecting.collect(scope, [
        Moved(stated, stated, "payer", 10_000), Moved(stated, stated, "cash", -10_000),
        Moved(stated, date(2026, 7, 10), "cash", 10_000)])
    assert (report.value("rate_30"), report.value("rate_60")) == (10_000, 0)


def test_the_year_of_net_collection_has_twelve_months_also_in_leap_years(scope: Scope) -> None:
    def first(last: date) -> date:
        return collecting._year_before(last)

    assert first(date(2026, 7, 6)) == date(2025, 7, 7)
    assert (first(date(2028, 2, 28)), first(date(2028, 2, 29))) == (date(2027, 3, 1), date(2027, 3, 1))


def test_bad_debt_and_charity_do_not_flatter_the_net_collection_rate(scope: Scope) -> None:
    flows = {("payer", "revenue"): 100_000, ("contractual", "payer"): 20_000, ("payer_clearing", "payer"): 50_000,
             ("patient", "payer"): 30_000, ("cash", "patient"): 12_000, ("patient", "cash"): 2_000,
             ("bad_debt", "patient"): 15_000, ("charity", "patient"): 5_000}
    report = collecting.net_of_contracts(scope, TO, TO, flows, 0)
    assert report.value("rate") == 7_500
    assert report.tables[0].rows[-1] == ("Still open", 0)
    assert report.foots


def test_visits_closed_by_an_insurer_are_no_quick_payers(scope: Scope) -> None:
    report = collecting.wait(scope, [
        Paid(date(2026, 9, 1), date(2026, 9, 11), "paid", 2), Paid(date(2026, 9, 1), None, "unpaid", 1),
        Paid(date(2026, 9, 1), None, "otherwise", 7)])
    assert (report.value("median_days"), report.value("unpaid_share")) == (10, 3_333)


def said(hours: int, what: str = "said", conversation: str = "conv_1") -> Moment:
    return Moment(conversation, NOON + timedelta(hours=hours), what)


def test_a_talk_ends_with_a_day_of_silence() -> None:
    found = list(talking.talks([said(0), said(23), said(46), said(70)], END))
    assert [(t.began_at, t.ended_at) for t in found] == [
        (NOON, NOON + timedelta(hours=46)), (NOON + timedelta(hours=70), NOON + timedelta(hours=70))]


@pytest.mark.parametrize(("moments", "handed_over", "stayed"), [
    ([said(0)], False, True),
    ([said(0), said(23, "case")], True, False),
    ([said(0), said(1, "staff")], True, False),
    ([said(0), said(24, "case")], False, False),
    ([said(0), said(7 * 24 + 1, "case")], False, True),
    ([said(0), said(7 * 24)], False, False),
    ([said(0), said(7 * 24 + 1)], False, True)])
def test_a_person_within_the_day_hands_it_over_and_seven_quiet_days_keep_it_settled(
        moments: list[Moment], handed_over: bool, stayed: bool) -> None:
    first = next(iter(talking.talks(moments, END)))
    assert (first.handed_over, first.stayed) == (handed_over, stayed)


def test_a_talk_whose_seven_days_are_not_over_is_not_counted_as_settled_for_good(scope: Scope) -> None:
    young = NOON + timedelta(days=30)
    report = talking.settle(scope, talking.talks(
        [said(0), Moment("conv_2", young, "said"), Moment("conv_3", NOON, "case")], END), (40, 1))
    assert (report.value("talks"), report.value("alone_share"), report.value("stays_share")) == (2, 10_000, 10_000)
    assert report.value("failed_share") == 250


def test_opt_outs_are_told_by_campaign_and_in_all(scope: Scope) -> None:
    report = talking.leave(scope, OptOuts(200, 3), [CampaignCount("c1", 4, "autumn", NOON, 120, 100)], Counter(c1=2))
    assert report.value("share") == 150
    assert report.tables[0].rows == (("4 autumn", 120, 100, 2, 200),)


def test_disputes_are_of_accounts_asked_and_complaints_are_all_that_say_we_are_wrong(scope: Scope) -> None:
    report = talking.contend(scope, {"dispute": 2, "paid_already": 1, "interpreter": 9}, 100, (1, 50))
    assert [report.value(key) for key in ("dispute_share", "complaint_share", "bank_share")] == [200, 300, 200]


def test_a_plan_that_is_young_cannot_flatter_the_default_rate_of_those_that_ended(scope: Scope) -> None:
    report = talking.default(scope, [PlanCount("active", 6, 60_000), PlanCount("behind", 2, 5_000),
                                     PlanCount("completed", 3, 9_000), PlanCount("defaulted", 1, 4_000)])
    assert (report.value("default_share"), report.value("ended_default_share")) == (833, 2_500)
    assert report.value("behind_share") == 2_500


def test_a_dollar_costs_its_messages_and_its_fees(scope: Scope) -> None:
    sent = [Messages("sms", "statement", 10, 20), Messages("paper", "reminder", 2, 0), Messages("email", "reply", 5, 0)]
    report = spending.spend(scope, sent, {("cash", "patient"): 100_000, ("patient", "cash"): 20_000,
                                          ("fees", "cash"): 3_000, ("cash", "fees"): 500})
    assert report.value("cost_micros") == 20 * 11_900 + 2 * 950_000 + 5 * 1_000 + 2_500 * 10_000
    assert report.value("per_dollar_share") == 339  # 27.143 of 800 dollars
    assert report.value("per_message_minor") == 6_667
    assert "hold-out group" in report.notes[1]


@pytest.mark.parametrize(("reason", "asked", "days", "counts"), [
    ("billing_error", True, 30, True), ("billing_error", True, 31, False), ("insurer_paid", False, 0, False),
    ("assistance", True, 1, False)])
def test_a_refund_is_dunnings_when_a_demand_came_before_and_the_reason_is_ours(
        scope: Scope, reason: str, asked: bool, days: int, counts: bool) -> None:
    report = spending.give_back(scope, [
        Returned(reason, 4_000, NOON + timedelta(days=days), NOON if asked else None)], 100_000)
    assert report.value("caused_minor") == (4_000 if counts else 0)
    assert report.value("all_minor") == 4_000


def test_every_report_says_its_definition_and_its_clock_and_no_two_figures_share_a_key(scope: Scope) -> None:
    for report in (collecting.collect(scope, ()), talking.settle(scope, (), (0, 0)),
                   spending.spend(scope, (), {}), spending.give_up(scope, {}, {}), collecting.wait(scope, ())):
        assert len(report.definition) > 40
        assert scope.to_on.isoformat() in report.clock
        assert len({figure.key for figure in report.figures}) == len(report.figures)
