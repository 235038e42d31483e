"""``plainbill chat``: be a patient in the terminal. The same road as a text, by the console channel."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import Edge, context
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from bot.road import Road

app = typer.Typer(add_completion=False)

As = Annotated[str, typer.Option("--as", help="The patient's phone number.", show_default=False)]


@app.command()
def run(phone: As) -> None:
    """Talk as a patient: a line in is a text, what is printed is the answer. Nothing is sent to anybody."""
    from billing.telephones import NotAPhone, e164

    try:
        number = e164(phone)
    except NotAPhone as error:
        raise Stop(f"--as: {error}.", USAGE) from error
    with context() as edge:
        asyncio.run(_talk(edge, number))


async def _talk(edge: Edge, number: str) -> None:
    from bot.app import worker_name
    from bot.channels.console import ConsoleChannel
    from bot.road import Road

    console = ConsoleChannel(edge.clock.now, stream=sys.stdout)
    road = Road(edge.store, edge.clock, f"chat:{worker_name()}", edge.settings.public_url, {"console": console})
    prompt = "> " if sys.stdin.isatty() else ""
    session = secrets.token_hex(6)
    number_of_line = 0
    while line := await asyncio.to_thread(_read, prompt):
        if not line.strip():
            continue
        number_of_line += 1
        await _say(edge, road, number, line.strip(), f"{session}:{number_of_line}")


def _read(prompt: str) -> str:
    if prompt:
        print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


async def _say(edge: Edge, road: Road, number: str, body: str, external_id: str) -> None:
    """Accept one line and work until nothing is due: the answer is out before the next line is read."""
    from bot import accept, worker
    from bot.channels.base import Inbound

    message = Inbound(external_id, number, "console", body)
    await accept.keep(road, lambda s: accept.accept_message(s, "console", message, edge.now(), edge.practice_id))
    await worker.drain(road)
