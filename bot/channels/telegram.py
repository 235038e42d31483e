"""Telegram as a channel. aiogram is loaded when the first call needs it, in a thread: importing it takes seconds."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from bot.channels import telegram_buttons
from bot.channels.base import Lookup, Outbound, SendError, Sent
from bot.channels.telegram_pace import Busy, Pace

if TYPE_CHECKING:
    from aiogram import Bot

    from bot.channels.telegram_api import TelegramApi

T = TypeVar("T")

FILE_NAME = "statement.pdf"
"""Says nothing of anybody: file names end up in lists of downloads."""

MOST_CAPTION = 1024


@dataclass(frozen=True, slots=True, repr=False)
class TelegramAccount:
    token: str
    base_url: str  # https://api.telegram.org, or any server that speaks the same
    button_key: bytes
    now: Callable[[], datetime]


class TelegramChannel:
    """Messages by one bot. One per event loop; close it. ``bot`` is given by who has one already, such as a test."""

    name = "telegram"

    def __init__(self, account: TelegramAccount, pace: Pace | None = None, bot: Bot | None = None) -> None:
        self.account = account
        self._pace = pace or Pace()
        self._bot = bot
        self._loading: asyncio.Task[TelegramApi] | None = None

    async def api(self) -> TelegramApi:
        """The bot, made when first asked for. While aiogram is being imported everything else goes on."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> TelegramApi:
        module = await asyncio.to_thread(importlib.import_module, "bot.channels.telegram_api")
        made: TelegramApi = module.TelegramApi(self.account.token, self.account.base_url, self._bot)
        return made

    async def send(self, message: Outbound) -> Sent:
        """Hand one message over; with a PDF the words go along as its caption. Telegram cannot be asked afterwards."""
        chat = _chat(message.to)
        if message.document is not None and len(message.body) > MOST_CAPTION:
            raise SendError("configuration", "caption_too_long")
        api = await self._ready()
        keyboard = telegram_buttons.rows(self.account.button_key, message.to, message.outbox_id, message.buttons,
                                         self.account.now())
        if message.document is None:
            made = await self._call(message.to, lambda: api.send_text(chat, message.body, keyboard), writes=True)
        else:
            file = (FILE_NAME, message.document)
            made = await self._call(message.to, lambda: api.send_file(chat, message.body, file, keyboard), writes=True)
        return Sent(str(made))

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Raises SendError: a bot cannot ask what it has sent."""
        raise SendError("configuration", "cannot_be_asked")

    async def redact(self, provider_id: str, address: str = "") -> None:
        """Delete a patient's message (T-52). A bot may, within 48 hours; after that it fails until staff hear of it."""
        api = await self._ready()
        await self._call(address, lambda: api.delete(_chat(address), int(provider_id)), writes=False)

    async def _ready(self) -> TelegramApi:
        """The bot, or the verdict that nothing can leave as things are; the next call tries again."""
        try:
            return await self.api()
        except Exception as error:
            self._loading = None
            raise SendError("configuration", type(error).__name__) from None

    async def close(self) -> None:
        if self._loading is not None:
            await (await self._loading).close()

    async def _call(self, chat: str, call: Callable[[], Awaitable[T]], *, writes: bool) -> T:
        try:
            async with self._pace.turn(chat):
                return await call()
        except Busy as busy:
            raise SendError("retry", "paced", busy.seconds) from None
        except Exception as error:
            found = (await self.api()).verdict(error, writes=writes)
            if found.retry_after_seconds:
                self._pace.pause(found.retry_after_seconds)
            raise found from None


def _chat(address: str) -> int:
    """Private chats alone: their ids are the users' and positive. Raises SendError for anything else."""
    if not address.isascii() or not address.isdecimal():
        raise SendError("unreachable", "no_chat")
    return int(address)
