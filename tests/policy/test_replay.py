"""A receipt is complete: the ruling is made again from it, and made otherwise by the rules of another day or state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings

from billing.policy import record
from billing.policy.core import (
    Facts,
    Rule,
    Ruling,
    charge_objections,
    may_charge,
    message_objections,
    strictest,
    withhold,
)
from billing.policy.register import RULES
from billing.policy.replay import replay
from tests.policy.examples import CHARGE_EXAMPLES, NOON, charge, demand, practice
from tests.policy.random_facts import crowd
from tests.policy.test_property import facts


def kept(f: Facts) -> dict:  # type: ignore[type-arg]
    return json.loads(json.dumps(record.as_json(f, message_objections(f))))  # type: ignore[no-any-return]


@settings(max_examples=100, deadline=None)
@given(facts())
def test_every_ruling_is_made_again_from_its_record_alone(f: Facts) -> None:
    again = replay(kept(f), f.rule_day)
    assert again.ruling == strictest(message_objections(f), "no rule objects")
    assert again.came_in == again.fell_away == ()


def kept_charge(f: Facts, *besides: Ruling) -> dict:  # type: ignore[type-arg]
    return json.loads(json.dumps(record.as_json(f, besides + charge_objections(f))))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["allowed", *sorted(CHARGE_EXAMPLES)])
def test_every_ruling_on_a_charge_is_made_again_from_its_record_alone(name: str) -> None:
    f = CHARGE_EXAMPLES.get(name, charge())
    again = replay(kept_charge(f), f.rule_day)
    assert again.ruling == may_charge(f) and again.ruling.rule == name
    assert again.came_in == again.fell_away == ()
    assert record.as_json(record.from_json(kept_charge(f))) == {**kept_charge(f), "objections": []}


def test_a_charge_is_ruled_on_again_by_the_rules_of_another_day() -> None:
    found = kept_charge(CHARGE_EXAMPLES["T-51"])
    before = replay(found, date(2019, 12, 31))
    assert (before.ruling.outcome, "T-51" in before.fell_away) == ("send", True)


def test_that_somebody_was_paying_the_same_is_no_rule_of_any_day() -> None:
    found = kept_charge(charge(), Ruling("withhold", "paying", "somebody is paying the same in this moment"))
    again = replay(found, date(2019, 12, 31))
    assert (again.ruling.rule, again.came_in, again.fell_away) == ("paying", (), ())


def test_what_is_read_back_and_written_down_again_is_the_same() -> None:
    for f in crowd(200):
        before = record.as_json(f)
        assert record.as_json(record.from_json(json.loads(json.dumps(before)))) == before


def test_parts_of_a_second_are_kept_as_a_limit_may_lie_between() -> None:
    f = demand(recipient={"paid_age": NOON - NOON.replace(microsecond=500)})
    assert record.from_json(kept(f)).recipient.paid_age == f.recipient.paid_age


def test_by_the_rules_before_its_first_day_a_rule_says_nothing() -> None:
    found = kept(demand(recipient={"opted_out": True}))  # T-03 is in force since 2025-04-11
    assert replay(found, date(2025, 4, 11)).ruling.rule == "T-03"
    earlier = replay(found, date(2025, 4, 10))
    assert earlier.ruling.sends and earlier.fell_away == ("T-03",)


def test_a_city_s_cap_came_with_its_day() -> None:
    loose = practice(frequency={"per_7_days": 7}, collections={"states": ["NYC"]})
    found = kept(demand(practice=loose, recipient={"household_at": (NOON.replace(hour=1),) * 3}))
    assert replay(found, date(2026, 9, 1)).ruling.rule == "household-frequency"
    assert replay(found, date(2026, 8, 31)).ruling.sends


def test_another_state_s_hours_count_when_it_is_named() -> None:
    wide = {day: {"opens": "08:00", "closes": "21:00"} for day in ("weekday", "saturday", "sunday")}
    evening = datetime(2026, 11, 4, 1, 30, tzinfo=UTC)  # half past eight in New York
    found = kept(demand(now=evening, practice=practice(text_window=wide)))
    assert replay(found, NOON.date()).ruling.sends
    florida = replay(found, NOON.date(), region="FL")
    assert (florida.ruling.outcome, florida.came_in) == ("defer", ("T-08",))


def test_a_proposed_change_of_a_rule_can_be_tried_on_what_was_sent() -> None:
    proposed = [*RULES, Rule("proposed", "No two segments", "test", "own",
                             lambda f: withhold("too long") if f.message.segments > 1 else None)]
    assert replay(kept(demand()), NOON.date(), rules=proposed).came_in == ("proposed",)


def test_no_name_of_the_practice_and_nobody_s_is_in_the_record() -> None:
    told = json.dumps(kept(replace(demand(), practice=practice())))
    assert "Maple" not in told and "+1212" not in told


def test_a_record_that_lacks_what_a_ruling_needs_says_so() -> None:
    found = kept(demand())
    del found["recipient"]["capacity"]
    del found["message"]["segments"]
    with pytest.raises(record.RecordError, match="older version"):
        replay({**found, "practice": {}}, NOON.date())
