"""What a report is made of: figures and tables of whole numbers with their units, and the words printed below them.

Nothing here is a fraction: shares are basis points (hundredths of a percent), days may be tenths, costs are millionths
of a dollar. A figure that cannot be told yet is None, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from config.dunning_policy import CarrierPolicy
from config.practice import PracticePolicy

#: money: cents. share: basis points. tenths: of a day. micros: millionths of a dollar.
Unit = Literal["money", "share", "count", "days", "tenths", "micros", "text"]
Cell = int | str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose report, over which practice-local days (both included); ``today`` is the practice's day now."""

    practice_id: str
    from_on: date
    to_on: date
    today: date
    zone: str
    carrier: CarrierPolicy

    @property
    def starts_at(self) -> datetime:
        """The first instant of the first day."""
        return midnight(self.from_on, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the last day."""
        return midnight(self.to_on + timedelta(days=1), self.zone)

    def since(self, day: date) -> datetime:
        """The first instant of another day."""
        return midnight(day, self.zone)


def scope_of(practice_id: str, policy: PracticePolicy, from_on: date, to_on: date, today: date) -> Scope:
    """Raises ValueError when the days are the wrong way round or lie ahead."""
    if from_on > to_on:
        raise ValueError("the report's first day is after its last")
    if to_on > today:
        raise ValueError("the report's last day has not come yet")
    return Scope(practice_id, from_on, to_on, today, policy.zone, policy.carrier)


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day; on days with a changed clock too."""
    return datetime.combine(day, time.min, ZoneInfo(zone))


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``of``: in words, what was divided by what, so that it can be worked out again."""

    key: str
    label: str
    unit: Unit
    value: int | None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: bool = False  # the last row is the sum of those above it


@dataclass(frozen=True, slots=True)
class Footing:
    """Two ways to the same amount, in cents: the report's own sum, and the ledger's."""

    label: str
    report_minor: int
    ledger_minor: int

    @property
    def foots(self) -> bool:
        return self.report_minor == self.ledger_minor


@dataclass(frozen=True, slots=True)
class Report:
    """``definition`` says what is divided by what, ``clock`` which day counts, ``source`` where the definition is from;
    all three are printed below the figures.
    """

    name: str
    title: str
    definition: str
    clock: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    footings: tuple[Footing, ...] = ()
    source: str = "receivables.md, D2"

    def value(self, key: str) -> int | None:
        """Raises KeyError when there is no such figure."""
        return {figure.key: figure.value for figure in self.figures}[key]

    @property
    def foots(self) -> bool:
        return all(footing.foots for footing in self.footings)


def as_json(report: Report) -> dict[str, Any]:
    """Raw numbers with their units: what programs, the CSV file and the sheets read."""
    return {
        "name": report.name, "title": report.title, "definition": report.definition, "clock": report.clock,
        "source": report.source, "foots": report.foots, "notes": list(report.notes),
        "figures": [{"key": f.key, "label": f.label, "unit": f.unit, "value": f.value, "of": f.of}
                    for f in report.figures],
        "tables": [_table(table) for table in report.tables],
        "footings": [{"label": f.label, "report_minor": f.report_minor, "ledger_minor": f.ledger_minor,
                      "foots": f.foots} for f in report.footings]}


def _table(table: Table) -> dict[str, Any]:
    return {"key": table.key, "title": table.title, "totals": table.totals,
            "columns": [{"key": c.key, "label": c.label, "unit": c.unit} for c in table.columns],
            "rows": [list(row) for row in table.rows]}


def plain_figures(report: Report) -> dict[str, int | None]:
    """Figures alone, for the trail (``report_runs``)."""
    return {figure.key: figure.value for figure in report.figures}


def share(part: int, whole: int) -> int | None:
    """Basis points, half up; None when there is nothing to divide by."""
    return divided(part * 10_000, whole)


def divided(part: int, whole: int) -> int | None:
    """The nearest whole number, half up; None when ``whole`` is not above zero."""
    return None if whole <= 0 else (2 * part + whole) // (2 * whole)


def median(counts: Mapping[int, int], beyond: int = 0) -> int | None:
    """The middle one of so many of each value, the lower of two; ``beyond`` more have no value yet and count as later
    than all. None when the middle is one of those, or when there is nothing.
    """
    middle = (sum(counts.values()) + beyond + 1) // 2
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle > 0:
            return value
    return None


def add_months(day: date, months: int) -> date:
    """The first of the month so many months on."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
