"""``plainbill backup``: everything in one encrypted file, while Plainbill serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, context, print_json, require_right
from bot.cli.exits import UNAVAILABLE, Stop

if TYPE_CHECKING:
    from bot.backup import Summary
    from config.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="Where to write it; nothing is replaced.")],
    check: Annotated[bool, typer.Option("--check", help="Read FILE through instead, and restore nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write all rows, as they stand in one moment, to FILE, sealed with PLAINBILL_BACKUP_KEY.

    What is sealed in the database stays sealed under the practice's keys: neither key lies in the file.
    """
    from rich.console import Console

    from bot.backup import read_backup, write_backup

    with context() as edge, Console(stderr=True).status("Writing the backup") as status:
        key = backup_key(edge.settings)
        if check:
            summary = read_backup(key, file)
        else:
            edge.store.read(lambda session: require_right(session, edge, "policy"))
            summary = write_backup(edge.store, key, file, edge.now(), lambda name, _: status.update(f"Writing {name}"))
            edge.write(lambda session: None, "backup", "practice", edge.practice_id, f"{summary.total} rows")
    show(summary, file, "holds" if check else "written:", as_json)


def backup_key(settings: Settings) -> bytes:
    """Raises Stop when there is none."""
    from config.keys import parse_key
    from config.settings import reveal

    if settings.backup_key is None:
        raise Stop("Set PLAINBILL_BACKUP_KEY first; `plainbill keys new` prints one. Keep it apart from the backups "
                   "and from PLAINBILL_ENCRYPTION_KEYS.", UNAVAILABLE)
    return parse_key(reveal(settings.backup_key))


def show(summary: Summary, file: Path, verb: str, as_json: bool) -> None:
    """Say what a file holds."""
    if as_json:
        print_json({"file": file.name, "made_at": summary.made_at, "schema": summary.schema, "rows": summary.rows,
                    "total": summary.total})
    else:
        typer.echo(f"{file.name} {verb} {summary.total} rows of {len(summary.rows)} tables, as of "
                   f"{summary.made_at:%Y-%m-%d %H:%M} UTC.")
