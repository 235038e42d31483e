"""Telegram on the sample patients' phones: what they do in the app, by the controls of the Telegram stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.channels.telegram_line import TelegramLine
from bot.demo.people import Person
from bot.standins.wire import Running

_OPENED = re.compile(r"/start\s.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ChatPhones:
    """``starting`` ends when aiogram is loaded, which takes seconds; what is written before waits at the stand-in.
    ``go`` lets it begin: beside the opening of the practice it would make everybody wait.
    """

    standin: Running
    bot: str  # the bot's username, as t.me links name it
    http: aiohttp.ClientSession
    starting: asyncio.Task[Any]
    go: asyncio.Event

    @property
    def ready(self) -> bool:
        return self.starting.done()

    async def write(self, person: Person, text: str) -> None:
        await self._do(person, text=text)

    async def open_link(self, person: Person, token: str) -> None:
        """Press Start behind a t.me link: the app sends its token along with /start."""
        await self._do(person, text=f"/start {token}")

    async def press(self, person: Person, message_id: int, place: int) -> None:
        """Press a button, counted from 0 over all rows. Raises LookupError when the message has none at that place."""
        for message in await self._messages(person):
            if message["message_id"] == message_id:
                data = [button["callback_data"] for row in _keyboard(message) for button in row][place]
                await self._do(person, data=data, message_id=message_id)
                return
        raise LookupError("there is no such message in this chat")

    async def thread(self, person: Person) -> list[dict[str, Any]]:
        """Both sides of the chat, oldest first; ``buttons`` are the labels, row by row."""
        return [_shown(message) for message in await self._messages(person)]

    async def _messages(self, person: Person) -> list[dict[str, Any]]:
        async with self.http.get(f"{self.standin.url}/_standin/messages") as answer:
            found: list[dict[str, Any]] = await answer.json()
        return [message for message in found if message["chat"]["id"] == person.chat]

    async def _do(self, person: Person, **what: Any) -> None:
        wanted = {"chat_id": person.chat, "language": person.language, **what}
        async with self.http.post(f"{self.standin.url}/_standin/update", json=wanted) as answer:
            answer.raise_for_status()


@contextlib.asynccontextmanager
async def running_chats(standin: Running, bot: str, line: TelegramLine, http: aiohttp.ClientSession,
                        ) -> AsyncIterator[ChatPhones]:
    """Run the production adapter's line from ``go`` on while the block lasts."""
    go, stop = asyncio.Event(), asyncio.Event()
    starting = asyncio.create_task(_after(go, line.dispatcher))
    serving = asyncio.create_task(_after(go, lambda: line.run(stop)))
    try:
        yield ChatPhones(standin, bot, http, starting, go)
    finally:
        stop.set()
        if not go.is_set():
            serving.cancel()
        starting.cancel()
        await asyncio.gather(serving, starting, return_exceptions=True)


async def _after(go: asyncio.Event, act: Callable[[], Awaitable[Any]]) -> Any:
    await go.wait()
    return await act()


def _keyboard(message: dict[str, Any]) -> list[list[dict[str, str]]]:
    return list((message.get("reply_markup") or {}).get("inline_keyboard", ()))


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    """As the app shows it: the token of a link that was opened stays out of sight."""
    mine = not message["from"]["is_bot"]
    body = message.get("text") or message.get("caption") or ""
    return {
        "id": message["message_id"], "direction": "inbound" if mine else "outbound",
        "body": _OPENED.sub("/start", body) if mine else body,
        "document": (message.get("document") or {}).get("file_name", ""),
        "buttons": [[button["text"] for button in row] for row in _keyboard(message)]}
