"""The same campaign under another date, another state's rules or another policy, without sending: which of its messages
would become unlawful, which lawful.

The facts are those of today, fetched as the preview fetches them; only what the change is about is put in their place,
and the same gate rules on both. Pure, but for the facts that it is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from billing.policy import core
from billing.policy.core import Facts, MessageFacts, RecipientFacts, Rule, Ruling
from billing.policy.register import RULES
from config.practice import PracticePolicy

T = TypeVar("T", MessageFacts, RecipientFacts)

#: What a message is before and after: unlawful (the gate withholds it), late (it waits), lawful.
CLASSES = {"withhold": "unlawful", "defer": "late", "send": "lawful"}


@dataclass(frozen=True, slots=True)
class Change:
    """What is different. ``at``: the moment of sending; ``on``: the day whose rules are asked, the moment staying as it
    is. ``region``: everybody lives in that state. ``without``: rules that are taken away.
    """

    at: datetime | None = None
    on: date | None = None
    region: str | None = None
    policy: PracticePolicy | None = None
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.at, self.on, self.region, self.policy, self.without))


@dataclass(frozen=True, slots=True)
class Shift:
    """Accounts that go the same way. ``rule`` is the one that decides after the change, or decided before it where
    nothing objects any more.
    """

    before: str
    after: str
    rule: str


@dataclass(slots=True)
class Simulation:
    """``accounts`` by shift, in account order; ``unreached`` have no way by which they could be told."""

    asked: int = 0
    accounts: dict[Shift, list[str]] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)

    def add(self, guarantor_id: str, before: Ruling, after: Ruling) -> None:
        self.asked += 1
        rule = after.rule if not after.sends else before.rule
        shift = Shift(CLASSES[before.outcome], CLASSES[after.outcome], rule)
        self.accounts.setdefault(shift, []).append(guarantor_id)

    def shifts(self) -> list[Shift]:
        """What changes first, the most accounts first; then what stays."""
        return sorted(self.accounts, key=lambda s: (s.before == s.after, -len(self.accounts[s]), s.after, s.rule))

    def to_json(self) -> dict[str, Any]:
        return {
            "accounts": self.asked + len(self.unreached), "unreached": len(self.unreached),
            "become_unlawful": self._count(lambda s: s.after == "unlawful" != s.before),
            "become_lawful": self._count(lambda s: s.before == "unlawful" != s.after),
            "become_late": self._count(lambda s: (s.before, s.after) == ("lawful", "late")),
            "unchanged": self._count(lambda s: s.before == s.after),
            "shifts": [{"before": s.before, "after": s.after, "rule": s.rule, "accounts": len(self.accounts[s])}
                       for s in self.shifts()]}

    def _count(self, fits: Callable[[Shift], bool]) -> int:
        return sum(len(ids) for shift, ids in self.accounts.items() if fits(shift))


def simulate(facts: Iterable[tuple[str, Facts | None]], change: Change) -> Simulation:
    """Rule on every account twice; without facts an account is unreached."""
    found, rules = Simulation(), rules_under(change)
    for guarantor_id, known in facts:
        if known is None:
            found.unreached.append(guarantor_id)
        else:
            found.add(guarantor_id, core.decide(known), core.decide(altered(known, change), rules))
    return found


def rules_under(change: Change) -> Sequence[Rule]:
    return [rule for rule in RULES if rule.id not in change.without]


def altered(facts: Facts, change: Change) -> Facts:
    """The facts with the change in them. Another moment makes every age that much older."""
    if change.policy is not None:
        facts = dataclasses.replace(facts, practice=dataclasses.replace(facts.practice, policy=change.policy))
    if change.region is not None:
        facts = dataclasses.replace(facts, recipient=dataclasses.replace(facts.recipient, region=change.region))
    if change.on is not None:
        facts = dataclasses.replace(facts, rules_on=change.on)
    if change.at is not None:
        passed = change.at - facts.now
        facts = dataclasses.replace(facts, now=change.at, message=_older(facts.message, passed),
                                    recipient=_older(facts.recipient, passed))
    return facts


def _older(part: T, passed: timedelta) -> T:
    """Every length of time that is known of it has gone on; what had room at a moment is not known at another."""
    ages: dict[str, Any] = {one.name: value + passed for one in dataclasses.fields(part)
            if isinstance(value := getattr(part, one.name), timedelta)}
    if isinstance(part, MessageFacts):
        ages["room_at"] = None  # carriers' caps of another day are empty
    return dataclasses.replace(part, **ages)
