"""Reports as the console shows them: the period, the report, and for each plot the very numbers of its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from billing.reports.shape import Report, Scope, Table, Unit
from billing.reports.summary import Line
from billing.store import console_money_queries as store

_EPOCH = date(1970, 1, 1)

#: By report and table: how it is drawn, and which columns.
PLOTTED: Mapping[tuple[str, str], tuple[Literal["bars", "lines"], tuple[str, ...]]] = {
    ("aging", "statement"): ("bars", ("patients",)),
    ("aging", "service"): ("bars", ("patients", "insurers")),
    ("patient-collection", "cohorts"): ("lines", ()),
    ("net-collection", "bridge"): ("bars", ("amount",)),
    ("time-to-pay", "waits"): ("bars", ("visits",)),
    ("point-of-service", "cash"): ("bars", ("amount",)),
    ("opt-outs", "campaigns"): ("bars", ("opted_out",)),
    ("disputes", "kinds"): ("bars", ("cases",)),
    ("plans", "states"): ("bars", ("plans",)),
    ("cost", "costs"): ("bars", ("cost",)),
    ("dunning-refunds", "reasons"): ("bars", ("amount",)),
    ("write-offs", "accounts"): ("bars", ("net",)),
}


@dataclass(frozen=True, slots=True)
class Plot:
    """``names``: of the places on the x axis; ``values``: for each series a number a place, raw, in ``unit``."""

    table: str
    kind: Literal["bars", "lines"]
    x: str
    names: list[str]
    series: list[str]
    values: list[list[int | None]]
    unit: Unit


@dataclass(frozen=True, slots=True)
class DayCash:
    day: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Cash:
    """Patients' money day by day, less what went back; ``at``: each day's first second in UTC, for the plot."""

    total_minor: int
    days: list[DayCash]
    at: list[int]


@dataclass(frozen=True, slots=True)
class Glance:
    """``cash``: of the period. ``names``: every report there is, in the order in which a manager reads them."""

    from_on: date
    to_on: date
    cash: Cash
    names: list[str]


@dataclass(frozen=True, slots=True)
class ReportPage:
    from_on: date
    to_on: date
    report: Report
    plots: list[Plot]


@dataclass(frozen=True, slots=True)
class SummaryPage:
    from_on: date
    to_on: date
    lines: list[Line]
    look: list[str]


def cash(session: Session, scope: Scope) -> Cash:
    """Every day of the period, those without money too."""
    found = {day: int(minor) for day, minor in store.cash_by_day(session, scope.practice_id, scope.from_on,
                                                                 scope.to_on)}
    days = [scope.from_on + timedelta(days=n) for n in range((scope.to_on - scope.from_on).days + 1)]
    return Cash(sum(found.values()), [DayCash(day, found.get(day, 0)) for day in days],
                [(day - _EPOCH).days * 86_400 for day in days])


def plots(report: Report) -> list[Plot]:
    """Of every table that is drawn and has anything but nothing in it."""
    made = [_plot(report.name, table) for table in report.tables]
    return [one for one in made if one is not None]


def _plot(name: str, table: Table) -> Plot | None:
    how = PLOTTED.get((name, table.key))
    if how is None:
        return None
    kind, keys = how
    places = [n for n, column in enumerate(table.columns)
              if (column.key in keys if keys else column.unit == "share")]
    rows = table.rows[:-1] if table.totals and name != "net-collection" else table.rows
    values = [_column(rows, place) for place in places]
    if not any(one for column in values for one in column):
        return None
    return Plot(table.title, kind, table.columns[0].label, [str(row[0]) for row in rows],
                [table.columns[place].label for place in places], values, table.columns[places[0]].unit)


def _column(rows: Sequence[Sequence[int | str | None]], place: int) -> list[int | None]:
    return [row[place] if isinstance(row[place], int) else None for row in rows]  # type: ignore[misc]  # a cell is narrowed, an index of it is not
