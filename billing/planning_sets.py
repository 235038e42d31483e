"""One set of a preview's accounts, judged by the gate that judges when they are sent.

In the order in which a run works an account: nothing due, nobody confirmed, what has to be looked at first, no way,
and then the gate's ruling on the message. Accounts that are alike are judged once (billing/planning_alike.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import account_stops, campaign_foresight, gate_set_facts, gate_set_sheet, planning_alike, planning_ways
from billing.campaign_checks import STATEMENT_FIRST
from billing.gate_set_sheet import Sheet
from billing.gate_set_words import Body, carrier_at
from billing.gate_sets import SET, Candidate, Setting, Words, facts_of, setting_of
from billing.planning_alike import Fate, Known, Ordinary
from billing.policy import core
from billing.policy.core import AccountFacts, RecipientFacts
from billing.store import campaign_queries, gate_set_visit_queries
from billing.store.gate_set_visit_queries import SeenVisit
from billing.store.ledger_queries import chunks
from billing.store.practices import rules_in
from billing.ways import Choice
from config.dunning_policy import Way

NO_WAY = "no-way"

Lane = tuple[tuple[str, ...], str | None, str, str]
"""Zones, region, carrier and way of messages that wait for the same moments."""

WordsKey = tuple[Way, str, bool]
"""Way, language, and whether the recipient knows who writes."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent. ``words`` by (way, language, introduced): as rendered for an example, so that segments,
    links and opt-out words are known; a way without words is not tried. ``minimum_minor``: cents, by way.
    """

    practice_id: str
    purpose: str  # statement, reminder, notice
    ways: tuple[Way, ...]  # sms, telegram, email, paper: tried in this order
    words: Mapping[tuple[str, str, bool], Words]
    campaign_id: str | None = None
    minimum_minor: Mapping[Way, int] = field(default_factory=dict)
    checked: bool = False  # it is a bulk run's: what that looks at before it asks is looked at here


@dataclass(slots=True)
class Part:
    """What some accounts came to. ``groups``: (outcome, rule) to [accounts, cents]; ``members`` their ids."""

    accounts: int = 0
    total_minor: int = 0
    groups: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    members: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    ways: dict[str, int] = field(default_factory=dict)
    languages: dict[str, list[int]] = field(default_factory=dict)  # messages, segments
    lanes: dict[Lane, list[int]] = field(default_factory=dict)  # messages, segments
    segments: int = 0
    first: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by language: (account, way) of a few

    def add(self, other: Part, samples: int) -> None:
        """Add what another part counted; its members are the caller's to keep."""
        self.accounts += other.accounts
        self.total_minor += other.total_minor
        self.segments += other.segments
        for way, count in other.ways.items():
            self.ways[way] = self.ways.get(way, 0) + count
        for mine, theirs in ((self.groups, other.groups), (self.languages, other.languages), (self.lanes, other.lanes)):
            for key, counts in theirs.items():
                _count(mine, key, *counts)
        for language, found in other.first.items():
            self.first[language] = [*self.first.get(language, []), *found][:samples]


@dataclass(slots=True)
class _Tally:
    """The accounts of one fate in a set; ``members`` is the list of its group."""

    members: list[str]
    accounts: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class _Set:
    """What the accounts of a set are judged with. ``due``: cents of those that are asked, ``accounts``: the facts of
    those that have holds, plans or an import at work.
    """

    session: Session
    order: Order
    sheet: Sheet
    setting: Setting
    known: Known
    part: Part
    samples: int
    due: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, AccountFacts] = field(default_factory=dict)
    tallies: dict[Fate, _Tally] = field(default_factory=dict)
    bodies: dict[WordsKey, Body] = field(default_factory=dict)
    rooms: dict[tuple[WordsKey, str], datetime | None] = field(default_factory=dict)


def judge_set(session: Session, order: Order, guarantor_ids: list[str], now: datetime, samples: int = 3,
              known: Known | None = None) -> Part:
    """One set of accounts, judged. An id that is no account of the practice counts nowhere. ``known``: what the sets
    before it have shown.
    """
    policy, configured = rules_in(session, order.practice_id)
    part, known = Part(), (known or Known()).under(policy)
    gate_set_visit_queries.read_by_keys(session)
    for ids in chunks(guarantor_ids, SET):
        sheet = gate_set_sheet.read(session, order.practice_id, policy, ids, now, places=False)
        one = _Set(session, order, sheet, setting_of(session, sheet, configured, known.named), known,
                   part, samples)
        _sort_out(one)
        if order.checked:
            _look_first(one)
        if one.due:
            _judge_asked(one)
        _add_up(one)
    return part


