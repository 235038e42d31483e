"""What a campaign would come to, before anybody presses the button: who is told, who is left out by which rule, what
it costs and when it would be done.

Streams: accounts come as an iterable, are judged in sets by the same gate that judges when they are sent, and only
counts stay in memory; the lists of who is in which group lie in a temporary file that is gone with the preview.
Samples are rendered by a function of the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import gate_set_facts, gate_set_sheet, pacing, planning_ways
from billing.account_facts import find_policy
from billing.carrier_caps import windows
from billing.gate_set_sheet import Sheet
from billing.gate_set_words import carrier_at
from billing.gate_sets import SET, Candidate, Setting, Words, facts_of, setting_of
from billing.planning_lists import Lists
from billing.policy import core
from billing.policy.core import AccountFacts
from billing.store import window_queries
from billing.store.ledger_queries import chunks
from billing.ways import Choice
from config.dunning_policy import Way
from config.practice import PracticePolicy

NO_WAY, NOTHING_DUE = "no-way", "nothing-due"

Progress = Callable[[int], None]
Render = Callable[[str, str], str]
Spread = Callable[[Iterable[list[str]]], Iterable["Part"]]
Lane = tuple[tuple[str, ...], str | None, str, str]
"""Zones, region, carrier and way of messages that wait for the same moments."""


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


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts with one fate: ``outcome`` send, defer, withhold or none (no way to reach them), by ``rule``."""

    outcome: str
    rule: str
    accounts: int
    minor: int  # cents due on them now


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """The messages to one time zone; "A + B" where a recipient may be in either, and each has to be legal in both."""

    zone: str
    texts: int
    segments: int
    starts_at: datetime | None
    finishes_at: datetime | None


@dataclass(frozen=True, slots=True)
class LanguageLine:
    language: str
    messages: int
    segments: int


@dataclass(frozen=True, slots=True)
class Sample:
    guarantor_id: str
    way: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts and cents. ``accounts`` and ``total_minor`` are of the whole segment, ``messages`` and ``messages_minor``
    of what would leave, now or later. ``cost_micros``: millionths of a dollar.
    """

    at: datetime
    accounts: int
    total_minor: int
    messages: int
    messages_minor: int
    groups: tuple[Group, ...]
    ways: Mapping[str, int]
    zones: tuple[ZoneLine, ...]
    languages: tuple[LanguageLine, ...]
    segments: int
    cost_micros: int
    finishes_at: datetime | None
    samples: tuple[Sample, ...] = ()
    lists: Lists = field(default_factory=Lists, repr=False, compare=False)

    def ids(self, outcome: str, rule: str) -> Iterator[str]:
        """The accounts of one group, as often as asked, as long as the preview lives."""
        return self.lists.of((outcome, rule))

    def to_json(self) -> dict[str, Any]:
        """Counts and amounts alone: no account, no words."""
        return {
            "at": self.at.isoformat(), "accounts": self.accounts, "total_minor": self.total_minor,
            "messages": self.messages, "messages_minor": self.messages_minor, "segments": self.segments,
            "cost_micros": self.cost_micros, "finishes_at": _iso(self.finishes_at), "ways": dict(self.ways),
            "groups": [{"outcome": one.outcome, "rule": one.rule, "accounts": one.accounts, "minor": one.minor}
                       for one in self.groups],
            "zones": [{"zone": one.zone, "texts": one.texts, "segments": one.segments,
                       "starts_at": _iso(one.starts_at), "finishes_at": _iso(one.finishes_at)} for one in self.zones],
            "languages": [{"language": one.language, "messages": one.messages, "segments": one.segments}
                          for one in self.languages]}


def preview(session: Session, order: Order, accounts: Iterable[str], now: datetime, *, progress: Progress | None = None,
            render: Render | None = None, spread: Spread | None = None, samples: int = 3) -> Preview:
    """Judge every account of the stream as if its message were queued now. Raises LookupError for no such practice.

    ``progress`` is told how many accounts are done, after each set. ``render(guarantor_id, way)`` returns the words as
    that account would read them; asked for the first ``samples`` messages of each language. ``spread`` judges the sets
    elsewhere (bot/planning_processes.py: two processes); without it they are judged here, one after another.
    """
    _, policy, _ = find_policy(session, practice_id=order.practice_id)
    sets: Iterable[list[str]] = _sets(accounts)
    parts = spread(sets) if spread is not None else (judge_set(session, order, one, now, samples) for one in sets)
    whole, lists = Part(), Lists()
    for part in parts:
        whole.add(part, samples)
        lists.keep(part.members)
        if progress is not None:
            progress(whole.accounts)
    shown = tuple(Sample(id_, way, language, render(id_, way)) for language, found in sorted(whole.first.items())
                  for id_, way in found) if render is not None else ()
    return _preview(session, policy, order, whole, lists, now, shown)


def _sets(accounts: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for one in accounts:
        part.append(one)
        if len(part) == SET:
            yield part
            part = []
    if part:
        yield part


def judge_set(session: Session, order: Order, guarantor_ids: list[str], now: datetime, samples: int = 3) -> Part:
    """One set of accounts, judged. An id that is no account of the practice counts nowhere."""
    _, policy, configured = find_policy(session, practice_id=order.practice_id)
    part = Part()
    for ids in chunks(guarantor_ids, SET):
        sheet = gate_set_sheet.read(session, order.practice_id, policy, ids, now)
        books = {id_: gate_set_facts.account(sheet, id_, person.language) for id_, person in sheet.people.items()}
        due = {id_: account.due_now_minor for id_, account in books.items()}
        tried = [way for way in order.ways if any(key[0] == way for key in order.words)]
        chosen = planning_ways.choose(session, sheet, tried, due, order.minimum_minor)
        setting = setting_of(session, sheet, configured)
        for id_, account in books.items():
            choice = chosen[id_]
            if isinstance(choice, Choice):
                _judge(part, order, sheet, setting, id_, choice, account, samples)
            else:
                nothing = account.due_now_minor <= 0 and order.purpose != "notice"
                _left_out(part, id_, account.due_now_minor, "none", NOTHING_DUE if nothing else NO_WAY)
    return part


def _judge(part: Part, order: Order, sheet: Sheet, setting: Setting, id_: str, choice: Choice, account: AccountFacts,
           samples: int) -> None:
    way, language = choice.way, sheet.people[id_].language
    words = _words(order, sheet, id_, choice, language)
    if words.language != language:
        account = gate_set_facts.account(sheet, id_, words.language)
    facts = facts_of(setting, sheet, Candidate(
        id_, way, choice.address, choice.address_hash, order.purpose, words, order.purpose != "notice", None,
        order.campaign_id, order.campaign_id is not None), account)
    ruling = core.decide(facts)
    _left_out(part, id_, account.due_now_minor, ruling.outcome, ruling.rule)
    if ruling.outcome == "withhold":
        return
    segments = words.segments if way == "sms" else 0
    part.ways[way] = part.ways.get(way, 0) + 1
    part.segments += segments
    _count(part.languages, words.language, 1, segments)
    carrier = carrier_at(sheet, choice.address_hash) if way == "sms" else ""
    _count(part.lanes, (facts.recipient.zone_names, facts.recipient.region, carrier, way), 1, segments)
    first = part.first.setdefault(words.language, [])
    if len(first) < samples:
        first.append((id_, way))


def _words(order: Order, sheet: Sheet, id_: str, choice: Choice, language: str) -> Words:
    """In the account's language, or where there are none in that, in another: the gate says what is wrong with it."""
    introduced = choice.way not in ("sms", "telegram") or gate_set_facts.standing(
        sheet, id_, choice.way, choice.address_hash).introduced
    for spoken in (language, *sheet.policy.languages):
        for key in ((choice.way, spoken, introduced), (choice.way, spoken, not introduced)):
            if key in order.words:
                return order.words[key]
    raise LookupError(f"there are no words for the way {choice.way}, in any language of the practice")


