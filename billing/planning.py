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

from billing import pacing
from billing.account_stops import NOTHING_DUE
from billing.carrier_caps import windows
from billing.gate_sets import SET
from billing.planning_alike import Known
from billing.planning_lists import Lists
from billing.planning_sets import NO_WAY, Order, Part, judge_set
from billing.store import window_queries
from billing.store.ledger_queries import chunks
from billing.store.practices import policy_in
from config.practice import PracticePolicy

__all__ = ["NOTHING_DUE", "NO_WAY", "SET", "Group", "LanguageLine", "Order", "Part", "Preview", "Sample", "Spread",
           "ZoneLine", "preview"]

Progress = Callable[[int], None]
Render = Callable[[str, str], str]
Spread = Callable[[Iterable[list[str]]], Iterable[Part]]


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
    policy = policy_in(session, order.practice_id)
    sets, known = chunks(accounts, SET), Known()
    parts = spread(sets) if spread is not None else (
        judge_set(session, order, one, now, samples, known) for one in sets)
    whole, lists = Part(), Lists()
    for part in parts:
        whole.add(part, samples)
        lists.keep(part.members)
        if progress is not None:
            progress(whole.accounts)
    shown = tuple(Sample(id_, way, language, render(id_, way)) for language, found in sorted(whole.first.items())
                  for id_, way in found) if render is not None else ()
    return _preview(session, policy, order, whole, lists, now, shown)


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