def _sort_out(of: _Set) -> None:
    """Who owes something now and is confirmed is asked; the others are left out here."""
    sheet, order, apart, unstated = of.sheet, of.order, planning_alike.apart(of.sheet), _unstated(of)
    for id_, person in sheet.people.items():
        if id_ in apart:
            of.accounts[id_] = gate_set_facts.account(sheet, id_, person.language)
            due, marks = of.accounts[id_].due_now_minor, None
        else:
            due, marks = planning_alike.money(sheet.visits.get(id_, ()))
        if id_ in unstated:
            _count_in(of, id_, due, _STATEMENT_FIRST)
        elif due <= 0 and order.purpose != "notice":
            _count_in(of, id_, due, _nothing_due(of, id_, marks))
        elif not person.confirmed:
            _count_in(of, id_, due, _UNCONFIRMED)
        else:
            of.due[id_] = due


def _unstated(of: _Set) -> set[str]:
    """Whom a run reminds of nothing: no statement of theirs is known to have arrived."""
    if not of.order.checked or of.order.purpose != "reminder":
        return set()
    people = of.sheet.people
    return people.keys() - set(campaign_queries.with_statement(of.session, list(people)))


_UNCONFIRMED = Fate("none", "guarantor-unconfirmed")
_STATEMENT_FIRST = Fate("none", STATEMENT_FIRST)
_NO_WORDS = Fate("none", "language-unmet")
_NO_WAY = Fate("none", NO_WAY)


def _nothing_due(of: _Set, id_: str, marks: tuple[int, ...] | None) -> Fate:
    kind = None if marks is None else planning_alike.kind_of_debtor(of.sheet, id_, marks)
    fate = of.known.fates.get(kind) if kind is not None else None
    if fate is not None:
        return fate
    person = of.sheet.people[id_]
    account = of.accounts.get(id_) or gate_set_facts.account(of.sheet, id_, person.language)
    ruling = account_stops.why_nothing_due(
        of.sheet.policy, RecipientFacts(id_, confirmed=person.confirmed, region=person.region), account, of.sheet.now)
    fate = Fate("none", ruling.rule)
    return fate if kind is None else of.known.keep(kind, fate)


def _look_first(of: _Set) -> None:
    """What a run's own checks would hold back or leave out (billing/campaign_checks.py), and making its statement."""
    sheet, due = of.sheet, {id_: _due_visits(of, id_) for id_ in of.due}
    found = campaign_foresight.foresee(of.session, sheet, of.order.purpose, due)
    for id_, rule in found.rules.items():
        _count_in(of, id_, of.due.pop(id_), Fate("none", rule))
    for id_, holds in found.holds.items():
        sheet.holds[id_] = [*sheet.holds.get(id_, ()), *holds]
        of.accounts[id_] = gate_set_facts.account(sheet, id_, sheet.people[id_].language)
        of.due[id_] = of.accounts[id_].due_now_minor


def _due_visits(of: _Set, id_: str) -> list[SeenVisit]:
    visits, account = of.sheet.visits.get(id_, []), of.accounts.get(id_)
    if account is None:
        return [one for one in visits if one.patient_minor > 0 and not one.pending]
    return [one for one in visits if one.visit_id in account.due_visit_ids]


def _judge_asked(of: _Set) -> None:
    sheet, order = of.sheet, of.order
    gate_set_sheet.reach(of.session, sheet, of.due)
    tried = [way for way in order.ways if any(key[0] == way for key in order.words)]
    chosen, wished = planning_ways.choose(of.session, sheet, tried, of.due, order.minimum_minor)
    ordinary = planning_alike.ordinary(sheet, wished)
    gate_set_sheet.hear(of.session, sheet, {
        one.address_hash for id_, one in chosen.items() if isinstance(one, Choice) and id_ in ordinary.odd})
    for id_, due in of.due.items():
        choice = chosen[id_]
        if sheet.people[id_].language not in sheet.policy.languages:
            _count_in(of, id_, due, _NO_WORDS)
        else:
            _count_in(of, id_, due, _fate(of, ordinary, id_, choice) if isinstance(choice, Choice) else _NO_WAY)


