"""``plainbill serve``: webhooks, patient pages and workers in one process."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import typer

from bot.cli.edge import Edge, context

if TYPE_CHECKING:
    from bot.app import App

app = typer.Typer(add_completion=False)


@app.command()
def run() -> None:
    """Run until SIGTERM or Ctrl-C; what was begun is finished first. Settings come from the environment."""
    with context() as edge:
        asyncio.run(_serve(edge))


async def _serve(edge: Edge) -> None:
    from bot import app as wiring

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with wiring.wire(edge.settings, edge.store, edge.clock) as made:
        _announce(edge, made)
        await wiring.run(made, stop)


def _announce(edge: Edge, made: App) -> None:
    unset = "" if edge.configured else " (no policy yet: `plainbill practice set FILE.toml`; nothing is sent)"
    here = f"http://{edge.settings.host}:{edge.settings.port}"
    typer.echo(f"Plainbill serves practice {edge.practice_id}{unset} on {here}, "
               f"patients reach it at {made.settings.public_url}. Stop with Ctrl-C.", err=True)
