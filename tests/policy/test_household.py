"""How often a household hears from us; a campaign's brakes; the four modes of sending; T-16 as a rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.policy.core import MANDATED, decide
from tests.policy.examples import NIGHT, NOON, answer, demand, practice

DAY = timedelta(days=1)


def heard(*days: float) -> dict[str, Any]:
    return {"household_at": tuple(NOON - DAY * n for n in days)}


def test_a_household_that_heard_three_times_in_seven_days_waits_until_the_oldest_is_a_week_old() -> None:
    ruling = decide(demand(recipient=heard(1, 3, 5)))
    assert (ruling.outcome, ruling.rule) == ("defer", "household-frequency")
    assert ruling.until_at == NOON + 2 * DAY
    assert decide(demand(recipient=heard(1, 3, 7))).sends


def test_the_moment_that_the_cap_names_is_a_legal_one() -> None:
    at_night = {"household_at": tuple(NIGHT - DAY * n for n in (1, 2, 3))}
    ruling = decide(demand(now=NOON + DAY, recipient=at_night))
    assert ruling.until_at == datetime(2026, 11, 8, 17, 0, tzinfo=UTC)  # Sunday noon, not three in the morning


def test_answers_and_receipts_never_wait_for_the_household_s_cap() -> None:
    for purpose in ("reply", "receipt", "staff", *sorted(MANDATED)):
        assert decide(answer(purpose, recipient=heard(1, 2, 3, 4, 5))).sends


def test_what_a_campaign_says_waits_as_well_though_it_asks_for_nothing() -> None:
    notice = {"purpose": "notice", "campaign": "sending", "inbound_age": None, "amount_minor": None}
    assert decide(demand(message=notice, recipient=heard(1, 2, 3))).rule == "household-frequency"
    assert decide(demand(message={**notice, "campaign": ""}, recipient=heard(1, 2, 3))).sends


@pytest.mark.parametrize(("hours", "sends"), [(1, False), (4 * 24, False), (4 * 24 + 14, True), (5 * 24, True)])
def test_five_calendar_days_pass_between_two_demands_about_an_account(hours: int, sends: bool) -> None:
    """Counted in days of the calendar: an evening counts as much as the morning of the same day."""
    ruling = decide(demand(recipient={"demanded_at": NOON - timedelta(hours=hours)}))
    assert ruling.sends == sends
    assert sends or ruling.rule == "between-demands"


def test_a_demand_that_another_worker_let_out_a_moment_after_this_one_read_its_clock_counts() -> None:
    """Who waits for the household's lock has an older clock than whoever held it."""
    assert decide(demand(recipient={"demanded_at": NOON + timedelta(milliseconds=300)})).rule == "between-demands"


def test_days_between_demands_are_the_practice_s_calendar_days_over_a_change_of_clocks() -> None:
    early = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)  # still the 31st of October in New York
    assert decide(demand(now=datetime(2026, 11, 4, 20, 0, tzinfo=UTC), recipient={"demanded_at": early})).until_at == (
        datetime(2026, 11, 5, 14, 0, tzinfo=UTC))


def test_both_numbers_are_the_practice_s_to_set() -> None:
    loose = practice(frequency={"per_7_days": 5, "between_demands_days": 0})
    assert decide(demand(practice=loose, recipient={**heard(1, 2, 3), "demanded_at": NOON - DAY})).sends


def test_new_york_city_keeps_the_week_at_three_where_the_practice_has_switched_it_on() -> None:
    loose, city = {"per_7_days": 7}, {"states": ["NYC"]}
    facts = demand(practice=practice(frequency=loose, collections=city), recipient=heard(1, 2, 3))
    assert decide(facts).rule == "household-frequency"
    assert decide(demand(practice=practice(frequency=loose), recipient=heard(1, 2, 3))).sends
    before = {"household_at": tuple(datetime(2026, 8, 31, 17, 0, tzinfo=UTC) - DAY * n for n in (1, 2, 3))}
    assert decide(demand(now=datetime(2026, 8, 31, 17, 0, tzinfo=UTC), recipient=before,
                         practice=practice(frequency=loose, collections=city))).sends


@pytest.mark.parametrize(("status", "outcome"), [
    ("sending", "send"), ("done", "send"), ("paused", "defer"), ("stopped", "withhold"), ("approved", "withhold"),
    ("unknown", "withhold")])
def test_a_campaign_s_message_leaves_only_while_the_campaign_runs(status: str, outcome: str) -> None:
    ruling = decide(demand(message={"campaign": status}))
    assert ruling.outcome == outcome
    if outcome == "defer":
        assert ruling.until_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("mode", "pilot", "sends"), [
    ("off", False, False), ("off", True, False), ("shadow", True, False), ("pilot", False, False),
    ("pilot", True, True), ("on", False, True)])
def test_sending_mode_off_shadow_pilot_and_on(mode: str, pilot: bool, sends: bool) -> None:
    where: dict[str, Any] = {"practice": practice(sending=mode), "recipient": {"pilot": pilot}}
    assert decide(demand(**where)).sends == sends
    assert decide(answer(**where)).sends == sends


@pytest.mark.parametrize("mode", ["off", "shadow", "pilot"])
@pytest.mark.parametrize("purpose", sorted(MANDATED))
def test_sending_mode_holds_nothing_back_that_carriers_require_or_a_life_may_hang_on(mode: str, purpose: str) -> None:
    assert decide(answer(purpose, practice=practice(sending=mode))).sends


def test_t_16_what_the_carriers_have_no_room_for_waits_for_a_legal_moment_with_room() -> None:
    midnight_pacific = datetime(2026, 11, 4, 8, 0, tzinfo=UTC)
    ruling = decide(demand(message={"room_at": midnight_pacific}))
    assert (ruling.rule, ruling.until_at) == ("T-16", datetime(2026, 11, 4, 14, 0, tzinfo=UTC))  # nine in New York


def test_t_16_answers_leave_whatever_the_carrier_s_caps_say() -> None:
    for purpose in ("reply", "receipt", "staff", *sorted(MANDATED)):
        assert decide(answer(purpose, message={"room_at": NOON + DAY})).sends


def test_restored_copy_keeps_even_that_back_which_every_mode_lets_through() -> None:
    """restored-copy: an old copy confirms no STOP a second time, and charges nobody again."""
    for purpose in sorted(MANDATED):
        assert decide(answer(purpose, practice=practice(sending="restored"))).rule == "restored-copy"
    assert decide(answer(practice=practice(sending="restored"), message={"internal": True})).rule != "restored-copy"
