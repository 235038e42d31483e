"""What became of a campaign: its report, and the same account by account as a list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import Field
from sqlalchemy.orm import Session

from billing import campaign_progress, campaign_reports, campaigns
from billing.console import campaigns as reading
from billing.store.tables import Campaign
from bot.web.console.screens.campaigns import as_file, campaign_of
from bot.web.console.table import Asked, Download, Form, Seen, View

#: The longest report that a page works out itself: seconds, in a thread of its own.
MOST_REPORTED = 200_000


class Days(Form):
    """For how many days after each message replies, opt-outs and payments count."""

    days: int = Field(default=campaign_reports.DAYS, ge=1, le=365)


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


def report(session: Session, asked: Asked[Days]) -> Report | None:
    row = campaign_of(session, asked)
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
    row = campaign_of(session, asked)
    if row is None:
        return None
    _require_short(session, row)
    return row.id, [[_cell(value) for value in asdict(one).values()] for one in campaign_reports.rows(
        session, row, asked.policy.carrier, asked.query.days)]


def _require_short(session: Session, row: Campaign) -> None:
    if campaign_progress.look(session, row.id).accounts > MOST_REPORTED:
        raise campaigns.CampaignRefused(f"more than {MOST_REPORTED:,} accounts are too many for a page; "
                                        f"plainbill campaign report {row.number} --csv writes them to a file")


def _counted(counts: dict[str, int]) -> list[Counted]:
    return [Counted(what, reading.title_of(what), count)
            for what, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else value


VIEWS = (
    View("campaign_report", "/campaigns/{campaign_id}/report", "read", report, Report, Days,
         lambda found: Seen("campaign", found.campaign_id)),
    Download("campaign_report_csv", "/campaigns/{campaign_id}/report.csv", "export", report_csv,
             lambda found, asked: as_file("campaign-report.csv", campaign_reports.COLUMNS, found), Days,
             lambda found: Seen("campaign", found[0])),
)
ACTIONS = ()
