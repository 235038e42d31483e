"""``plainbill chat``: be a patient in the terminal. The same road as a text or a Telegram message; nothing leaves."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import Edge, context
from bot.cli.exits import NOT_FOUND, UNAVAILABLE, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bot.channels.base import Channel, Inbound
    from bot.road import Road

app = typer.Typer(add_completion=False)


class Line(StrEnum):
    SMS = "sms"
    TELEGRAM = "telegram"


As = Annotated[str, typer.Option("--as", help="The patient's phone number; for Telegram a chat's id, or an account.",
                                 show_default=False)]
On = Annotated[Line, typer.Option("--channel", help="How the patient writes.")]


@dataclass(frozen=True, slots=True)
class _Talk:
    """Who writes where. ``heard`` makes a line and its id into a message."""

    channel: Channel
    address: str
    heard: Callable[[str, str], Inbound]


@app.command()
def run(who: As, channel: On = Line.SMS) -> None:
    """Talk as a patient: a line in is a message, what is printed is the answer. Nothing is sent to anybody.

    On Telegram, [1] or a button's label presses it, and a t.me link from `chat --as PHONE` may be pasted.
    """
    number = "" if channel is Line.TELEGRAM else _phone(who)
    with context() as edge:
        talk = _by_text(edge, number) if number else _by_telegram(edge, who)
        asyncio.run(_listen(edge, talk))


def _phone(who: str) -> str:
    from billing.telephones import NotAPhone, e164

    try:
        return e164(who)
    except NotAPhone as error:
        raise Stop(f"--as: {error}.", USAGE) from error


def _by_text(edge: Edge, number: str) -> _Talk:
    from bot.channels.base import Inbound
    from bot.channels.console import ConsoleChannel

    console = ConsoleChannel(edge.clock.now, stream=sys.stdout)
    return _Talk(console, number, lambda line, name: Inbound(name, number, "console", line))


def _by_telegram(edge: Edge, who: str) -> _Talk:
    from bot.cli.chat_window import ChatWindow

    if edge.policy.telegram_on(edge.today()) is None:
        raise Stop("The practice has not accepted Telegram: its policy needs a [telegram] part, see docs/telegram.md "
                   "(T-19).", UNAVAILABLE)
    chat = who if who.isascii() and who.isdecimal() else _chat_of(edge, who)
    window = ChatWindow(sys.stdout)
    return _Talk(window, chat, lambda line, name: window.heard(line, chat, name))


def _chat_of(edge: Edge, account: str) -> str:
    """The chat that is joined to an account. Raises Stop."""
    from billing import accounts
    from billing.store.csv_queries import contacts_of

    def find(session: Session) -> tuple[str, str] | None:
        found = accounts.find_account(session, edge.practice_id, account)
        if found is None:
            return None
        chats = [one.address for one in contacts_of(session, found.id) if (one.channel, one.status) == (
            "telegram", "ok")]
        return found.id, chats[-1] if chats else ""

    found = edge.read(find, "account", lambda one: one[0] if one else "", "chat")
    if found is None:
        raise Stop("--as: neither a chat's id (digits) nor an account that is here.", NOT_FOUND)
    if not found[1]:
        raise Stop("No Telegram chat is joined to this account. Ask for Telegram with `plainbill chat --as PHONE`, "
                   "then use --as with any digits and paste the link.", NOT_FOUND)
    return found[1]


async def _listen(edge: Edge, talk: _Talk) -> None:
    from bot.app import worker_name
    from bot.road import Road

    road = Road(edge.store, edge.clock, f"chat:{worker_name()}", edge.settings.public_url,
                {talk.channel.name: talk.channel}, telegram_bot=edge.settings.telegram_bot_name or "")
    prompt = "> " if sys.stdin.isatty() else ""
    session = secrets.token_hex(6)
    number_of_line = 0
    while line := await asyncio.to_thread(_read, prompt):
        if not line.strip():
            continue
        number_of_line += 1
        await _say(edge, road, talk, talk.heard(line.strip(), f"{session}:{number_of_line}"))


def _read(prompt: str) -> str:
    if prompt:
        print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


async def _say(edge: Edge, road: Road, talk: _Talk, message: Inbound) -> None:
    """Accept one line and work until nothing is due: the answer is out before the next line is read."""
    from billing.phones import address_hash
    from bot import accept

    name, began = talk.channel.name, edge.now()
    hashed = address_hash(edge.practice_id, name, talk.address)
    await accept.keep(road, lambda s: accept.accept_message(s, name, message, began, edge.practice_id))
    await _drain(road, (name, hashed))
    for held in await edge.store.aread(partial(_held_back, practice_id=edge.practice_id, hashed=hashed, since=began)):
        print(held, file=sys.stderr, flush=True)


async def _drain(road: Road, only: tuple[str, str]) -> None:
    """Deliver to this conversation alone: other patients' messages are for the process that can reach them."""
    from billing import outbox
    from bot.deliver import deliver_one
    from bot.receive import receive_due

    while True:
        worked = await receive_due(road)
        claimed = await road.store.awrite(partial(outbox.claim, worker=road.worker, now=road.clock.now(), only=only))
        for outbox_id in claimed:
            await deliver_one(road, outbox_id)
        if not worked and not claimed:
            return


def _held_back(session: Session, practice_id: str, hashed: str, since: datetime) -> list[str]:
    """Which rule kept an answer back: silence would look like a fault."""
    from billing.store.demo_queries import messages_to

    return [f"({row.template}: {row.status} by {verdicts[-1].rule}: {verdicts[-1].reason})"
            for row, verdicts in reversed(messages_to(session, practice_id, (hashed,), ""))
            if row.created_at >= since and verdicts and verdicts[-1].outcome != "send"]
