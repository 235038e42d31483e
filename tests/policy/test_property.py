"""For any facts at all: nothing leaves that a naive second writing of the rules forbids."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.hold_kinds import KINDS
from billing.own_hours import OwnHours
from billing.policy import record
from billing.policy.core import (
    DEMANDS,
    PURPOSES,
    Facts,
    HoldFact,
    MessageFacts,
    RecipientFacts,
    Zone,
    decide,
    message_objections,
)
from tests.policy import naive
from tests.policy.examples import EXAMPLES, NOON, answer, demand, practice

ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
         "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam"]

ages = st.none() | st.sampled_from([1, 299, 300, 301, 900, 901, 3_600, 3_601, 86_400, 604_800, 604_801]).map(
    lambda s: timedelta(seconds=s))
instants = st.datetimes(datetime(2026, 1, 2), datetime(2027, 12, 20)).map(
    lambda at: at.replace(tzinfo=UTC, second=0, microsecond=0))
# Half of all moments are Tuesdays and Sundays at noon: at random hours nearly everything waits.
moments = instants | st.sampled_from([NOON, NOON + timedelta(days=5, hours=2)])
flag = st.booleans()
maybe_id = st.sampled_from([None, 7])
zones = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(
    lambda names: tuple(Zone(name, "address") for name in names))
holds = st.builds(HoldFact, st.sampled_from(sorted(KINDS)), st.sampled_from([None, "visit_1", "visit_2", "visit_9"]))
own = st.sampled_from([None, OwnHours((("18:00", "24:00"),)), OwnHours(days=(0, 1, 2, 3, 4)),
                       OwnHours((("00:00", "09:30"), ("17:00", "24:00")), (1, 5, 6)), OwnHours((("21:00", "23:00"),))])
TWO_VISITS = (("visit_1", 5_000), ("visit_2", 7_000))

#: What may be different from facts that nothing stops, by part and field.
CHANGES: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("message", "privacy"): st.sampled_from(["open", "amounts"]), ("message", "segments"): st.integers(1, 12),
    ("message", "inbound_age"): ages, ("message", "carrier_answered"): flag, ("message", "links"): st.integers(0, 1),
    ("message", "amount_minor"): st.sampled_from([None, 12_000, 5_000]),
    ("message", "balance_version"): st.sampled_from([None, 4, 3]), ("message", "introduces"): flag,
    ("message", "shorteners"): st.sampled_from([(), ("bit.ly",)]), ("message", "card_number"): flag,
    ("message", "identifiers"): st.sampled_from([(), ("account number",)]),
    ("recipient", "confirmed"): flag, ("recipient", "region"): st.sampled_from([None, "NY", "TX", "FL"]),
    ("recipient", "zones"): zones, ("recipient", "opted_out"): flag, ("recipient", "consent_event_id"): maybe_id,
    ("recipient", "consent_complete"): flag, ("recipient", "detail_event_id"): maybe_id,
    ("recipient", "contact_status"): st.sampled_from(["ok", "wrong_number", "unreachable"]),
    ("recipient", "verified"): flag, ("recipient", "verified_idle"): ages, ("recipient", "locked"): flag,
    ("recipient", "confirmations"): st.integers(0, 1), ("recipient", "introduced"): flag,
    ("recipient", "paid_age"): ages, ("recipient", "own_hours"): own, ("recipient", "confidential_id"): maybe_id,
    ("recipient", "way"): st.sampled_from(["text", "paper", "call"]), ("recipient", "way_only"): flag,
    ("account", "due_now_minor"): st.sampled_from([12_000, 5_000, 0]),
    ("account", "balance_version"): st.integers(3, 5),
    ("account", "due_visits"): st.sampled_from([(("visit_1", 12_000),), TWO_VISITS]),
    ("account", "pending_visits"): st.sampled_from([(), ("visit_1",), ("visit_2",), ("visit_9",)]),
    ("account", "confidential_visits"): st.sampled_from([(), ("visit_1",), ("visit_2",), ("visit_9",)]),
    ("account", "credit_minor"): st.sampled_from([0, 100]), ("account", "negative_pending"): flag,
    ("account", "unfinished_import"): flag, ("account", "stale"): flag, ("account", "payment_in_flight"): flag,
    ("account", "language_met"): flag, ("account", "holds"): holds.map(lambda hold: (hold,)),
}
practices = st.sampled_from([practice()] * 5 + [practice(sending="shadow"), replace(practice(), configured=False)])


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Facts that nothing stops, of any purpose, with up to three things changed."""
    now, purpose = draw(moments), draw(st.sampled_from(sorted(PURPOSES) + sorted(DEMANDS) * 3))
    made = demand(now=now, message={"purpose": purpose}) if purpose in DEMANDS else answer(
        purpose, now=now, recipient={"verified": True, "verified_idle": timedelta(minutes=1)})
    for part, field in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3, unique=True)):
        changed = replace(getattr(made, part), **{field: draw(CHANGES[part, field])})
        made = replace(made, **{part: changed})
    sent = draw(st.lists(st.integers(0, 30), max_size=4))
    recipient = replace(made.recipient, demands_at=tuple(now - timedelta(hours=h) for h in sent))
    return replace(made, practice=draw(practices), recipient=recipient)


common = settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@common
@given(facts())
def test_nothing_leaves_that_the_naive_rules_forbid(f: Facts) -> None:
    if decide(f).outcome == "send":
        assert naive.forbids(f) == ""


@common
@given(facts())
def test_what_waits_waits_for_a_moment_that_is_legal_and_still_to_come(f: Facts) -> None:
    ruling = decide(f)
    if ruling.outcome == "defer" and ruling.rule == "T-08":
        assert ruling.until_at is not None and ruling.until_at > f.now
        assert not naive.quiet(ruling.until_at, list(f.recipient.zone_names), f.recipient.region)


@common
@given(facts())
def test_t_21_what_waits_for_the_patient_s_own_hours_waits_for_a_legal_moment_inside_them(f: Facts) -> None:
    own_hours = f.recipient.own_hours
    found = next((o for o in message_objections(f) if o.rule == "T-21"), None)
    if found is not None and found.until_at is not None and own_hours is not None:
        assert found.until_at > f.now
        assert not naive.quiet(found.until_at, list(f.recipient.zone_names), f.recipient.region)
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
        assert naive.quiet(step, list(f.recipient.zone_names), region)
        step += timedelta(minutes=15)


@settings(max_examples=60, deadline=None)
@given(facts())
def test_facts_on_record_are_plain_json_without_a_body(f: Facts) -> None:
    kept = record.as_json(f, message_objections(f))
    assert json.loads(json.dumps(kept)) == kept
    assert "body" not in kept["message"]


def test_the_naive_rules_forbid_what_the_examples_of_the_rules_show() -> None:
    """Otherwise the property above could pass with both writings blind to the same thing."""
    not_written_twice = {"T-07", "T-12"}
    assert {name for name, facts in EXAMPLES.items() if not naive.forbids(facts)} == not_written_twice
