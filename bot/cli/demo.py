"""``plainbill demo``: the whole thing at work on a sample practice, with no account and no network."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.exits import REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from datetime import datetime

    from bot.demo.scripts import Play

app = typer.Typer(add_completion=False)

Script = Annotated[bool, typer.Option("--script", help="Play a conversation without a browser, print it, and end.")]
Port = Annotated[int, typer.Option("--port", help="Port of the demo's page.")]
Name = Annotated[str, typer.Argument(help="With --script: what to play; any other word lists what there is.",
                                     show_default=False)]


@app.command()
def run(name: Name = "", script: Script = False, port: Port = 8080) -> None:
    """See claims come in, a patient ask why, pay, and the ledger show it. Starts on a Tuesday at 10:00."""
    from bot.demo.stage import DEFAULT_START, StageError
    from bot.logs import configure_logs
    from config.settings import load

    play = _play_of(name) if script or name else None
    if play is not None and not script:
        raise Stop(f"Write `plainbill demo --script {name}` to play it.", USAGE)
    settings = load()
    configure_logs("warning", as_json=False)
    start = settings.clock or DEFAULT_START
    try:
        asyncio.run(_play(play, start) if play is not None else _serve(start, port))
    except StageError as error:
        raise Stop(f"The demo stopped: {error}.", REFUSED) from error


def _play_of(name: str) -> Play:
    from bot.demo import scripts

    try:
        return scripts.find(name or scripts.MAIN)
    except KeyError as error:
        there = "".join(f"\n  {one}: {scripts.about(one)}" for one in scripts.names())
        raise Stop(f"There is no script {name!r}. There are:{there}", USAGE) from error


async def _play(play: Play, start: datetime) -> None:
    from bot.demo.stage import open_stage

    async with open_stage(start) as stage:
        await play(stage, typer.echo)


async def _serve(start: datetime, port: int) -> None:
    from bot.demo import server
    from bot.demo.opening import open_for_visitors
    from bot.demo.stage import StageError, open_stage
    from bot.standins.wire import start as listen

    stop = _stop_by_signal()
    async with open_stage(start) as stage:
        try:
            page = await listen(server.make_app(stage), port)
        except OSError as error:
            raise StageError(f"port {port} is taken; choose another with --port") from error
        try:
            await open_for_visitors(stage, typer.echo)
            typer.echo(f"\nOpen {page.url} in a browser. Ctrl-C stops everything.")
            await stop.wait()
        finally:
            await page.stop()


def _stop_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
