"""For any facts at all: nothing leaves that a naive second writing of the rules forbids, and the other way round."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.policy import record
from billing.policy.core import Facts, MessageFacts, RecipientFacts, Zone, decide, message_objections
from billing.policy.register import RULES
from tests.policy import naive
from tests.policy.examples import EXAMPLES, OVERLAPPING, demand, practice
from tests.policy.random_facts import PLACES, crowd, make


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    return make(lambda choices: draw(st.sampled_from(choices)))


instants = st.datetimes(datetime(2026, 1, 2), datetime(2027, 12, 20)).map(
    lambda at: at.replace(tzinfo=UTC, second=0, microsecond=0))
zones = st.sampled_from(PLACES)
common = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@common
@given(facts())
def test_a_message_leaves_exactly_when_no_naive_rule_forbids_it(f: Facts) -> None:
    assert (decide(f).outcome == "send") == (naive.forbids(f) == "")


@common
@given(facts())
def test_the_rules_that_object_are_the_naive_ones_by_name(f: Facts) -> None:
    assert {one.rule for one in message_objections(f)} == naive.objections(f)


def test_every_rule_about_messages_is_written_twice() -> None:
    assert {rule.id for rule in RULES if rule.judge} == set(naive.RULES)


@lru_cache(maxsize=1)
def judged() -> list[tuple[Facts, frozenset[str]]]:
    """A crowd of random facts, and each rule's own example, with the rules that object to each."""
    everybody = [*crowd(9_000), *EXAMPLES.values()]
    return [(f, frozenset(one.rule for one in message_objections(f))) for f in everybody]


def test_the_crowd_has_messages_that_leave_and_agrees_with_the_naive_rules() -> None:
    assert sum(1 for _, objecting in judged() if not objecting) > 600
    assert [(f, objecting) for f, objecting in judged() if objecting != naive.objections(f)] == []


@pytest.mark.parametrize("rule_id", sorted(set(naive.RULES) - set(OVERLAPPING)))
def test_a_rule_turned_to_allow_lets_out_what_the_naive_rules_forbid(rule_id: str) -> None:
    mutated = [replace(rule, judge=None) if rule.id == rule_id else rule for rule in RULES]
    let_out = next((f for f, objecting in judged() if objecting == {rule_id}), None)
    assert let_out is not None, f"no message is stopped by {rule_id} alone"
    assert decide(let_out, mutated).outcome == "send" and naive.forbids(let_out) == rule_id


@pytest.mark.parametrize("rule_id", sorted(OVERLAPPING))
def test_an_overlapping_rule_turned_to_allow_is_missed_by_name(rule_id: str) -> None:
    mutated = [replace(rule, judge=None) if rule.id == rule_id else rule for rule in RULES]
    noticed = next(f for f, objecting in judged() if rule_id in objecting)
    assert {one.rule for one in message_objections(noticed, mutated)} != naive.objections(noticed)


@common
@given(facts())
def test_what_waits_waits_for_a_moment_that_is_legal_and_still_to_come(f: Facts) -> None:
    ruling = decide(f)
    if ruling.outcome == "defer" and ruling.rule in ("T-08", "T-16", "household-frequency", "between-demands"):
        assert ruling.until_at is not None and ruling.until_at > f.now
        assert f.message.channel == "paper" or not naive.quiet(f, ruling.until_at, naive.zones(f))


@common
@given(facts())
def test_what_was_deferred_leaves_at_its_moment_or_is_told_another_later_one(f: Facts) -> None:
    """Nothing is deferred to where it stands: the same rule does not object again at the moment that it named."""
    ruling = decide(f)
    if ruling.outcome == "defer" and ruling.until_at is not None and ruling.rule in (
            "T-08", "T-16", "T-28", "T-21:outer", "household-frequency", "between-demands"):
        then = replace(f, now=ruling.until_at)
        assert ruling.rule not in {one.rule for one in message_objections(then)}


@common
@given(facts())
def test_t_21_what_waits_for_the_patient_s_own_hours_waits_for_a_legal_moment_inside_them(f: Facts) -> None:
    own_hours = f.recipient.own_hours
    found = next((o for o in message_objections(f) if o.rule == "T-21"), None)
    if found is not None and found.until_at is not None and own_hours is not None:
        assert found.until_at > f.now
        assert not naive.quiet(f, found.until_at, naive.zones(f))
        for zone in f.recipient.zone_names:
            local = found.until_at.astimezone(ZoneInfo(zone))
            assert local.weekday() in own_hours.days
            assert any(a <= local.strftime("%H:%M") < b for a, b in own_hours.spans)


@settings(max_examples=60, deadline=None)
@given(instants, zones, st.sampled_from([None, "FL", "TX"]))
def test_no_earlier_legal_moment_is_passed_over(now: datetime, places: tuple[Zone, ...], region: str | None) -> None:
    f = Facts(now, "sending", practice(), MessageFacts("reminder"), RecipientFacts(region=region, zones=places))
    until = next((o.until_at for o in message_objections(f) if o.rule == "T-08"), None) or now
    step = now
    while step < until:
        assert naive.quiet(f, step, list(f.recipient.zone_names))
        step += timedelta(minutes=15)


@settings(max_examples=60, deadline=None)
@given(facts())
def test_facts_on_record_are_plain_json_without_a_body(f: Facts) -> None:
    kept: dict[str, Any] = record.as_json(f, message_objections(f))
    assert json.loads(json.dumps(kept)) == kept
    assert "body" not in kept["message"]


def test_the_naive_rules_forbid_what_the_examples_of_the_rules_show() -> None:
    """Otherwise the property above could pass with both writings blind to the same thing."""
    assert [name for name, facts in EXAMPLES.items() if name not in naive.objections(facts)] == []
    assert naive.forbids(demand()) == ""
