"""The register as a whole: every rule counts, every rule has its source, the strictest answer wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from billing.hold_kinds import KINDS
from billing.policy.core import Facts, Finding, Rule, decide, may_charge, message_objections
from billing.policy.register import RULES, as_markdown, rule_by_id
from tests.policy.examples import CHARGE_EXAMPLES, EXAMPLES, NIGHT, NOON, OVERLAPPING, answer, charge, demand


def without(rule_id: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.id != rule_id)


def test_facts_that_no_rule_objects_to_are_sent_under_the_name_allowed() -> None:
    assert decide(demand()).rule == "allowed"
    assert decide(answer()).outcome == "send"
    assert may_charge(charge()).outcome == "send"


def test_every_rule_with_a_function_has_an_example_of_its_own() -> None:
    assert {rule.id for rule in RULES if rule.judge} == set(EXAMPLES) | set(OVERLAPPING)
    assert {rule.id for rule in RULES if rule.charge} == set(CHARGE_EXAMPLES)


@pytest.mark.parametrize("rule_id", sorted(EXAMPLES))
def test_a_message_that_a_rule_stops_would_leave_without_that_rule(rule_id: str) -> None:
    ruling = decide(EXAMPLES[rule_id])
    assert ruling.rule == rule_id
    assert ruling.outcome in ("withhold", "defer")
    assert decide(EXAMPLES[rule_id], without(rule_id)).outcome == "send"


@pytest.mark.parametrize("rule_id", sorted(OVERLAPPING))
def test_a_rule_that_overlaps_names_the_reason_more_exactly(rule_id: str) -> None:
    facts, next_rule = OVERLAPPING[rule_id]
    assert decide(facts).rule == rule_id
    assert decide(facts, without(rule_id)).rule == next_rule


@pytest.mark.parametrize("rule_id", sorted(CHARGE_EXAMPLES))
def test_a_charge_that_a_rule_stops_would_be_taken_without_that_rule(rule_id: str) -> None:
    assert may_charge(CHARGE_EXAMPLES[rule_id]).rule == rule_id
    assert may_charge(CHARGE_EXAMPLES[rule_id], without(rule_id)).outcome == "send"


def test_rule_ids_are_unique_and_can_be_looked_up() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    found = rule_by_id("T-08")
    assert found is not None and "47 CFR 64.1200" in found.citation
    assert rule_by_id("T-00") is None


def test_every_rule_is_a_row_of_the_documentation() -> None:
    assert [rule.id for rule in RULES if f"| {rule.id} |" not in as_markdown()] == []


def test_every_kind_of_hold_that_stops_something_is_a_rule() -> None:
    stopping = {kind.name for kind in KINDS.values() if kind.stops_demand or kind.stops_charge} - {"qmb"}
    assert {f"hold:{name}" for name in stopping} <= {rule.id for rule in RULES}


def _rule(name: str, outcome: Any, hours: int = 0, **more: Any) -> Rule:
    until = NOON + timedelta(hours=hours) if outcome == "defer" else None
    finding = Finding(outcome, name, until)
    return Rule(name, name, "test", "own", lambda facts: finding, **more)


def test_withholding_wins_over_deferring_whatever_the_order() -> None:
    rules = [_rule("late", "defer", 5), _rule("no", "withhold"), _rule("never", "withhold")]
    assert decide(demand(), rules).rule == "no"
    assert decide(demand(), rules[::-1]).rule == "never"


def test_of_two_deferrals_the_later_moment_counts() -> None:
    rules = [_rule("five", "defer", 5), _rule("nine", "defer", 9), _rule("also nine", "defer", 9)]
    ruling = decide(demand(), rules)
    assert (ruling.rule, ruling.until_at) == ("nine", NOON + timedelta(hours=9))


def test_a_rule_holds_only_between_its_dates() -> None:
    ended = _rule("old", "withhold", until=date(2026, 11, 2))
    coming = _rule("new", "withhold", since=date(2026, 11, 4))
    assert decide(demand(), [ended, coming]).outcome == "send"
    assert decide(demand(now=NIGHT), [ended, coming]).rule == "new"


def test_a_state_s_rule_holds_only_for_people_of_that_state() -> None:
    texan = _rule("texas", "withhold", jurisdictions=("TX",))
    assert decide(demand(), [texan]).outcome == "send"
    assert decide(demand(recipient={"region": "TX"}), [texan]).rule == "texas"


def test_all_objections_are_kept_not_only_the_one_that_decides() -> None:
    facts = demand(now=NIGHT, recipient={"opted_out": True}, account={"stale": True})
    assert [o.rule for o in message_objections(facts)] == ["T-03", "stale-ledger", "T-08"]


def test_asking_about_a_charge_without_one_is_an_error() -> None:
    facts: Facts = replace(demand(), charge=None)
    with pytest.raises(ValueError, match="charge"):
        may_charge(facts)