def _left_out(part: Part, id_: str, due_minor: int, outcome: str, rule: str) -> None:
    part.accounts += 1
    part.total_minor += due_minor
    _count(part.groups, (outcome, rule), 1, due_minor)
    part.members.setdefault((outcome, rule), []).append(id_)


def _count(counts: dict[Any, list[int]], key: Any, *more: int) -> None:
    found = counts.get(key)
    if found is None:
        counts[key] = list(more)
        return
    for number, one in enumerate(more):
        found[number] += one


def _preview(session: Session, policy: PracticePolicy, order: Order, whole: Part, lists: Lists, now: datetime,
             samples: tuple[Sample, ...]) -> Preview:
    groups = tuple(Group(*key, *counts) for key, counts in sorted(
        whole.groups.items(), key=lambda item: (_OUTCOMES.index(item[0][0]), -item[1][0], item[0][1])))
    leaving = [one for one in groups if one.outcome in ("send", "defer")]
    spans = pacing.plan(policy, [pacing.Batch(zones, region, carrier, texts, segments, way)
                                 for (zones, region, carrier, way), (texts, segments) in sorted(
                                     whole.lanes.items(), key=lambda item: str(item[0]))],
                        now, used_today=_used_today(session, policy, order.practice_id, now))
    finishes = [span.finishes_at for span in spans]
    return Preview(
        now, whole.accounts, whole.total_minor, sum(one.accounts for one in leaving),
        sum(one.minor for one in leaving), groups, whole.ways, _zone_lines(spans),
        tuple(LanguageLine(language, *counts) for language, counts in sorted(whole.languages.items())), whole.segments,
        _cost_micros(policy, whole),
        max((at for at in finishes if at is not None), default=None) if None not in finishes else None, samples, lists)


_OUTCOMES = ("send", "defer", "withhold", "none")


def _zone_lines(spans: Iterable[pacing.Span]) -> tuple[ZoneLine, ...]:
    by_zone: dict[str, list[pacing.Span]] = {}
    for span in spans:
        if span.batch.way != "paper":
            by_zone.setdefault(" + ".join(span.batch.zones), []).append(span)
    return tuple(ZoneLine(
        zone, sum(span.batch.texts for span in found), sum(span.batch.segments for span in found),
        min((span.starts_at for span in found if span.starts_at is not None), default=None),
        max((span.finishes_at for span in found if span.finishes_at is not None), default=None)
        if all(span.finishes_at is not None for span in found) else None)
        for zone, found in sorted(by_zone.items()))


def _used_today(session: Session, policy: PracticePolicy, practice_id: str, now: datetime) -> int:
    """How many texts the brand's day has seen already."""
    found = windows(policy.carrier, practice_id=practice_id, number=policy.sms_number or "", carrier="", segments=1,
                    now=now)
    day = next((one for one in found if one.key.startswith("day:")), None)
    return window_queries.used(session, day.key, day.begins_at) if day is not None else 0


def _cost_micros(policy: PracticePolicy, whole: Part) -> int:
    carrier = policy.carrier
    return (whole.segments * carrier.segment_cost_micros + whole.ways.get("paper", 0) * carrier.letter_cost_micros
            + whole.ways.get("email", 0) * carrier.email_cost_micros)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


