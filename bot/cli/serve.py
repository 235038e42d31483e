"""``plainbill serve``: webhooks, patient pages and workers; one process, or on PostgreSQL as many as it takes."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import Edge, context
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from bot.app import App

app = typer.Typer(add_completion=False)


As = Annotated[str, typer.Option("--role", help="web, worker, scheduler, or all in one process.")]


@app.command()
def run(role: As = "all") -> None:
    """Run until SIGTERM or Ctrl-C; what was begun is finished first. Settings come from the environment.

    On PostgreSQL any number of web and worker processes may run beside each other, and schedulers elect one of them.
    """
    from uvicorn.loops.auto import auto_loop_factory

    with context() as edge, asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve(edge, role))


async def _serve(edge: Edge, named: str) -> None:
    from bot import app as wiring

    role = next((one for one in wiring.ROLES if one == named), None)
    if role is None:
        raise Stop(f"There is no role {named!r}; there are {', '.join(wiring.ROLES)}.", USAGE)
    if role != "all" and edge.settings.database_url.startswith("sqlite"):
        raise Stop("On SQLite one process does everything: leave --role out, or set PLAINBILL_DATABASE_URL to a "
                   "PostgreSQL database.", USAGE)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with wiring.wire(edge.settings, edge.store, edge.clock, role) as made:
        _announce(edge, made)
        await wiring.run(made, stop)


def _announce(edge: Edge, made: App) -> None:
    unset = "" if edge.configured else " (no policy yet: `plainbill practice set FILE.toml`; nothing is sent)"
    here = f"http://{edge.settings.host}:{edge.settings.port}"
    if made.role in ("worker", "scheduler"):
        typer.echo(f"Plainbill works as {made.role}{unset}; /healthz, /readyz and /metrics are on {here}. "
                   "Stop with Ctrl-C.", err=True)
        return
    typer.echo(f"Plainbill serves practice {edge.practice_id}{unset} on {here}, "
               f"patients reach it at {made.settings.public_url}. Stop with Ctrl-C.", err=True)
