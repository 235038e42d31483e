"""Reports: each with its plots and the tables beside them, over any days; as lists and sheets; the manager's page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import csv_cells, reports
from billing.console import reports as pages
from billing.console.reports import Glance, ReportPage, SummaryPage
from billing.reports import summary
from billing.reports.shape import Scope, scope_of
from bot import report_content
from bot.web.console.fields import Day, Maybe
from bot.web.console.forms import FormRefused
from bot.web.console.table import Asked, Download, File, Form, Seen, View
from templates.report_sheets import pdf

#: How many days a report is about, unless somebody says otherwise.
DAYS = 90
#: A longer period than this is drawn by no plot, and asks for more than a page is waited for.
MOST_DAYS = 3 * 366

Name = Literal["aging", "days-in-ar", "patient-collection", "net-collection", "time-to-pay", "point-of-service",
               "self-service", "opt-outs", "disputes", "plans", "cost", "dunning-refunds", "write-offs"]


class Period(Form):
    """``since``, ``until``: practice-local days, both included; empty: the 90 days up to today."""

    since: Maybe[Day] = None
    until: Maybe[Day] = None


class OfReport(Period):
    name: Name


class OfFile(Period):
    """``name``: a report's, or all."""

    name: Annotated[Name | Literal["all"], Field()]


def read(session: Session, asked: Asked[Period]) -> Glance:
    """The reports that there are, and patients' money day by day."""
    scope = _scope(asked)
    return Glance(scope.from_on, scope.to_on, pages.cash(session, scope), list(reports.REPORTS))


def show(session: Session, asked: Asked[OfReport]) -> ReportPage:
    """One report with its figures, tables and plots."""
    scope = _scope(asked)
    made = reports.make(session, asked.query.name, scope)
    return ReportPage(scope.from_on, scope.to_on, made, pages.plots(made))


def show_summary(session: Session, asked: Asked[Period]) -> SummaryPage:
    """The manager's page: a dozen figures out of all reports, what they were last time, and what wants a look."""
    scope = _scope(asked)
    made, earlier = report_content.make(session, report_content.ALL, scope)
    return SummaryPage(scope.from_on, scope.to_on, list(summary.lines(made, earlier)), list(summary.to_look_at(made)))


def read_content(session: Session, asked: Asked[OfFile]) -> report_content.Content:
    """One report, or all of them, to be taken along."""
    scope = _scope(asked)
    made, earlier = report_content.make(session, asked.query.name, scope)
    return report_content.content(asked.policy, scope, made, earlier, asked.person.login)


def as_csv(found: report_content.Content, asked: Asked[OfFile]) -> File:
    written = csv_cells.whole(report_content.COLUMNS, report_content.rows(found))
    return File(f"{_name(found, asked)}.csv", "text/csv; charset=utf-8", written.encode())


def as_pdf(found: report_content.Content, asked: Asked[OfFile]) -> File:
    return File(f"{_name(found, asked)}.pdf", "application/pdf", pdf(found))


def _name(found: report_content.Content, asked: Asked[OfFile]) -> str:
    return f"report-{asked.query.name}-{found['from_on']}-{found['to_on']}"


def _scope(asked: Asked[Any]) -> Scope:
    last = asked.query.until or asked.today
    first = asked.query.since or last - timedelta(days=DAYS - 1)
    try:
        scope = scope_of(asked.practice_id, asked.policy, first, last, asked.today)
    except ValueError as error:
        raise FormRefused(f"These days do not do: {error}.") from None
    if (last - first).days >= MOST_DAYS:
        raise FormRefused("A report is about three years at most; choose a shorter period.")
    return scope


def _seen(what: str) -> Callable[[Any], Seen]:
    return lambda found: Seen("report", what)


VIEWS = (
    View("reports", "/reports", "read", read, Glance, Period, _seen("reports")),
    View("report", "/reports/figures", "read", show, ReportPage, OfReport,
         lambda found: Seen("report", found.report.name)),
    View("report_summary", "/reports/summary", "read", show_summary, SummaryPage, Period, _seen("summary")),
    Download("report_csv", "/reports/figures.csv", "export", read_content, as_csv, OfFile, _seen("list")),
    Download("report_pdf", "/reports/figures.pdf", "export", read_content, as_pdf, OfFile, _seen("sheets")),
)
ACTIONS = ()
