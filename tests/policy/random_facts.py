"""Random facts: those of a message that nothing stops, with a few things changed; for hypothesis, or a fixed crowd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from billing.hold_kinds import KINDS
from billing.own_hours import OwnHours
from billing.policy.core import DEMANDS, PURPOSES, Facts, HoldFact, Zone
from tests.conftest import maple_clinic
from tests.policy.examples import NOON, answer, demand, practice

Choose = Callable[[Sequence[Any]], Any]

ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
         "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam")
AGES = (None, *(timedelta(seconds=s) for s in (1, 299, 300, 301, 900, 901, 3_600, 3_601, 86_400, 604_800, 604_801)))
FLAG = (False, True)
MAYBE_ID = (None, 7)
OWN = (None, OwnHours((("18:00", "24:00"),)), OwnHours(days=(0, 1, 2, 3, 4)),
       OwnHours((("00:00", "09:30"), ("17:00", "24:00")), (1, 5, 6)), OwnHours((("21:00", "23:00"),)))
VISITS = ((), ("visit_1",), ("visit_2",), ("visit_9",))
HOLDS = tuple((HoldFact(kind, visit),) for kind in sorted(KINDS) for visit in (None, "visit_1", "visit_9"))
PLACES = tuple(tuple(Zone(name, "address") for name in names) for names in (
    *((zone,) for zone in ZONES), ("America/New_York", "Pacific/Honolulu"), ("America/Chicago", "America/Denver"),
    ("Pacific/Guam", "America/New_York")))

#: What may be different from facts that nothing stops, by part and field.
CHANGES: dict[tuple[str, str], Sequence[Any]] = {
    ("message", "privacy"): ("open", "amounts"), ("message", "segments"): tuple(range(1, 13)),
    ("message", "inbound_age"): AGES, ("message", "carrier_answered"): FLAG, ("message", "links"): (0, 1),
    ("message", "amount_minor"): (None, 12_000, 5_000), ("message", "balance_version"): (None, 4, 3),
    ("message", "introduces"): FLAG, ("message", "shorteners"): ((), ("bit.ly",)), ("message", "card_number"): FLAG,
    ("message", "identifiers"): ((), ("account number",), ("visit id",)), ("message", "internal"): FLAG,
    ("message", "campaign"): ("", "sending", "done", "paused", "stopped", "draft"),
    ("message", "says_opt_out"): FLAG, ("message", "says_collector"): FLAG, ("message", "says_attempt"): FLAG,
    ("message", "validates"): FLAG, ("message", "says_no_replies"): FLAG,
    ("message", "bad_words"): (("lawsuit",), ("credit report",), ("debt relief",)),
    ("recipient", "confirmed"): FLAG, ("recipient", "region"): (None, "NY", "TX", "FL", "OR"),
    ("recipient", "zones"): PLACES, ("recipient", "opted_out"): FLAG, ("recipient", "consent_event_id"): MAYBE_ID,
    ("recipient", "consent_complete"): FLAG, ("recipient", "detail_event_id"): MAYBE_ID,
    ("recipient", "contact_status"): ("ok", "wrong_number", "unreachable"), ("recipient", "verified"): FLAG,
    ("recipient", "verified_idle"): AGES, ("recipient", "locked"): FLAG, ("recipient", "confirmations"): (0, 1),
    ("recipient", "introduced"): FLAG, ("recipient", "paid_age"): AGES, ("recipient", "own_hours"): OWN,
    ("recipient", "confidential_id"): MAYBE_ID, ("recipient", "way"): ("text", "paper", "call", "email"),
    ("recipient", "way_only"): FLAG, ("recipient", "at_work"): FLAG, ("recipient", "contacted"): FLAG,
    ("recipient", "pilot"): FLAG, ("recipient", "capacity"): ("creditor", "collector"),
    ("account", "due_now_minor"): (12_000, 5_000, 0), ("account", "pending_minor"): (0, 900),
    ("account", "on_plan_minor"): (0, 900), ("account", "balance_version"): (3, 4, 5),
    ("account", "due_visits"): ((("visit_1", 12_000),), (("visit_1", 5_000), ("visit_2", 7_000))),
    ("account", "pending_visits"): VISITS, ("account", "confidential_visits"): VISITS,
    ("account", "credit_minor"): (0, 100), ("account", "negative_pending"): FLAG,
    ("account", "unfinished_import"): FLAG, ("account", "stale"): FLAG, ("account", "payment_in_flight"): FLAG,
    ("account", "language_met"): FLAG, ("account", "holds"): HOLDS,
}

#: Several things that only together come under a rule.
TWISTS: tuple[dict[tuple[str, str], Sequence[Any]], ...] = (
    {("message", "privacy"): ("amounts",), ("recipient", "verified"): FLAG, ("recipient", "verified_idle"): AGES,
     ("recipient", "locked"): FLAG, ("recipient", "detail_event_id"): (None, 7, 7)},
    {("recipient", "way"): ("text", "paper", "call", "email"), ("recipient", "way_only"): (True,)},
    {("account", "due_now_minor"): (0,), ("account", "due_visits"): ((),), ("account", "on_plan_minor"): (0, 900),
     ("account", "pending_minor"): (0, 900), ("message", "amount_minor"): (0, 12_000)},
    {("account", "holds"): HOLDS},
    {("message", "purpose"): ("receipt", "notice"), ("message", "channel"): ("email", "paper"),
     ("message", "inbound_age"): (None,), ("message", "privacy"): ("open",), ("message", "amount_minor"): (None,),
     ("recipient", "paid_age"): AGES, ("account", "holds"): ((HoldFact("attorney"),), (HoldFact("cease"),), ())},
)

_RISK = {"accepted_by": "M. Lopez, manager", "accepted_on": "2026-01-01", "wording_version": "2026-11",
         "detail_allowed": True}
_WIDE = {day: {"opens": "06:00", "closes": "23:00"} for day in ("weekday", "saturday", "sunday")}
_PLAIN: dict[str, Any] = {"baa_signed": ["twilio", "email"], "telegram": _RISK}
_OTHERS: tuple[dict[str, Any], ...] = (
    {"sending": "restored"}, {"sending": "shadow"}, {"sending": "pilot"}, {"telegram": None},
    {"telegram": {**_RISK, "detail_allowed": False}},
    {"baa_signed": []}, {"text_window": {**_WIDE, "federal_holidays": True, "per_24_hours": 10}},
    {"text_window": {**_WIDE, "sunday": {}}}, {"frequency": {"per_7_days": 5, "between_demands_days": 0}},
    {"frequency": {"per_7_days": 7}, "collections": {"states": ["NYC"]}})
POLICIES = (*(maple_clinic(**_PLAIN) for _ in range(6)), *(maple_clinic(**{**_PLAIN, **other}) for other in _OTHERS))

_PRACTICE = practice()
_NAMES = sorted(CHANGES)
_PURPOSES = sorted(PURPOSES) + sorted(DEMANDS) * 4
_VENDORS = {"sms": "twilio", "telegram": "telegram", "email": "email"}
_START = datetime(2026, 1, 2, tzinfo=UTC)
_HALF_HOURS = 2 * 24 * 716
_AT_NOON = (NOON, NOON + timedelta(days=5, hours=2))


def make(choose: Choose) -> Facts:
    """Facts of any purpose and channel, with up to three things changed; ``choose`` picks one of a sequence."""
    random_hour = _START + choose(range(_HALF_HOURS)) * timedelta(minutes=30)
    now = choose((*_AT_NOON, random_hour))  # at random hours nearly everything waits
    made = _started(choose, now)
    for _ in range(choose((0, 1, 1, 1, 2, 3))):
        name = choose(_NAMES)
        made = _changed(made, name, choose(CHANGES[name]))
    if choose((False, True)):
        for name, values in choose(TWISTS).items():
            made = _changed(made, name, choose(values))
    return _with_times(choose, made, now)


def _changed(made: Facts, name: tuple[str, str], value: Any) -> Facts:
    part, field = name
    return replace(made, **{part: replace(getattr(made, part), **{field: value})})


def _started(choose: Choose, now: datetime) -> Facts:
    purpose = choose(_PURPOSES)
    channel = choose(("sms", "sms", "sms", "telegram", "console", "email", "paper"))
    words = {"purpose": purpose, "channel": channel, "says_opt_out": channel == "email"}
    recipient: dict[str, Any] = {}
    if choose((False, False, True)):
        words |= {"says_collector": True, "says_attempt": True, "says_opt_out": True}
        recipient = {"capacity": "collector", "contacted": True, "validated_at": now - timedelta(days=90)}
    made = demand(now=now, message=words, recipient=recipient) if purpose in DEMANDS else answer(
        purpose, now=now, message={**words, "inbound_age": choose((None, timedelta(seconds=2)))},
        recipient={**recipient, "verified": True, "verified_idle": timedelta(minutes=1)})
    facts = replace(_PRACTICE, policy=choose(POLICIES), vendor=_VENDORS.get(channel, ""),
                    configured=choose((True,) * 19 + (False,)), takes_replies=choose((True,) * 9 + (False,)))
    return replace(made, practice=facts)


def _with_times(choose: Choose, made: Facts, now: datetime) -> Facts:
    """What left lately, and when the carrier has room."""
    recipient = made.recipient
    if choose((False, False, True)):
        recipient = replace(
            recipient,
            demands_at=tuple(now - timedelta(hours=choose(range(31))) for _ in range(choose(range(5)))),
            household_at=tuple(now - timedelta(hours=choose(range(200))) for _ in range(choose(range(7)))),
            demanded_at=choose((None, *(now - timedelta(hours=12 * n) for n in range(14)))))
    if recipient.capacity == "collector" and choose((False, False, True)):
        recipient = replace(recipient, validated_at=choose((None, *(now - timedelta(days=n) for n in (1, 34, 35, 36)))))
    room_at = choose((None,) * 9 + (now + timedelta(minutes=1), now + timedelta(hours=9), now))
    return replace(made, recipient=recipient, message=replace(made.message, room_at=room_at))


def crowd(number: int) -> list[Facts]:
    """Always the same random facts."""
    rng = Random(20_261_103)
    return [make(rng.choice) for _ in range(number)]
