"""A ruling made again: the facts on record, under the rules of another day or of another state.

Pure, as the gate itself. The facts stay as they were, clock included; only the book of rules is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from billing.policy import core, record
from billing.policy.core import Facts, Rule, Ruling


@dataclass(frozen=True, slots=True)
class Replay:
    """What the rules of ``on`` say; ``came_in`` and ``fell_away`` name the rules that object now, or no longer do."""

    on: date
    region: str | None
    ruling: Ruling
    objections: tuple[Ruling, ...]
    came_in: tuple[str, ...]
    fell_away: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"on": self.on.isoformat(), "region": self.region, "outcome": self.ruling.outcome,
                "rule": self.ruling.rule, "reason": self.ruling.reason,
                "until_at": self.ruling.until_at.isoformat() if self.ruling.until_at else None,
                "objections": [one.rule for one in self.objections], "came_in": list(self.came_in),
                "fell_away": list(self.fell_away)}


def under(facts: Facts, on: date, region: str | None = None) -> Facts:
    """The same facts, to be judged by the rules of ``on``; with ``region`` as if the recipient lived there."""
    recipient = replace(facts.recipient, region=region) if region is not None else facts.recipient
    return replace(facts, rules_on=on, recipient=recipient)


def replay(verdict_facts: dict[str, Any], on: date, region: str | None = None,
           rules: Sequence[Rule] | None = None) -> Replay:
    """Rule again on a verdict's facts by the rules in force on ``on``, or by ``rules`` (a proposed change).

    Raises RecordError when the facts on record are not whole.
    """
    facts = under(record.from_json(verdict_facts), on, region)
    told = verdict_facts.get("objections", ())
    objections = _besides(told) + _by_rules(facts, rules)
    before = {str(one["rule"]) for one in told}
    now = {one.rule for one in objections}
    return Replay(on, facts.recipient.region, core.strictest(objections, "no rule objects"), objections,
                  tuple(sorted(now - before)), tuple(sorted(before - now)))


def _by_rules(facts: Facts, rules: Sequence[Rule] | None) -> tuple[Ruling, ...]:
    asked = core.message_objections if facts.charge is None else core.charge_objections
    return asked(facts, rules)


def _besides(told: Sequence[dict[str, Any]]) -> tuple[Ruling, ...]:
    """Objections of their moment alone: no rules of another day change them."""
    return tuple(Ruling("withhold", one["rule"], one["reason"]) for one in told if one["rule"] in core.OF_THE_MOMENT)
