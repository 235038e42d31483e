"""Campaigns: the list, the builder with every message it could send, one with its preview and how far it has come, who
is in each group of it, its report, and the calendar of what leaves when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import campaigns, csv_cells
from billing.console import campaign_lines, sending_calendar
from billing.console import campaigns as reading
from billing.store import console_campaign_queries as store
from billing.store import policy_change_queries
from billing.store.tables import Campaign
from bot import campaign_words, own_words
from bot.web.console.fields import Code
from bot.web.console.table import Asked, Download, File, Form, Nothing, Seen, View


class Page(Form):
    """``before``: the number of the last campaign shown."""

    before: int | None = Field(default=None, ge=1, le=2**31)


class Group(Form):
    """One group of the newest preview, or of the newest simulation: there ``outcome`` is before-after."""

    kind: Literal["preview", "simulation"] = "preview"
    outcome: Code
    rule: Code
    page: int = Field(default=0, ge=0, le=1_000_000)


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    segment_id: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as a phone shows it, with made-up amounts. ``known``: to numbers that heard from us before."""

    way: str
    language: str
    known: bool
    text: str
    segments: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Words that a campaign may use, and by which ways they are there in every language of the practice."""

    template: str
    purpose: str
    ways: list[str]
    shown: list[Shown]


@dataclass(frozen=True, slots=True)
class Builder:
    segments: list[SegmentChoice]
    choices: list[Choice]
    zone: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of the policy that a simulation may suppose."""

    change_id: str
    number: int
    starts_on: date


@dataclass(frozen=True, slots=True)
class CampaignView:
    """``proposals``: open changes of the policy."""

    campaign: campaign_lines.CampaignPage
    proposals: list[Proposal]


@dataclass(frozen=True, slots=True)
class Member:
    account_id: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Members:
    campaign_id: str
    campaign: str
    kind: str
    outcome: str
    rule: str
    title: str
    accounts: list[Member]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Calendar:
    days: list[sending_calendar.Day]


def read(session: Session, asked: Asked[Page]) -> campaign_lines.Campaigns:
    return reading.listing(session, asked.practice_id, asked.query.before)


def build(session: Session, asked: Asked[Nothing]) -> Builder:
    """What a campaign can be made of: segments, and words with each message as it would look."""
    kept = [SegmentChoice(one.id, one.name, one.version) for one in store.newest_segments(session, asked.practice_id)]
    choices = sorted(campaign_words.choices(asked.policy), key=lambda one: (
        campaigns.PURPOSES.index(one[1]), one[0] != "statement_ready", one[0]))
    with own_words.spoken_for(session, asked.practice_id):
        return Builder(kept, [Choice(template, purpose, list(ways), _shown(asked, template, ways))
                              for template, purpose, ways in choices], asked.policy.zone)


def _shown(asked: Asked[Nothing], template: str, ways: tuple[str, ...]) -> list[Shown]:
    told = ((one, campaign_words.example(one, asked.policy))
            for one in campaign_words.files(template, ways, asked.policy.languages)
            if one.introduced or one.way in ("sms", "telegram"))
    return [Shown(one.way, one.language, one.introduced, words.body, words.segments) for one, words in told]


def show(session: Session, asked: Asked[Nothing]) -> CampaignView | None:
    found = reading.load(session, asked.practice_id, asked.path["campaign_id"], asked.policy)
    if found is None:
        return None
    return CampaignView(found, [Proposal(one.id, one.number, one.starts_on)
                         for one in policy_change_queries.open_ones(session, asked.practice_id)])


def live(session: Session, asked: Asked[Nothing]) -> CampaignView | None:
    """How far it is, for a page that renews itself."""
    found = reading.load(session, asked.practice_id, asked.path["campaign_id"], asked.policy)
    return CampaignView(found, []) if found is not None else None


def members(session: Session, asked: Asked[Group]) -> Members | None:
    row, query = campaign_of(session, asked), asked.query
    if row is None:
        return None
    accounts, pages = reading.group(session, asked.practice_id, row.id, query.kind, query.outcome, query.rule,
                                    query.page) or ([], 0)
    return Members(row.id, row.name, query.kind, query.outcome, query.rule, reading.title_of(query.rule),
                   [Member(*one) for one in accounts], query.page, pages)


def members_csv(session: Session, asked: Asked[Group]) -> tuple[str, list[tuple[str, str, str]]] | None:
    row, query = campaign_of(session, asked), asked.query
    if row is None:
        return None
    return row.id, [(number, query.outcome, query.rule) for _, number, _ in reading.whole_group(
        session, asked.practice_id, row.id, query.kind, query.outcome, query.rule) or []]


def calendar(session: Session, asked: Asked[Nothing]) -> Calendar:
    return Calendar(sending_calendar.load(session, asked.practice_id, asked.policy, asked.today))


def campaign_of(session: Session, asked: Asked[Any]) -> Campaign | None:
    return store.campaign(session, asked.practice_id, asked.path["campaign_id"])


def as_file(name: str, headings: tuple[str, ...], found: tuple[str, Any]) -> File:
    return File(name, "text/csv; charset=utf-8", csv_cells.whole(headings, found[1]).encode())


VIEWS = (
    View("campaigns", "/campaigns", "read", read, campaign_lines.Campaigns, Page),
    View("campaign_new", "/campaigns/new", "send", build, Builder),
    View("campaign_calendar", "/campaigns/calendar", "read", calendar, Calendar),
    View("campaign", "/campaigns/{campaign_id}", "read", show, CampaignView,
         seen=lambda found: Seen("campaign", found.campaign.campaign_id)),
    View("campaign_live", "/campaigns/{campaign_id}/live", "read", live, CampaignView,
         seen=lambda found: Seen("campaign", found.campaign.campaign_id), quiet=True),
    View("campaign_members", "/campaigns/{campaign_id}/accounts", "read", members, Members, Group,
         lambda found: Seen("campaign", found.campaign_id, f"accounts by {found.rule}")),
    Download("campaign_members_csv", "/campaigns/{campaign_id}/accounts.csv", "export", members_csv,
             lambda found, asked: as_file("accounts.csv", ("account", "outcome", "rule"), found), Group,
             lambda found: Seen("campaign", found[0])),
)
ACTIONS = ()
