"""Accounts that are alike before the gate: one of them is judged, and its ruling is the others' as well.

In a practice thousands of accounts differ in nothing but who they are and how many cents they owe, and no rule of the
gate looks at either: an id is there or it is not, an amount is above zero or it is not. ``likeness`` names all that the
rules do look at; it is None for an account about which there is anything out of the ordinary (a hold, a plan, a wish, a
message in the last week), and that one is always judged by itself. tests/campaigns/test_alike.py holds both halves of
this to account: facts of equal likeness differ in nothing else, and what they differ in moves no ruling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from billing import gate_set_facts
from billing.gate_set_sheet import Sheet
from billing.gate_set_words import Named, carrier_at
from billing.phones import line_of
from billing.policy.household import rests_until
from billing.ways import Choice
from billing.zones import zones_of_phone
from config.practice import PracticePolicy

Likeness = tuple[Any, ...]

MOST = 100_000
"""Kinds of accounts remembered at a time; a practice has some hundreds."""


@dataclass(eq=False, slots=True)
class Fate:
    """What becomes of accounts that are alike: a ruling, and where its message goes."""

    outcome: str
    rule: str
    way: str = ""
    language: str = ""
    segments: int = 0
    lane: tuple[tuple[str, ...], str | None, str, str] | None = None


@dataclass(slots=True)
class Known:
    """Fates by likeness, from set to set of one preview."""

    fates: dict[Likeness, Fate] = field(default_factory=dict)
    policy: PracticePolicy | None = None
    named: Named = field(default_factory=dict)

    def under(self, policy: PracticePolicy) -> Known:
        """Itself; empty again when the practice's policy is another than before."""
        if self.policy is not policy:
            self.fates.clear()
            self.policy = policy
        return self

    def keep(self, likeness: Likeness, fate: Fate) -> Fate:
        if len(self.fates) >= MOST:
            self.fates.clear()
        self.fates[likeness] = fate
        return fate


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Which accounts of a sheet have nothing about them that is judged by itself, and what they share."""

    sheet: Sheet
    odd: frozenset[str]
    rested_since: datetime  # who was last asked before this moment rests no longer


def apart(sheet: Sheet) -> set[str]:
    """Accounts whose money is divided by more than their visits' balances: by holds, plans or an import at work."""
    found = set(sheet.holds)
    if sheet.plans or sheet.unfinished:
        divided = sheet.plans.keys() | sheet.unfinished
        found.update([id_ for id_, visits in sheet.visits.items() for one in visits if one[0] in divided])
    return found


def ordinary(sheet: Sheet, wished: Iterable[str]) -> Ordinary:
    """Look a sheet through that covers every address of its accounts. ``wished``: whose wishes are on record."""
    wishing = {id_ for (_, hashed), events in sheet.preferences.items() if events
               for id_, _ in sheet.at.get(hashed, ())}
    pilots = sheet.people if sheet.external else ()
    rests = timedelta(days=sheet.policy.frequency.between_demands_days + 2)
    return Ordinary(sheet, frozenset().union(
        apart(sheet), sheet.collectors, wishing, wished, pilots, _near_messages(sheet)), sheet.now - rests)


def _near_messages(sheet: Sheet) -> set[str]:
    """Accounts to whose household something has left in the last week: who shares an address with who has it."""
    told = [hashes for hashes in sheet.nearby.values() if any(sheet.left.get(one) for one in hashes)]
    found = {id_ for hashes in told for one in hashes for id_, _ in sheet.at.get(one, ())}
    for hashed, left in sheet.left.items():
        if not left:
            continue
        for id_, _ in sheet.at.get(hashed, ()):
            points = sheet.points.get(id_)
            own = [point.hashed for point in points] if points is not None else sheet.nearby.get(id_, ())
            found.update(other for one in own for other, _ in sheet.at.get(one, ()))
    return found


def money(visits: Iterable[Any]) -> tuple[int, tuple[int, ...]]:
    """What is due of visits that have neither hold nor plan, in cents, and all that the rules ask about them: of each
    whether it is above, at or below zero, pending, confidential.
    """
    due, marks = 0, []
    for _, confidential, minor, pending, *_ in visits:
        if not pending:
            due += minor  # as figures.split divides it where nothing holds it and no plan spreads it
        marks.append((minor > 0) - (minor < 0) + (3 if pending else 0) + (6 if confidential else 0))
    return due, tuple(marks)


def likeness(of: Ordinary, id_: str, choice: Choice, words: tuple[str, str, bool], due_minor: int,
             room_at: datetime | None) -> Likeness | None:
    """Everything about an account and the message to it that a rule looks at; None: it is judged by itself.

    ``words``: which of an order's it would be sent, and they hold no number of this account.
    """
    sheet = of.sheet
    person, line = sheet.people[id_], line_of(choice.way)
    if id_ in of.odd or sheet.left.get(choice.address_hash) or sheet.preferences[line, choice.address_hash]:
        return None
    status = []
    for point in sheet.points.get(id_, ()):
        if point.hashed == choice.address_hash:
            if point.at_work or point.checked_on is not None:
                return None
            status.append(point.status)
    last = gate_set_facts.demanded_at(sheet, id_) if sheet.said else sheet.demanded.get(id_)
    rests = None if last is None or last < of.rested_since else rests_until(sheet.policy, last, sheet.now)
    paid_at, in_flight = sheet.payments.get(id_, (None, False))
    if paid_at is not None and paid_at > sheet.now - timedelta(days=1):
        return None
    _, marks = money(sheet.visits.get(id_, ()))
    credit = sheet.credits.get(id_, 0)
    return (
        words, room_at, carrier_at(sheet, choice.address_hash),
        person.confirmed, person.language, person.region, person.zone, sheet.states.get(id_),
        zones_of_phone(choice.address) if line == "sms" else (),
        gate_set_facts.stance(sheet, id_, line, choice.address_hash), tuple(status), rests,
        gate_set_facts.heard(sheet, id_, choice.address_hash) if sheet.said else (), paid_at is None, in_flight,
        marks, (due_minor > 0) - (due_minor < 0), (credit > 0) - (credit < 0),
        sheet.stale, sheet.import_runs)


def kind_of_debtor(sheet: Sheet, id_: str, marks: tuple[int, ...]) -> Likeness:
    """All that the rules about an account ask of one that owes nothing now and is not set apart."""
    person, credit = sheet.people[id_], sheet.credits.get(id_, 0)
    return ("nothing due", person.confirmed, person.language, person.region, marks, (credit > 0) - (credit < 0),
            sheet.payments.get(id_, (None, False))[1], sheet.stale, sheet.import_runs)
