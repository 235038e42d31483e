"""The bot's line into the practice: updates are accepted, committed, and only then confirmed to Telegram.

By webhook the answer 200 confirms, by polling the next getUpdates does; either way an update that was not committed
comes again, and one that comes again changes nothing (UNIQUE source, external id). Nothing runs, whatever the
settings say, before the practice has accepted Telegram's risk (T-19).
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from billing.phones import address_hash
from billing.store import chat_queries, lease
from billing.store.practices import find_practice, policy_of
from bot import arrivals, own_words
from bot.accept import keep_soon
from bot.channels import telegram_buttons
from bot.channels.base import Inbound, SendError
from bot.channels.telegram import TelegramChannel
from bot.failpoints import hit
from bot.road import Road
from config.settings import Settings, reveal
from templates.render import render
from templates.source import speaking

if TYPE_CHECKING:
    from aiogram import Dispatcher
    from sqlalchemy.orm import Session

    from bot.channels.telegram_api import TelegramApi

WEBHOOK_PATH = "/hooks/telegram"
WAIT_SECONDS = 25
LEASE_NAME = "telegram-poll"
LEASE = timedelta(seconds=90)
_BACKOFF = (1, 2, 5, 15, 30)
_OFF_SECONDS = 15

#: What the client's menu offers; each is a text that is understood like any other.
COMMANDS = {
    "": (("balance", "What I owe"), ("why", "Why I owe it"), ("pay", "Pay"), ("statement", "My statement"),
         ("human", "A person"), ("language", "English or Spanish"), ("help", "Help"), ("stop", "No more messages")),
    "es": (("saldo", "Cuánto debo"), ("pagar", "Pagar"), ("estado", "Mi estado de cuenta"),
           ("persona", "Una persona"), ("idioma", "Español o inglés"), ("ayuda", "Ayuda"),
           ("stop", "No recibir más mensajes")),
}

_log = structlog.get_logger(__name__)


class TelegramLine:
    """Made at wiring when Telegram is switched on; ``run`` it beside the worker."""

    def __init__(self, road: Road, settings: Settings, channel: TelegramChannel, wait_seconds: int = WAIT_SECONDS,
                 ) -> None:
        self._road, self._settings, self._channel, self._wait = road, settings, channel, wait_seconds
        self._dispatcher: Dispatcher | None = None
        self._aside: set[asyncio.Task[None]] = set()
        self._told_off = False

    # What the router calls.

    async def accept(self, message: Inbound) -> bool:
        """Keep a message and commit; False if it was kept before. Whatever the store raises goes up: not confirmed."""
        return await keep_soon(self._road, arrivals.of_message(
            "telegram", message, self._road.clock.now(), self._settings.practice))

    def unseal(self, chat: str, data: str) -> telegram_buttons.Press | None:
        return telegram_buttons.unseal(self._channel.account.button_key, chat, data, self._road.clock.now())

    async def refuse_press(self, query: str, chat: str, language: str) -> None:
        """A forged or expired button: a short alert in the conversation's language, and nothing else."""
        spoken = await self._road.store.aread(partial(self._language, chat=chat)) or language or "en"
        own = await self._road.store.aread(partial(own_words.of, practice_id=self._settings.practice))
        with speaking(own):
            words = render("telegram_button_old", spoken, {}, "telegram").body
        self._beside("answer", lambda api: api.answer(query, words))

    def end_press(self, query: str, chat: int, message: int | None) -> None:
        """The road does not wait for the client's waiting sign, nor for the keyboard to go."""
        self._beside("answer", lambda api: api.answer(query))
        if message is not None:
            self._beside("keyboard", lambda api: api.drop_keyboard(chat, message))

    def leave(self, chat: int) -> None:
        self._beside("leave", lambda api: api.leave(chat))

    # Updates in.

    async def take(self, update: dict[str, Any]) -> None:
        """Feed one raw update through the dispatcher; it is committed when this returns. Raises what the store does.

        An update of a form that nobody can read is confirmed like any other: asked for again it would stay so.
        """
        api = await self._channel.api()
        dispatcher = await self.dispatcher()
        try:
            if api.knows(update):
                await dispatcher.feed_raw_update(api.bot, update)
        except ValidationError:
            _log.error("update not understood", fields=sorted(map(str, update)))

    async def dispatcher(self) -> Dispatcher:
        """The one router, for webhook, polling and tests."""
        if self._dispatcher is None:
            await self._channel.api()  # imports aiogram, in its thread
            module = await asyncio.to_thread(importlib.import_module, "bot.channels.telegram_router")
            self._dispatcher = self._dispatcher or module.make_dispatcher(self)
        return self._dispatcher

    async def is_on(self) -> bool:
        """Whether the practice has accepted Telegram's risk in writing, as of today."""
        return await self._road.store.aread(self._accepted)

    # Life.

    async def run(self, stop: asyncio.Event) -> None:
        """Take updates until ``stop`` is set, in the way the settings say."""
        work = self._webhook if self._settings.telegram_mode == "webhook" else self._poll
        failures = 0
        while not stop.is_set():
            try:
                rest = await work(stop)
                failures = 0
            except Exception as error:
                rest = self._after(error, failures)
                failures += 1
            await _until(stop, rest)
        await self._road.store.awrite(lambda session: lease.drop(session, LEASE_NAME, self._road.worker))
        await self.settle()

    async def _webhook(self, stop: asyncio.Event) -> float:
        """Tell Telegram where we are, then look now and then whether the practice still wants it."""
        if not await self._wanted():
            return _OFF_SECONDS
        api = await self._channel.api()
        await self.dispatcher()
        await api.set_webhook(self._settings.public_url.rstrip("/") + WEBHOOK_PATH,
                              reveal(self._settings.telegram_webhook_secret))
        self._beside("greeting", self._greet)
        while not stop.is_set() and await self.is_on():
            await _until(stop, _OFF_SECONDS)
        return 0

    async def _poll(self, stop: asyncio.Event) -> float:
        """One process polls, by a lease: Telegram gives updates to one asker at a time (409 for the others)."""
        if not await self._wanted() or not await self._has_lease():
            return _OFF_SECONDS
        api = await self._channel.api()
        await api.delete_webhook()
        self._beside("greeting", self._greet)
        offset: int | None = None
        while not stop.is_set() and await self.is_on() and await self._has_lease():
            offset = await self.fetch(offset, stop)
        return 0

    async def fetch(self, offset: int | None, stop: asyncio.Event) -> int | None:
        """Ask once, accept what came, return from where to ask next: only asking from there confirms it."""
        api = await self._channel.api()
        updates = await _unless_stopped(api.updates(offset, self._wait), stop)
        hit("poll.fetched")
        for update in updates or ():
            await self.take(update)
            offset = int(update["update_id"]) + 1
            hit("poll.accepted")
        return offset

    async def _greet(self, api: TelegramApi) -> None:
        """Set the client's menu, and look whether patients are being sent to this bot and to no other."""
        if (await api.username()).lower() != self._road.telegram_bot.lower():
            _log.error("PLAINBILL_TELEGRAM_BOT_NAME is not the name of the token's bot: links lead to another one")
        for language, commands in COMMANDS.items():
            await api.set_commands(commands, language)

    async def _wanted(self) -> bool:
        wanted = await self.is_on()
        if not wanted and not self._told_off:
            _log.warning("telegram is switched on but the practice has not accepted its risk; see docs/telegram.md")
        self._told_off = not wanted
        return wanted

    async def _has_lease(self) -> bool:
        now = self._road.clock.now()
        return await self._road.store.awrite(
            lambda session: lease.acquire(session, LEASE_NAME, self._road.worker, now + LEASE, now))

    def _after(self, error: Exception, failures: int) -> float:
        """How long to rest after a failure, and what to say about it: 409 and 401 are for a person to put right."""
        found = _verdict(error)
        _log.error("telegram does not answer as it should", error=type(error).__name__, advice=_ADVICE.get(
            found.code if found else "", "trying again"))
        return max(_BACKOFF[min(failures, len(_BACKOFF) - 1)], found.retry_after_seconds if found else 0)

    def _accepted(self, session: Session) -> bool:
        row = find_practice(session, self._settings.practice)
        if row is None or not row.configured:
            return False
        policy = policy_of(row)
        return policy.telegram_on(policy.local_day(self._road.clock.now())) is not None

    def _language(self, session: Session, chat: str) -> str:
        practice = self._settings.practice
        return chat_queries.language_of(session, practice, "telegram", address_hash(practice, "telegram", chat))

    def _beside(self, what: str, call: Callable[[TelegramApi], Awaitable[None]]) -> None:
        task = asyncio.create_task(self._courtesy(what, call))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _courtesy(self, what: str, call: Callable[[TelegramApi], Awaitable[None]]) -> None:
        """Done once and not missed if it fails: a waiting sign ends by itself, a keyboard is signed and dated."""
        api = await self._channel.api()
        try:
            await call(api)
        except Exception as error:
            _log.info("left undone", what=what, error=type(error).__name__)

    async def settle(self) -> None:
        """Wait for what runs beside the road; for shutting down and for tests."""
        await asyncio.gather(*self._aside, return_exceptions=True)


_ADVICE = {
    "409": "somebody else polls with this bot's token, or a webhook is set: stop the other one",
    "401": "the bot's token is refused: set PLAINBILL_TELEGRAM_TOKEN to the one of BotFather",
    "404": "the bot's token is refused: set PLAINBILL_TELEGRAM_TOKEN to the one of BotFather",
}


def _verdict(error: Exception) -> SendError | None:
    """Only aiogram's own errors have one; they can only be raised when its module is loaded already."""
    if not type(error).__module__.startswith("aiogram."):
        return None
    module = importlib.import_module("bot.channels.telegram_api")
    found: SendError = module.to_send_error(error, writes=False)
    return found


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _unless_stopped(asking: Coroutine[Any, Any, list[dict[str, Any]]], stop: asyncio.Event,
                          ) -> list[dict[str, Any]] | None:
    """The answer, or None when told to stop first: what was not confirmed comes again."""
    asked, stopped = asyncio.ensure_future(asking), asyncio.ensure_future(stop.wait())
    await asyncio.wait((asked, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not asked.done():
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return None
    return asked.result()
