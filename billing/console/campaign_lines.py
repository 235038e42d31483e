"""Campaigns as pages show them: lines of the list, a preview, a simulation. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.campaign_progress import Progress


@dataclass(frozen=True, slots=True)
class Line:
    """One campaign of the list; ``accounts`` and ``total_minor`` are those of its preview, None before there is one."""

    campaign_id: str
    number: int
    name: str
    purpose: str
    segment: str
    status: str
    accounts: int | None
    total_minor: int | None
    progress: Progress
    not_before_at: datetime | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Campaigns:
    """``next_before``: where the next page begins; None at the end."""

    every: list[Line]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """Accounts with one fate. ``title``: the rule's own words, empty where the fate is no rule's; ``listed``: whether
    their list was kept.
    """

    outcome: str
    rule: str
    title: str
    accounts: int
    minor: int
    listed: bool


@dataclass(frozen=True, slots=True)
class ZoneLine:
    zone: str
    texts: int
    segments: int
    starts_at: datetime | None
    finishes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Messages and segments of a language or a way."""

    what: str
    messages: int
    segments: int


@dataclass(frozen=True, slots=True)
class SampleText:
    """A message as its account would read it: real amounts, no name, no link that opens."""

    account_id: str
    way: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """``cost_minor``: whole cents, rounded up. ``digest`` is what an approval is bound to."""

    at: datetime
    by: str
    digest: str
    accounts: int
    total_minor: int
    messages: int
    messages_minor: int
    segments: int
    cost_minor: int
    finishes_at: datetime | None
    groups: list[GroupLine]
    zones: list[ZoneLine]
    languages: list[Counted]
    ways: list[Counted]
    samples: list[SampleText]


@dataclass(frozen=True, slots=True)
class Look:
    """A preview or a simulation that was asked for. ``told``: why it failed."""

    kind: str
    status: str
    judged: int
    accounts: int
    asked_by: str
    asked_at: datetime
    told: str


@dataclass(frozen=True, slots=True)
class ShiftLine:
    before: str
    after: str
    rule: str
    title: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a change would do. ``at``: the moment of sending that is supposed; ``supposed``: the rest of the change."""

    look: Look
    at: datetime | None
    policy_change_id: str
    supposed: dict[str, str]
    accounts: int
    become_unlawful: int
    become_late: int
    become_lawful: int
    unchanged: int
    unreached: int
    shifts: list[ShiftLine]


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """``needs_second``: another person than its makers approves it. ``look``: the newest preview that was asked for."""

    campaign_id: str
    number: int
    name: str
    purpose: str
    template: str
    ways: list[str]
    segment_id: str
    segment: str
    status: str
    not_before_at: datetime | None
    created_by: str
    created_at: datetime
    approved_by: str
    approved_at: datetime | None
    started_by: str
    started_at: datetime | None
    paused_by: str
    stopped_by: str
    stop_reason: str
    ended_at: datetime | None
    needs_second: bool
    progress: Progress
    look: Look | None
    preview: Preview | None
    simulated: Simulated | None