def _fate(of: _Set, ordinary: Ordinary, id_: str, choice: Choice) -> Fate:
    key, words = _words(of, id_, choice)
    like = None
    if id_ not in ordinary.odd and not _may_name(of, id_, key, choice):
        like = planning_alike.likeness(ordinary, id_, choice, key, of.due[id_], _room_at(of, id_, key, choice))
    fate = of.known.fates.get(like) if like is not None else None
    if fate is None:
        fate = _judge(of, _candidate(of, id_, words, choice), choice)
        if like is not None:
            of.known.keep(like, fate)
    return fate


def _candidate(of: _Set, id_: str, words: Words, choice: Choice) -> Candidate:
    order = of.order
    return Candidate(id_, choice.way, choice.address, choice.address_hash, order.purpose, words,
                     order.purpose != "notice", None, order.campaign_id, order.campaign_id is not None)


def _may_name(of: _Set, id_: str, key: WordsKey, choice: Choice) -> bool:
    """Whether the words hold something that might be a number of this account."""
    body = of.bodies.get(key)
    if body is None:
        body = of.bodies[key] = of.setting.reading.body(_candidate(of, id_, of.order.words[key], choice))
    return body.may_name(of.sheet.people[id_].external_hash, id_, of.sheet.visits.get(id_, ()))


def _room_at(of: _Set, id_: str, key: WordsKey, choice: Choice) -> datetime | None:
    """Of all numbers of one carrier the same."""
    if choice.way != "sms":
        return None
    kind = key, carrier_at(of.sheet, choice.address_hash)
    if kind not in of.rooms:
        asked = _candidate(of, id_, of.order.words[key], choice)
        of.rooms[kind] = of.setting.reading.room_at(asked) if asked.is_capped else None
    return of.rooms[kind]


def _judge(of: _Set, asked: Candidate, choice: Choice) -> Fate:
    sheet, words, id_ = of.sheet, asked.words, asked.guarantor_id
    account = of.accounts.get(id_)
    if account is None or words.language != sheet.people[id_].language:
        account = gate_set_facts.account(sheet, id_, words.language)
    facts = facts_of(of.setting, sheet, asked, account)
    ruling = core.decide(facts)
    if ruling.outcome == "withhold":
        return Fate(ruling.outcome, ruling.rule)
    way = choice.way
    carrier = carrier_at(sheet, choice.address_hash) if way == "sms" else ""
    return Fate(ruling.outcome, ruling.rule, way, words.language, words.segments if way == "sms" else 0,
                (facts.recipient.zone_names, facts.recipient.region, carrier, way))


def _words(of: _Set, id_: str, choice: Choice) -> tuple[WordsKey, Words]:
    """In the account's language, or where there are none in that, in another: the gate says what is wrong with it."""
    order, sheet = of.order, of.sheet
    introduced = choice.way not in ("sms", "telegram") or gate_set_facts.stance(
        sheet, id_, choice.way, choice.address_hash).introduced
    for spoken in (sheet.people[id_].language, *sheet.policy.languages):
        for key in ((choice.way, spoken, introduced), (choice.way, spoken, not introduced)):
            if key in order.words:
                return key, order.words[key]
    raise LookupError(f"there are no words for the way {choice.way}, in any language of the practice")


def _count_in(of: _Set, id_: str, due_minor: int, fate: Fate) -> None:
    tally = of.tallies.get(fate)
    if tally is None:
        tally = of.tallies[fate] = _Tally(of.part.members.setdefault((fate.outcome, fate.rule), []))
    tally.members.append(id_)
    tally.accounts += 1
    tally.minor += due_minor
    if fate.lane is not None and len(of.part.first.get(fate.language, ())) < of.samples:
        of.part.first.setdefault(fate.language, []).append((id_, fate.way))


def _add_up(of: _Set) -> None:
    """What each fate's accounts came to; thousands have one of a few."""
    part = of.part
    for fate, tally in of.tallies.items():
        many = tally.accounts
        part.accounts += many
        part.total_minor += tally.minor
        _count(part.groups, (fate.outcome, fate.rule), many, tally.minor)
        if fate.lane is not None:
            segments = fate.segments * many
            part.ways[fate.way] = part.ways.get(fate.way, 0) + many
            part.segments += segments
            _count(part.languages, fate.language, many, segments)
            _count(part.lanes, fate.lane, many, segments)


def _count(counts: dict[Any, list[int]], key: Any, *more: int) -> None:
    found = counts.get(key)
    if found is None:
        counts[key] = list(more)
        return
    for number, one in enumerate(more):
        found[number] += one
