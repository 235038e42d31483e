"""``plainbill report``: the manager's figures, in text, JSON, CSV or as a PDF with plots.

A report is made on one consistent picture of the store; that it was made, and with which figures, stays on the trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing import csv_cells
from bot.cli.amounts import day_of
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_right
from bot.cli.exits import FOUND_PROBLEMS, NOT_FOUND, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.reports.shape import Report, Scope
    from billing.reports.summary import Earlier, Line

DAYS = 90
"""How many days a report is about, unless told otherwise."""

COLUMNS = ("report", "from", "to", "table", "row", "column", "unit", "value")

app = typer.Typer(help="Aging, collection rates, costs and more, for the manager: text, CSV, PDF.")


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Which report; empty: lists them. all: all of them.")
                    ] = "",
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, such as 2026-08-01; empty: 90 days "
                                                                     "up to the last.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day; empty: today.")] = "",
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every number on a row of its "
                                                                                "own.")] = None,
    pdf_file: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write a PDF with plots; its first "
                                                                                "page is the summary.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a report, or all of them. Exit code 1: a report does not agree with the ledger."""
    from billing.reports import REPORTS

    if not name:
        _list(as_json)
        return
    if name != "all" and name not in REPORTS:
        raise Stop(f"There is no report {name!r}. The reports are {', '.join(REPORTS)}, and all.", NOT_FOUND)
    with context() as edge:
        scope = _scope(edge, since, until)
        edge.store.read(lambda session: require_right(session, edge, "read"))
        made, earlier = edge.store.read(lambda session: _make(session, name, scope))
        _keep(edge, scope, made)
        content = _content(edge, scope, made, earlier)
    _put(content, csv_file, pdf_file)
    if as_json:
        print_json({key: value for key, value in content.items() if key != "practice"})
    else:
        _print(content, [path for path in (csv_file, pdf_file) if path])
    if not all(one.foots for one in made):
        raise typer.Exit(FOUND_PROBLEMS)


def _list(as_json: bool) -> None:
    from billing.reports import REPORTS

    if as_json:
        print_json(list(REPORTS))
    else:
        print("\n".join((*REPORTS, "all")))


def _scope(edge: Edge, since: str, until: str) -> Scope:
    from billing.reports.shape import scope_of

    last = day_of(until, "--to") if until else edge.today()
    first = day_of(since, "--from") if since else last - timedelta(days=DAYS - 1)
    try:
        return scope_of(edge.practice_id, edge.policy, first, last, edge.today())
    except ValueError as error:
        raise Stop(f"--from {first} --to {last}: {error}.", USAGE) from error


def _make(session: Session, name: str, scope: Scope) -> tuple[tuple[Report, ...], dict[str, Earlier]]:
    from billing import reports
    from billing.reports.summary import Earlier
    from billing.store.report_queries import latest_run

    made = reports.make_all(session, scope) if name == "all" else (reports.make(session, name, scope),)
    runs = {one.name: latest_run(session, scope.practice_id, one.name, scope.to_on) for one in made}
    return made, {key: Earlier(row.to_on, row.figures) for key, row in runs.items() if row is not None}


def _keep(edge: Edge, scope: Scope, made: Sequence[Report]) -> None:
    """A row and a line in the audit trail for each report, in one transaction."""
    from billing.reports.shape import plain_figures
    from billing.store.report_queries import keep_run

    def keep(session: Session) -> int:
        return [keep_run(session, scope.practice_id, one.name, scope.from_on, scope.to_on, plain_figures(one),
                         edge.actor, edge.now()) for one in made][-1]

    edge.write(keep, "report", "report", str, ", ".join(one.name for one in made))


def _content(edge: Edge, scope: Scope, made: Sequence[Report], earlier: Mapping[str, Earlier]) -> dict[str, Any]:
    """What the sheets, the JSON and the terminal are made of; amounts in cents, days as ISO text."""
    from dataclasses import asdict

    from billing.reports import summary
    from billing.reports.shape import as_json

    return {
        "from_on": scope.from_on.isoformat(), "to_on": scope.to_on.isoformat(), "made_on": edge.today().isoformat(),
        "made_by": edge.actor, "currency": edge.policy.currency,
        "practice": {"name": edge.policy.name, "legal_name": edge.policy.legal_name, "phone": edge.policy.phone,
                     "address": edge.policy.address, "website": edge.policy.website},
        "summary": [_line(asdict(line), line) for line in summary.lines(made, earlier)],
        "look": list(summary.to_look_at(made)), "reports": [as_json(one) for one in made]}


def _line(plain: dict[str, Any], line: Line) -> dict[str, Any]:
    return {**plain, "before_on": line.before_on.isoformat() if line.before_on else None}


def _put(content: dict[str, Any], csv_file: Path | None, pdf_file: Path | None) -> None:
    """The files; the PDF is drawn with the store closed."""
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as opened:
            rows = [row for one in content["reports"] for row in _rows(one, content["from_on"], content["to_on"])]
            csv_cells.write(opened, [COLUMNS, *rows])
    if pdf_file is not None:
        from templates.report_sheets import pdf

        pdf_file.write_bytes(pdf(content))


def _rows(one: Mapping[str, Any], first: str, last: str) -> list[list[Any]]:
    """One number a row, raw: cents, basis points, whole counts. Words stand in the row's and column's names."""
    head = [one["name"], first, last]
    rows = [[*head, "", "", figure["key"], figure["unit"], figure["value"]] for figure in one["figures"]]
    for table in one["tables"]:
        for row in table["rows"]:
            rows += [[*head, table["key"], row[0], column["key"], column["unit"], cell]
                     for column, cell in zip(table["columns"][1:], row[1:], strict=True)]
    return rows


def _print(content: Mapping[str, Any], files: Sequence[Path]) -> None:
    from templates.report_sheets import section

    print(f"{content['practice']['name']}, {content['from_on']} to {content['to_on']}")
    for one in content["reports"]:
        said = section(one)
        print_table(f"\n{said['heading']}", ("Figure", "Value", "What it is"), said["figures"])
        for table in said["tables"]:
            rows = [*table["rows"], *([table["total"]] if table["total"] else [])]
            print_table(f"\n{table['title']}", table["cols"], rows)
        print("\n" + "\n".join(f"{label}: {words}" for label, words in said["below"]))
    for words in content["look"]:
        print(f"\nTo look at: {words}")
    for path in files:
        print(f"\n{path} is written.")
