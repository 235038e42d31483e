"""T-47, T-48 and T-54: what has to come before a plan is signed, a card asked for, or a charge made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from billing.plan_offers import check
from billing.plan_schedule import dates
from billing.plan_terms import Part, PlanTerms
from billing.policy.core import Facts, may_charge
from billing.policy.plans import card_warning_due, disclosures_due, lender_link, raise_effective_on
from billing.policy.register import rule_by_id
from config.payment_policy import PRICES, PaymentPolicy, PayOverTime, PlanPolicy
from tests.conftest import maple_clinic
from tests.policy.examples import autopay, charge, practice


def ruled(facts: Facts) -> str:
    return may_charge(facts).rule


def terms(count: int, *, first: date = date(2026, 12, 1), deposit: bool = False) -> PlanTerms:
    parts = tuple(Part(n, day, 50_00) for n, day in enumerate(dates(first, "month", (1,), count), 1))
    down = (Part(0, first - timedelta(days=5), 50_00),) if deposit else ()
    return PlanTerms("month", (1,), (*down, *parts), (("visit_1", 50_00 * (count + deposit)),))


@pytest.mark.parametrize(("count", "deposit", "due"), [(4, False, False), (5, False, True), (4, True, False),
                                                       (5, True, True)])
def test_t_47_from_the_fifth_instalment_on_and_a_deposit_is_none(count: int, deposit: bool, due: bool) -> None:
    plan = terms(count, deposit=deposit)
    assert disclosures_due(plan) is due
    assert plan.needs_disclosures is due


def test_t_47_a_plan_of_four_that_is_extended_to_six_needs_them_though_only_four_are_still_to_come() -> None:
    four = terms(4)
    rest = terms(4, first=date(2027, 2, 1))  # two of the four are over, four take the place of the other two
    assert disclosures_due(rest, four)
    assert not disclosures_due(rest)


def test_t_47_a_balance_that_joins_counts_the_same_way() -> None:
    """Four payments, one of them over; with the new balance three are left (four in all) or four (five in all)."""
    assert not disclosures_due(terms(3, first=date(2027, 1, 1)), terms(4))
    assert disclosures_due(terms(4, first=date(2027, 1, 1)), terms(4))


def test_t_47_a_skipped_instalment_moves_and_makes_no_fifth() -> None:
    four = terms(4)
    moved = (*four.parts[1:], Part(5, date(2027, 4, 1), 50_00))
    assert not disclosures_due(PlanTerms("month", (1,), moved, four.visits))


def test_t_47_a_plan_of_five_is_charged_only_after_its_disclosures() -> None:
    assert ruled(autopay(instalments=5, disclosed=False)) == "T-47"
    assert ruled(autopay(instalments=5, disclosed=True)) == "allowed"
    assert ruled(autopay(instalments=4, disclosed=False)) == "allowed"
    assert ruled(charge(instalments=5, disclosed=False)) == "T-47"  # also when the patient says yes to one of them


@pytest.mark.parametrize("price", sorted(PRICES))
def test_t_47_a_policy_that_sets_a_price_is_refused_with_the_reason(price: str) -> None:
    with pytest.raises(ValidationError, match=r"T-47.*12 CFR 1026.4"):
        PlanPolicy.model_validate({price: 1})


def test_t_48_no_charge_without_an_authorization_that_stands() -> None:
    assert ruled(autopay(authorized=False)) == "T-48"
    assert ruled(charge(authorized=False)) == "T-48"
    assert ruled(autopay()) == "allowed"


def test_t_48_never_above_what_was_agreed_and_less_is_always_allowed() -> None:
    assert ruled(autopay(most_minor=11_999)) == "T-48"
    assert ruled(autopay(amount_minor=5_000, split=(("visit_1", 5_000),))) == "allowed"


@pytest.mark.parametrize("change", [{"noticed_minor": None}, {"notice_age": None}, {"noticed_minor": 11_999}])
def test_t_48_no_charge_of_our_own_without_a_notice_of_at_least_that_amount(change: dict[str, Any]) -> None:
    assert ruled(autopay(**change)) == "T-48"
    assert ruled(charge(**change)) == "allowed"  # a patient who is there needs none


def test_t_48_the_notice_is_as_many_days_old_as_the_policy_says() -> None:
    assert ruled(autopay(notice_age=timedelta(days=3))) == "allowed"
    assert ruled(autopay(notice_age=timedelta(days=2))) == "T-48"
    week = practice(plans={"notice_days": 7})
    assert ruled(replace(autopay(notice_age=timedelta(days=6)), practice=week)) == "T-48"
    assert ruled(replace(autopay(notice_age=timedelta(days=7)), practice=week)) == "allowed"


@pytest.mark.parametrize("sent", [datetime(2026, 10, 30, 23, 0, tzinfo=UTC), datetime(2026, 10, 30, 13, 0, tzinfo=UTC)])
def test_t_48_days_of_a_notice_are_the_practice_s_calendar_days_whatever_the_clocks_do(sent: datetime) -> None:
    """A notice of 30 October, in the evening or the morning, serves the 2nd of November across the change of clocks."""
    for day, rule in ((2, "allowed"), (1, "T-48")):
        now = datetime(2026, 11, day, 15, 0, tzinfo=UTC)
        assert ruled(replace(autopay(notice_age=now - sent), now=now)) == rule


def test_t_48_a_stop_to_texts_stops_the_next_charge_until_somebody_has_asked() -> None:
    assert ruled(autopay(opted_out=True)) == "T-48"
    assert ruled(charge(opted_out=True)) == "allowed"


def test_t_48_more_than_agreed_takes_ten_days_from_the_new_consent() -> None:
    assert raise_effective_on(date(2027, 2, 20)) == date(2027, 3, 2)
    assert raise_effective_on(date(2028, 2, 20)) == date(2028, 3, 1)


def test_t_54_new_york_is_warned_before_a_card_is_asked_for() -> None:
    assert card_warning_due(maple_clinic(region="NY"), None)
    assert card_warning_due(maple_clinic(region="NJ"), "NY")
    assert not card_warning_due(maple_clinic(region="NJ"), "NJ")
    off = maple_clinic(region="NY", payments=PaymentPolicy(ny_card_warning=False))
    assert not card_warning_due(off, "NY")


def test_t_54_a_lender_is_a_link_as_configured_and_nothing_else() -> None:
    lender = PayOverTime(name="Sunny Pay", url="https://lender.example/apply?practice=12", since=date(2026, 1, 1))
    assert lender_link(lender) == "https://lender.example/apply?practice=12"
    assert set(PayOverTime.model_fields) == {"name", "url", "since"}


def test_t_54_a_plan_stands_on_what_is_owed_so_that_no_card_is_taken_before_care() -> None:
    signed = PlanTerms("month", (1,), terms(4).parts, (("visit_1", 200_00),), "autopay", "meth_1")
    today, policy = date(2026, 11, 20), PlanPolicy()
    assert check(signed, policy, today, {"visit_1": 200_00}) == ""
    assert check(signed, policy, today, {}) == "balance_moved"
    assert check(replace(signed, visits=()), policy, today, {}) == "not_a_schedule"
    rule = rule_by_id("T-54")
    assert rule is not None and rule.jurisdictions == ("NY",) and "ny_card_warning" in rule.configured


def test_t_51_a_charge_of_our_own_is_never_above_what_is_due_now() -> None:
    later = {"payable_visits": (("visit_1", 20_000),)}  # the rest of the plan, not due yet
    assert ruled(autopay(account=later)) == "allowed"
    assert ruled(autopay(account=later, amount_minor=12_001, split=(("visit_1", 12_001),), most_minor=20_000,
                         noticed_minor=20_000)) == "T-51"
    assert ruled(autopay(account={"due_now_minor": 0, "due_visits": ()})) == "T-51"
