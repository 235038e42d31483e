"""Campaigns: the list, the builder with every message it could send, one with its preview and how far it has come, who
is in each group of it, its report, and the calendar of what leaves when.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from billing import campaign_progress, campaign_reports, campaigns, csv_cells
from billing.console import campaigns as reading
from billing.console import sending_calendar
from billing.store import console_campaign_queries as store
from billing.store import policy_change_queries
from billing.store.tables import Campaign
from bot import campaign_words, own_words
from bot.web.console.fields import Code
from bot.web.console.table import Asked, Download, File, Nothing, Seen, View

#: The longest report that a page works out itself: seconds, in a thread of its own.
MOST_REPORTED = 200_000


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(_Query):
    """``before``: the number of the last campaign shown."""

    before: int | None = Field(default=None, ge=1, le=2**31)


class Group(_Query):
    """One group of the newest preview, or of the newest simulation: there ``outcome`` is before-after."""

    kind: Literal["preview", "simulation"] = "preview"
    outcome: Code
    rule: Code
    page: int = Field(default=0, ge=0, le=1_000_000)


class Days(_Query):
    """For how many days after each message replies, opt-outs and payments count."""

    days: int = Field(default=campaign_reports.DAYS, ge=1, le=365)


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

    campaign: reading.CampaignPage
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
class Counted:
    what: str
    title: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Report:
    """``cost_minor``: whole cents, rounded up. Money that came after a message did not all come because of it."""

    campaign_id: str
    number: int
    name: str
    status: str
    sending: str
    days: int
    accounts: int
    left: int
    delivered: int
    paid_between: int
    replied: int
    opted_out: int
    paid: int
    paid_minor: int
    segments: int
    cost_minor: int
    fates: list[Counted]
    rules: list[Counted]
    ways: list[Counted]


@dataclass(frozen=True, slots=True)
class Calendar:
    days: list[sending_calendar.Day]


def read(session: Session, asked: Asked[Page]) -> reading.Campaigns:
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
    row, query = _campaign(session, asked), asked.query
    if row is None:
        return None
    accounts, pages = reading.group(session, asked.practice_id, row.id, query.kind, query.outcome, query.rule,
                                    query.page) or ([], 0)
    return Members(row.id, row.name, query.kind, query.outcome, query.rule, reading.title_of(query.rule),
                   [Member(*one) for one in accounts], query.page, pages)


def members_csv(session: Session, asked: Asked[Group]) -> tuple[str, list[tuple[str, str, str]]] | None:
    row, query = _campaign(session, asked), asked.query
    if row is None:
        return None
    return row.id, [(number, query.outcome, query.rule) for _, number, _ in reading.whole_group(
        session, asked.practice_id, row.id, query.kind, query.outcome, query.rule) or []]


def report(session: Session, asked: Asked[Days]) -> Report | None:
    row = _campaign(session, asked)
    if row is None:
        return None
    _require_short(session, row)
    total = campaign_reports.summarize(session, row, asked.policy.carrier, asked.query.days)
    return Report(
        row.id, row.number, row.name, row.status, asked.policy.sending, asked.query.days, total.accounts, total.left,
        total.delivered, total.paid_between, total.replied, total.opted_out, total.paid, total.paid_minor,
        total.segments, -(-total.cost_micros // 10_000), _counted(dict(total.fates)), _counted(dict(total.rules)),
        _counted(dict(total.ways)))


def report_csv(session: Session, asked: Asked[Days]) -> tuple[str, list[list[object]]] | None:
    row = _campaign(session, asked)
    if row is None:
        return None
    _require_short(session, row)
    return row.id, [[_cell(value) for value in asdict(one).values()] for one in campaign_reports.rows(
        session, row, asked.policy.carrier, asked.query.days)]


def calendar(session: Session, asked: Asked[Nothing]) -> Calendar:
    return Calendar(sending_calendar.load(session, asked.practice_id, asked.policy, asked.today))


def _campaign(session: Session, asked: Asked[Group] | Asked[Days]) -> Campaign | None:
    return store.campaign(session, asked.practice_id, asked.path["campaign_id"])


def _require_short(session: Session, row: Campaign) -> None:
    if campaign_progress.look(session, row.id).accounts > MOST_REPORTED:
        raise campaigns.CampaignRefused(f"more than {MOST_REPORTED:,} accounts are too many for a page; "
                                        f"plainbill campaign report {row.number} --csv writes them to a file")


def _counted(counts: dict[str, int]) -> list[Counted]:
    return [Counted(what, reading.title_of(what), count)
            for what, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else value


def _as_file(name: str, headings: tuple[str, ...], found: tuple[str, Any]) -> File:
    return File(name, "text/csv; charset=utf-8", csv_cells.whole(headings, found[1]).encode())


VIEWS = (
    View("campaigns", "/campaigns", "read", read, reading.Campaigns, Page),
    View("campaign_new", "/campaigns/new", "send", build, Builder),
    View("campaign_calendar", "/campaigns/calendar", "read", calendar, Calendar),
    View("campaign", "/campaigns/{campaign_id}", "read", show, CampaignView,
         seen=lambda found: Seen("campaign", found.campaign.campaign_id)),
    View("campaign_live", "/campaigns/{campaign_id}/live", "read", live, CampaignView, quiet=True),
    View("campaign_members", "/campaigns/{campaign_id}/accounts", "read", members, Members, Group,
         lambda found: Seen("campaign", found.campaign_id, f"accounts by {found.rule}")),
    Download("campaign_members_csv", "/campaigns/{campaign_id}/accounts.csv", "export", members_csv,
             lambda found, asked: _as_file("accounts.csv", ("account", "outcome", "rule"), found), Group,
             lambda found: Seen("campaign", found[0])),
    View("campaign_report", "/campaigns/{campaign_id}/report", "read", report, Report, Days,
         lambda found: Seen("campaign", found.campaign_id)),
    Download("campaign_report_csv", "/campaigns/{campaign_id}/report.csv", "export", report_csv,
             lambda found, asked: _as_file("campaign-report.csv", campaign_reports.COLUMNS, found), Days,
             lambda found: Seen("campaign", found[0])),
)
ACTIONS = ()
