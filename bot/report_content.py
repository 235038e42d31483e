"""A report from its name to what sheets, lists and pages are made of; the same for the terminal and the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.reports.shape import Report, Scope
    from billing.reports.summary import Earlier, Line
    from config.practice import PracticePolicy

ALL = "all"
COLUMNS = ("report", "from", "to", "table", "row", "column", "unit", "value")

Content = dict[str, Any]


def make(session: Session, name: str, scope: Scope) -> tuple[tuple[Report, ...], dict[str, Earlier]]:
    """One report, or all of them, and the figures of the newest earlier run of each. Raises UnknownReport."""
    from billing import reports
    from billing.reports.summary import Earlier
    from billing.store.report_queries import latest_run

    made = reports.make_all(session, scope) if name == ALL else (reports.make(session, name, scope),)
    runs = {one.name: latest_run(session, scope.practice_id, one.name, scope.to_on) for one in made}
    return made, {key: Earlier(row.to_on, row.figures) for key, row in runs.items() if row is not None}


def keep(session: Session, scope: Scope, made: Sequence[Report], by: str, now: datetime) -> int:
    """Put reports that were made on the trail; return the last row's id."""
    from billing.reports.shape import plain_figures
    from billing.store.report_queries import keep_run

    return [keep_run(session, scope.practice_id, one.name, scope.from_on, scope.to_on, plain_figures(one), by, now)
            for one in made][-1]


def content(policy: PracticePolicy, scope: Scope, made: Sequence[Report], earlier: Mapping[str, Earlier],
            made_by: str) -> Content:
    """What the sheets, the JSON and the terminal are made of; amounts in cents, days as ISO text."""
    from billing.reports import summary
    from billing.reports.shape import as_json

    return {
        "from_on": scope.from_on.isoformat(), "to_on": scope.to_on.isoformat(), "made_on": scope.today.isoformat(),
        "made_by": made_by, "currency": policy.currency,
        "practice": {"name": policy.name, "legal_name": policy.legal_name, "phone": policy.phone,
                     "address": policy.address, "website": policy.website},
        "summary": [_line(line) for line in summary.lines(made, earlier)],
        "look": list(summary.to_look_at(made)), "reports": [as_json(one) for one in made]}


def _line(line: Line) -> dict[str, Any]:
    return {**asdict(line), "before_on": line.before_on.isoformat() if line.before_on else None}


def rows(found: Content) -> Iterator[list[Any]]:
    """One number a row under COLUMNS, raw: cents, basis points, whole counts. Words stand in the names alone."""
    for one in found["reports"]:
        yield from _rows(one, found["from_on"], found["to_on"])


def _rows(one: Mapping[str, Any], first: str, last: str) -> list[list[Any]]:
    head = [one["name"], first, last]
    rows = [[*head, "", "", figure["key"], figure["unit"], figure["value"]] for figure in one["figures"]]
    for table in one["tables"]:
        for row in table["rows"]:
            rows += [[*head, table["key"], row[0], column["key"], column["unit"], cell]
                     for column, cell in zip(table["columns"][1:], row[1:], strict=True)]
    return rows
