"""``plainbill restore``: a new database out of a backup. It sends nothing and charges nobody until it is released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.backup import backup_key, show
from bot.cli.edge import AsJson, keyring, make_folder

app = typer.Typer(add_completion=False)


@app.command()
def run(file: Annotated[Path, typer.Argument(help="A file of plainbill backup.")], as_json: AsJson = False) -> None:
    """Fill the empty database of PLAINBILL_DATABASE_URL from FILE, all or nothing.

    The copy then stands in the shadow: see `plainbill restored`.
    """
    from rich.console import Console

    from bot.backup import restore_backup
    from bot.logs import configure_logs
    from bot.write import open_store
    from config.clock import make_clock
    from config.settings import load

    settings = load()  # not through context(): that makes a practice, and a restored database has its own
    configure_logs(settings.log_level, as_json=settings.in_production)
    make_folder(settings.database_url)
    store = open_store(settings.database_url, keyring(settings), upgrade=True)
    try:
        with Console(stderr=True).status("Restoring") as status:
            summary = restore_backup(store, backup_key(settings), file, make_clock(settings.clock).now(),
                                     lambda name, _: status.update(f"Restoring {name}"))
    finally:
        store.close()
    show(summary, file, "restored:", as_json)
    if not as_json:
        typer.echo("Nothing leaves this copy and nobody is charged until it was compared with the carrier and the "
                   "processor, and a person has said what left by chat, e-mail and letter: plainbill restored texts, "
                   "plainbill restored money, plainbill restored channel, plainbill restored release.")
