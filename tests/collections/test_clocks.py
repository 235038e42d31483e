"""The clocks of collections, to the day; off unless switched on, and nothing made up where no figures are known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import clocks, statements
from billing.clocks import STATES, ClockFacts, clock
from config.dunning_policy import CollectionsPolicy
from tests.collections.office import RIPE, START, Office
from tests.collections.test_placement import codes
from tests.dunning.house import ANNA

HOSPITAL = CollectionsPolicy(hospital_501r=True)
OFF = CollectionsPolicy()
BILL = date(2026, 10, 20)
days = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def test_t_43_nothing_before_day_120_and_30_days_after_the_notice_whichever_is_later() -> None:
    for notice, earliest in ((BILL, BILL + timedelta(days=120)),
                             (BILL + timedelta(days=90), BILL + timedelta(days=120)),
                             (BILL + timedelta(days=91), BILL + timedelta(days=121))):
        found = clock(ClockFacts(BILL, notice), HOSPITAL)
        assert found.earliest_on == earliest
        assert found.stops(earliest - timedelta(days=1)) and not found.stops(earliest)


def test_t_43_without_the_written_notice_no_day_is_early_enough() -> None:
    assert clock(ClockFacts(BILL), HOSPITAL).earliest_on is None
    assert clock(ClockFacts(BILL), HOSPITAL).stops(date(2099, 1, 1))


def test_t_43_over_the_leap_day_the_days_are_calendar_days() -> None:
    assert clock(ClockFacts(date(2027, 11, 1), date(2027, 11, 1)), HOSPITAL).earliest_on == date(2028, 2, 29)


@given(days, days)
def test_t_43_is_the_later_of_both_for_any_days(bill: date, notice: date) -> None:
    earliest = clock(ClockFacts(bill, notice), HOSPITAL).earliest_on
    assert earliest is not None and (earliest - bill).days >= 120 and (earliest - notice).days >= 30
    assert (earliest - bill).days == 120 or (earliest - notice).days == 30


def test_t_44_the_application_period_ends_at_day_240_or_with_the_notice() -> None:
    assert clocks.application_ends(ClockFacts(BILL, BILL)) == BILL + timedelta(days=240)
    late = BILL + timedelta(days=230)
    assert clocks.application_ends(ClockFacts(BILL, late)) == late + timedelta(days=30)


@pytest.mark.parametrize("status", ["received", "incomplete", "appealed"])
def test_t_44_an_application_in_its_period_stops_everything_until_it_is_decided(status: str) -> None:
    facts = ClockFacts(BILL, BILL, application=status, applied_on=BILL + timedelta(days=240))
    assert [one.rule for one in clock(facts, HOSPITAL).stops(date(2027, 12, 31))] == ["T-44"]
    after = ClockFacts(BILL, BILL, application="denied", applied_on=BILL + timedelta(days=240))
    assert not clock(after, HOSPITAL).stops(date(2027, 12, 31))


def test_t_45_every_statement_carries_the_notice_of_assistance(office: Office) -> None:
    office.account()
    made = office.do(lambda s: statements.make(s, ANNA, "en", office.clock()))
    assert clocks.missing_words(made.content) == ("url",)
    office.settle(**{**office.policy.model_dump(mode="json"), "assistance_url": "https://maple.example/help"})
    office.clock.advance(days=1)
    again = office.do(lambda s: statements.make(s, ANNA, "en", office.clock()))
    assert clocks.missing_words(again.content) == ()


def test_clocks_are_off_unless_switched_on() -> None:
    for state in {one.state for one in STATES}:
        assert clock(ClockFacts(BILL, state=state, owed_minor=90_000, fpl_percent=100), OFF).reasons == ()


@pytest.mark.parametrize(("state", "act", "days_"), [("CA", "sell", 180), ("CA", "sue", 180), ("CA", "report", 180),
                                                     ("NY", "sue", 180), ("CA", "place", 0), ("NY", "place", 0)])
def test_a_states_days_bind_the_acts_that_its_law_names(state: str, act: clocks.Act, days_: int) -> None:
    policy = CollectionsPolicy(states=(state,))
    found = clock(ClockFacts(BILL, state=state), policy, act)
    assert found.earliest_on == BILL + timedelta(days=days_)
    assert clock(ClockFacts(BILL, state="OH"), policy, act).reasons == ()


@pytest.mark.parametrize(("state", "free", "bound"), [
    ("TX", {"itemised_on": BILL}, {}), ("FL", {"itemised_on": BILL}, {}),
    ("OR", {"owed_minor": 50_000}, {"owed_minor": 50_001}),
    ("OR", {"owed_minor": 90_000, "application": "denied"}, {"owed_minor": 90_000, "application": "asked"}),
    ("NM", {"fpl_percent": 201}, {"fpl_percent": 200}),
])
def test_a_states_condition_has_to_be_met(state: str, free: dict[str, int], bound: dict[str, int]) -> None:
    policy = CollectionsPolicy(states=(state,))
    assert not clock(ClockFacts(BILL, state=state, **free), policy).stops(RIPE)  # type: ignore[arg-type]
    found = clock(ClockFacts(BILL, state=state, **bound), policy)  # type: ignore[arg-type]
    assert found.stops(date(2099, 1, 1)) and found.earliest_on is None


def test_a_state_without_figures_is_named_and_nothing_is_made_up_for_it() -> None:
    assert clocks.unknown(("CA", "CO", "NYC", "TX")) == ("CO", "NYC")


def test_t_43_placement_waits_for_the_hospitals_clock(office: Office) -> None:
    rules = {**office.policy.model_dump(mode="json")}
    rules["collections"] = {**rules["collections"], "hospital_501r": True}
    office.settle(**rules)
    office.overdue()
    assert codes(office) == ["clock:T-43"]
    office.at(START + timedelta(days=120), 11)
    assert codes(office) == []
