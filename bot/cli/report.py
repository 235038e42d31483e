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
from bot import report_content
from bot.cli.amounts import day_of
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_right
from bot.cli.exits import FOUND_PROBLEMS, NOT_FOUND, USAGE, Stop

if TYPE_CHECKING:
    from billing.reports.shape import Report, Scope

DAYS = 90
"""How many days a report is about, unless told otherwise."""

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
        made, earlier = edge.store.read(lambda session: report_content.make(session, name, scope))
        _keep(edge, scope, made)
        content = report_content.content(edge.policy, scope, made, earlier, edge.actor)
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


def _keep(edge: Edge, scope: Scope, made: Sequence[Report]) -> None:
    """A row and a line in the audit trail for each report, in one transaction."""
    edge.write(lambda session: report_content.keep(session, scope, made, edge.actor, edge.now()), "report", "report",
               str, ", ".join(one.name for one in made))


def _put(content: dict[str, Any], csv_file: Path | None, pdf_file: Path | None) -> None:
    """The files; the PDF is drawn with the store closed."""
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as opened:
            csv_cells.write(opened, [report_content.COLUMNS, *report_content.rows(content)])
    if pdf_file is not None:
        from templates.report_sheets import pdf

        pdf_file.write_bytes(pdf(content))


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
