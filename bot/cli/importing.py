"""``plainbill import``: files in, a report per file out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context
from bot.cli.exits import PARTIAL, REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from bot.importing.report import Report

app = typer.Typer(add_completion=False)

Files = Annotated[list[Path] | None, typer.Argument(help="835, 837P, 837I or CSV files.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be posted; post nothing.")]
Skip = Annotated[bool, typer.Option(
    "--skip-bad-claims", help="Post the claims that add up; the payment of the others goes to remittance suspense.")]
Map = Annotated[Path | None, typer.Option("--map", help="Column map (TOML) of a CSV file that has its own columns.")]
Template = Annotated[str | None, typer.Option(
    "--template", help="Write a CSV template: charges, patients, coverages, payments, balances, estimates, opening, "
                       "opening-control or map.")]
Undo = Annotated[str | None, typer.Option("--undo", help="Take back a whole import by its id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the audit trail.")]
Opening = Annotated[bool, typer.Option(
    "--opening", help="The file takes the practice over from another system (docs/opening.md): held until released.")]
Control = Annotated[Path | None, typer.Option(
    "--control", help="With --opening: the old aging's totals, where they are in a file of their own.")]
Release = Annotated[str | None, typer.Option(
    "--release", metavar="IMPORT_ID", help="With --opening: end the holds of what was taken over.")]
Account = Annotated[str, typer.Option("--account", help="With --release: of this account alone.")]
History = Annotated[bool, typer.Option("--list", help="Show the imports of this practice, newest first.")]


@app.command()
def run(files: Files = None, as_json: AsJson = False, dry_run: DryRun = False, skip_bad_claims: Skip = False,
        column_map: Map = None, template: Template = None, undo: Undo = None, reason: Reason = "",
        history: History = False, opening: Opening = False, control: Control = None, release: Release = None,
        account: Account = "") -> None:
    """Read claim, remittance and CSV files into the ledger.

    A file is checked as a whole before anything of it is posted. Interrupted, the same command goes on where it
    stopped; the same file again posts nothing. Exit code: 0 posted or known, 4 partly, 3 refused; the worst counts.
    """
    if template is not None:
        from bot.importing.csv_files import write_template

        typer.echo(write_template(template))
        return
    asked = Asked(dry_run, skip_bad_claims, column_map, opening, control)
    _check_options(asked, release, account)
    with context() as edge:
        if history:
            _show_history(edge, as_json)
        elif release is not None:
            from bot.cli.opening import release_import

            release_import(edge, release, account, as_json)
        elif undo is not None:
            _undo(edge, undo, reason, as_json)
        else:
            raise typer.Exit(_import_all(edge, files or [], as_json, asked))


@dataclass(frozen=True, slots=True)
class Asked:
    """How the files are to be taken."""

    dry: bool
    skip: bool
    column_map: Path | None
    opening: bool
    control: Path | None


def _check_options(asked: Asked, release: str | None, account: str) -> None:
    if not asked.opening and (release is not None or asked.control is not None):
        raise Stop("--release and --control go with --opening.", USAGE)
    if account and release is None:
        raise Stop("--account goes with --release.", USAGE)
    if asked.opening and (asked.skip or asked.column_map is not None):
        raise Stop("An opening file is taken over whole and in its own columns: neither --skip-bad-claims nor --map.",
                   USAGE)
    if asked.control is not None and not asked.control.is_file():
        raise Stop(f"{asked.control}: there is no such file.", USAGE)


def _import_all(edge: Edge, files: list[Path], as_json: bool, asked: Asked) -> int:
    if not files:
        raise Stop("Name at least one file: plainbill import FILE...", USAGE)
    if asked.opening and len(files) > 1:
        raise Stop("One opening file at a time: its totals are those of the whole takeover.", USAGE)
    worst = 0
    for path in files:
        code = _import_one(edge, path, as_json, asked)
        worst = max(worst, code, key=(0, PARTIAL, REFUSED, USAGE).index)
    return worst


def _import_one(edge: Edge, path: Path, as_json: bool, asked: Asked) -> int:
    from bot.importing import files
    from bot.importing.progress import bar
    from bot.importing.report import EXIT_CODES, write_json

    if not path.is_file():
        return _missing(path, as_json)
    with bar(path, quiet=as_json) as progress:
        job = files.Job(edge.practice_id, edge.policy, edge.actor, edge.now, asked.skip, asked.column_map, progress,
                        asked.opening, asked.control)
        how = files.dry_run if asked.dry else files.import_file
        result = how(path, edge.store, job, lambda r: write_json(r, sys.stdout) if as_json else None)
    if not as_json:
        _print(result, asked.dry)
    return EXIT_CODES[result.outcome]


def _missing(path: Path, as_json: bool) -> int:
    from bot.importing.report import Report, write_json

    reason = "there is no such file" if not path.exists() else "this is not a file"
    if as_json:
        write_json(Report(str(path), "unknown", "refused", reason), sys.stdout)
    else:
        typer.echo(f"{path}: {reason}", err=True)
    return USAGE


def _print(result: Report, dry: bool) -> None:
    words = {"posted": "green", "duplicate": "yellow", "partial": "yellow", "refused": "red"}
    would = "would be " if dry else ""
    typer.secho(f"{result.file}: {result.kind}, {would}{result.outcome}", fg=words[result.outcome])
    if result.import_id and not dry:
        typer.echo(f"  import {result.import_id}")
    if result.tally:
        typer.echo("  " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(result.tally.items())))
    if result.reason:
        typer.echo(f"  {result.reason}")
    if result.skippable:
        typer.echo("  --skip-bad-claims posts the rest of the file")
    for note in result.notes:
        typer.echo(f"  {note}")


def _show_history(edge: Edge, as_json: bool) -> None:
    from billing.store.import_queries import list_runs
    from bot.cli.edge import show

    rows: list[dict[str, Any]] = edge.store.read(lambda s: [
        {"import": r.id, "at": r.started_at, "file": r.file_name, "kind": r.kind, "status": r.status,
         "outcome": r.outcome, "by": r.started_by, "reason": r.reason} for r in list_runs(s, edge.practice_id, 200)])
    show(rows, as_json)


def _undo(edge: Edge, import_id: str, reason: str, as_json: bool) -> None:
    from billing.undoing import undo_import
    from bot.cli.edge import show

    if not reason:
        raise Stop("Say why with --reason: it stands in the audit trail.", USAGE)
    poster_now = edge.now()
    result = edge.write(lambda s: undo_import(s, edge.practice_id, edge.policy, import_id, actor=edge.actor,
                                              now=poster_now), "undo", "import", import_id, reason)
    show(result, as_json)
