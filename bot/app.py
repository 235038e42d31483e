"""The only wiring: settings in, a running process out. Everything else gets what it needs handed to it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from bot import reconcile, worker
from bot.channels.base import Channel
from bot.channels.console import ConsoleChannel
from bot.channels.sms import SmsChannel, TwilioAccount
from bot.channels.telegram import TelegramAccount, TelegramChannel
from bot.channels.telegram_buttons import derive_key
from bot.channels.telegram_line import TelegramLine
from bot.processors.base import Processor
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.tick import JOBS, Job
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.clock import Clock
from config.settings import Settings, reveal


@dataclass(frozen=True, slots=True)
class App:
    """One process, wired and not yet running."""

    settings: Settings
    store: Store
    clock: Clock
    road: Road
    processor: StripeProcessor
    web: FastAPI
    telegram: TelegramLine | None = None


@asynccontextmanager
async def wire(settings: Settings, store: Store, clock: Clock) -> AsyncIterator[App]:
    """Make the adapters and the web application; free their sockets at the end. The store stays open."""
    processor = StripeProcessor(StripeAccount(
        reveal(settings.stripe_secret_key), reveal(settings.stripe_webhook_secret), settings.stripe_base_url),
        clock=clock.now)
    channels: dict[str, Channel] = {"sms": sms_channel(settings, clock), "console": ConsoleChannel(clock.now)}
    chat = telegram_channel(settings, clock) if settings.telegram_on else None
    if chat is not None:
        channels[chat.name] = chat
    road = Road(store, clock, worker_name(), settings.public_url, channels,
                telegram_bot=settings.telegram_bot_name or "" if chat is not None else "", processor=processor)
    line = TelegramLine(road, settings, chat) if chat is not None else None
    web = make_app(Wiring(settings, road, processor, line))
    try:
        yield App(settings, store, clock, road, processor, web, line)
    finally:
        for channel in channels.values():
            await channel.close()
        await processor.close()


def sms_channel(settings: Settings, clock: Clock) -> SmsChannel:
    return SmsChannel(TwilioAccount(
        settings.twilio_account_sid or "", reveal(settings.twilio_auth_token), settings.twilio_base_url,
        settings.public_url))


def telegram_channel(settings: Settings, clock: Clock) -> TelegramChannel:
    """Light: aiogram is loaded by the first call, in a thread, while the rest of the process starts up."""
    return TelegramChannel(TelegramAccount(
        reveal(settings.telegram_token), settings.telegram_base_url, derive_key(settings.link_secret_bytes), clock.now))


def worker_name() -> str:
    """Names this process in claims and leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def run(app: App, stop: asyncio.Event) -> None:
    """Serve and work until ``stop`` is set; then finish what was begun."""
    server = _Server(uvicorn.Config(
        app.web, host=app.settings.host, port=app.settings.port, log_config=None, access_log=False, lifespan="off",
        proxy_headers=False, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(_serve(server, stop))
    chatting = asyncio.create_task(app.telegram.run(stop)) if app.telegram is not None else None
    try:
        await worker.run(app.road, stop, (*JOBS, *payment_jobs(app.processor)))
    finally:
        stop.set()
        server.should_exit = True
        await serving
        if chatting is not None:
            await chatting


def payment_jobs(processor: Processor) -> tuple[Job, ...]:
    """What asks the payment processor without anybody's having said a word."""
    return (Job("reconcile_pages", 60, lambda road: reconcile.reconcile_due(road, processor)),
            Job("reconcile_books", 600, lambda road: reconcile.daily(road, processor)))


class _Server(uvicorn.Server):
    """Leaves the signals to whoever called ``run``."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _serve(server: uvicorn.Server, stop: asyncio.Event) -> None:
    """A port that is taken ends the process, not just the web half of it."""
    try:
        await server.serve()
    finally:
        stop.set()
