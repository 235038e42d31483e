"""The calls of Telegram's Bot API that we make, by aiogram's typed methods, and what each failure comes to.

Heavy to import (seconds, 170 MB): bot/channels/telegram.py loads it when Telegram is switched on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, cast

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
)

from bot.channels.base import SendError

TOTAL_SECONDS = 20
CONNECT_SECONDS = 6
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
MAX_CONNECTIONS = 1
"""Webhooks one after the other: side by side, two quick texts of one chat could overtake each other."""

_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_NOBODY_THERE = ("chat not found", "user not found", "peer_id_invalid", "can't initiate conversation",
                 "can't send messages to bots", "bot can't send")
_GONE_ALREADY = "message to delete not found"

#: aiogram logs updates that fail with what they were, which is PHI (T-39); our own log says enough.
logging.getLogger("aiogram").setLevel(logging.CRITICAL + 1)


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates whose answer is read one update at a time: one that cannot be read must not hold up the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class _TimedSession(AiohttpSession):
    """aiogram's transport with a limit of its own for connecting, so that "never sent" can be told from "unknown"."""

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109 - the base class has it
        limits = aiohttp.ClientTimeout(total=timeout or TOTAL_SECONDS, connect=CONNECT_SECONDS)
        return await super().make_request(bot, method, timeout=cast(int, limits))


class TelegramApi:
    """One bot's calls. They raise what aiogram raises; ``verdict`` says what it means."""

    def __init__(self, token: str, base_url: str, bot: Bot | None = None) -> None:
        self.bot = bot or Bot(token, session=_TimedSession(api=TelegramAPIServer.from_base(base_url)))

    def knows(self, update: dict[str, Any]) -> bool:
        """Whether it is of a kind that we asked for; aiogram warns of others with all that they hold."""
        return any(kind in update for kind in ALLOWED_UPDATES)

    async def send_text(self, chat: int, body: str, keyboard: Sequence[Sequence[tuple[str, str]]]) -> int:
        """Return the message's number. No preview: a robot must not open our links."""
        sent = await self.bot.send_message(chat, body, reply_markup=_markup(keyboard), protect_content=True,
                                           link_preview_options=LinkPreviewOptions(is_disabled=True))
        return sent.message_id

    async def send_file(self, chat: int, caption: str, file: tuple[str, bytes],
                        keyboard: Sequence[Sequence[tuple[str, str]]]) -> int:
        """Return the message's number. ``file``: its name and what is in it."""
        name, content = file
        sent = await self.bot.send_document(chat, BufferedInputFile(content, name), caption=caption,
                                            reply_markup=_markup(keyboard), protect_content=True)
        return sent.message_id

    async def delete(self, chat: int, message: int) -> None:
        try:
            await self.bot.delete_message(chat, message)
        except TelegramBadRequest as error:
            if _GONE_ALREADY not in error.message.lower():
                raise

    async def answer(self, query: str, alert: str = "") -> None:
        """End the waiting sign on a pressed button, with a short alert if there is one."""
        await self.bot.answer_callback_query(query, text=alert or None, show_alert=True if alert else None)

    async def drop_keyboard(self, chat: int, message: int) -> None:
        await self.bot.edit_message_reply_markup(chat_id=chat, message_id=message, reply_markup=None)

    async def leave(self, chat: int) -> None:
        await self.bot.leave_chat(chat)

    async def updates(self, offset: int | None, wait_seconds: int) -> list[dict[str, Any]]:
        """Wait for updates from ``offset`` on; asking confirms all before it."""
        asked = RawUpdates(offset=offset, limit=100, timeout=wait_seconds, allowed_updates=ALLOWED_UPDATES)
        return await self.bot(asked, request_timeout=wait_seconds + TOTAL_SECONDS)

    async def set_webhook(self, url: str, secret: str) -> None:
        await self.bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES,
                                   max_connections=MAX_CONNECTIONS, drop_pending_updates=False)

    async def delete_webhook(self) -> None:
        await self.bot.delete_webhook(drop_pending_updates=False)

    async def set_commands(self, commands: Sequence[tuple[str, str]], language: str = "") -> None:
        named = [BotCommand(command=command, description=what) for command, what in commands]
        await self.bot.set_my_commands(named, language_code=language or None)

    async def username(self) -> str:
        return (await self.bot.get_me()).username or ""

    async def close(self) -> None:
        await self.bot.session.close()

    def verdict(self, error: Exception, *, writes: bool) -> SendError:
        return to_send_error(error, writes=writes)


def _markup(keyboard: Sequence[Sequence[tuple[str, str]]]) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(text=label, callback_data=data) for label, data in row] for row in keyboard]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def to_send_error(error: Exception, *, writes: bool) -> SendError:
    """The verdict on a failed call. ``writes``: a lost answer may hide a message that was made. Carries no words."""
    match error:
        case TelegramRetryAfter():
            return SendError("retry", "429", retry_after_seconds=max(int(error.retry_after), 1))
        case TelegramMigrateToChat():
            return SendError("configuration", "migrated")
        case TelegramForbiddenError():
            return SendError("unreachable" if _says(error, *_NOBODY_THERE) else "opted_out", "403")
        case TelegramBadRequest() if _says(error, *_NOBODY_THERE):
            return SendError("unreachable", "400")
        case TelegramBadRequest():
            # Too old to be deleted: tried until staff hear of it; anything else is a fault of ours.
            return SendError("configuration" if writes else "retry", "400")
        case TelegramUnauthorizedError() | TelegramNotFound() | TelegramConflictError() | TelegramEntityTooLarge():
            return SendError("configuration", _CODES[type(error)])
        case TelegramServerError():
            return SendError("unknown" if writes else "retry", "5xx")
        case TelegramNetworkError():
            return _from_network(error, writes)
        case TelegramAPIError() if _says(error, "too many requests"):
            return SendError("retry", "429", retry_after_seconds=5)
        case TelegramAPIError():
            return SendError("configuration", "refused")
    # An answer that could not be read, or a fault of our own: the message may well exist.
    code = type(error).__name__ if isinstance(error, AiogramError | OSError | ValueError) else "fault"
    return SendError("unknown" if writes else "retry", code)


_CODES: dict[type[Exception], str] = {TelegramUnauthorizedError: "401", TelegramNotFound: "404",
                                      TelegramConflictError: "409", TelegramEntityTooLarge: "413"}


def _from_network(error: TelegramNetworkError, writes: bool) -> SendError:
    cause = error.__cause__
    code = type(cause).__name__ if cause is not None else "network"
    return SendError("retry" if isinstance(cause, _NEVER_SENT) or not writes else "unknown", code)


def _says(error: TelegramAPIError, *words: str) -> bool:
    said = error.message.lower()
    return any(word in said for word in words)
