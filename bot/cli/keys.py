"""``plainbill keys``: make keys, and re-seal everything under a new one."""

from __future__ import annotations

import base64
import secrets
from functools import partial
from typing import Annotated

import typer

from bot.cli.edge import AsJson, Edge, context, print_json
from config.keys import KEY_BYTES

app = typer.Typer(no_args_is_help=True, help="Make keys, and re-seal everything under a new one.")


@app.command("new")
def new(key_id: Annotated[str, typer.Option("--id", help="Name the key, for PLAINBILL_ENCRYPTION_KEYS.")] = "") -> None:
    """Print a new random key. Nothing is stored: it is lost unless you keep it."""
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    print(f"{key_id}:{key}" if key_id else key)


@app.command("rotate")
def rotate(
    as_json: AsJson = False,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Rows in one transaction.")] = 500,
) -> None:
    """Re-seal every encrypted value under the first key of PLAINBILL_ENCRYPTION_KEYS.

    Put the new key in front of the old one first. May be stopped and started again, also while Plainbill serves;
    take the old key away only after a run that re-sealed nothing.
    """
    from rich.console import Console
    from rich.progress import Progress

    from billing.store.rotation import sealed_tables

    totals: dict[str, int] = {}
    with context() as edge, Progress(console=Console(stderr=True), disable=as_json) as progress:
        tables = sealed_tables()
        task = progress.add_task("Re-sealing", total=len(tables))
        for table in tables:
            progress.update(task, description=f"Re-sealing {table}")
            totals[table] = _reseal_table(edge, table, batch)
            progress.advance(task)
        current = edge.settings.current_key
        edge.write(lambda session: None, "keys.rotate", "practice", edge.practice_id, f"{sum(totals.values())} rows")
    if as_json:
        print_json({"current_key": current, "resealed": sum(totals.values()), "tables": totals})
    else:
        print(f"{sum(totals.values())} rows re-sealed under key {current!r} in {len(totals)} tables.")


def _reseal_table(edge: Edge, table: str, size: int) -> int:
    from billing.store.rotation import reseal_batch

    total = 0
    batch = edge.store.write(lambda session: reseal_batch(session, table, None, size))
    while batch.after is not None:
        total += batch.resealed
        batch = edge.store.write(partial(reseal_batch, table_name=table, after=batch.after, size=size))
    return total + batch.resealed
