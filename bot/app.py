"""The only wiring: settings in, a running process out. Everything else gets what it needs handed to it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, assert_never, get_args

import uvicorn
from starlette.applications import Starlette

from bot import bells, reconcile, worker
from bot.channels.base import Channel
from bot.channels.console import ConsoleChannel
from bot.channels.email import EmailChannel, MailAccount
from bot.channels.sms import SmsChannel, TwilioAccount
from bot.channels.telegram import TelegramAccount, TelegramChannel
from bot.channels.telegram_buttons import derive_key
from bot.channels.telegram_line import TelegramLine
from bot.processors.base import Processor
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.tick import JOBS, Job
from bot.web.app import OWN_ROUTES, ROUTES, make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.addresses import mail_server
from config.clock import Clock
from config.settings import Settings, reveal

Role = Literal["all", "web", "worker", "scheduler"]
"""What one process does. Anything but all of it needs PostgreSQL: SQLite has one process."""

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class App:
    """One process, wired and not yet running."""

    settings: Settings
    store: Store
    clock: Clock
    road: Road
    processor: StripeProcessor
    web: Starlette
    telegram: TelegramLine | None = None
    role: Role = "all"


@asynccontextmanager
async def wire(settings: Settings, store: Store, clock: Clock, role: Role = "all") -> AsyncIterator[App]:
    """Make the adapters and the web application; free their sockets at the end. The store stays open."""
    processor = StripeProcessor(StripeAccount(
        reveal(settings.stripe_secret_key), reveal(settings.stripe_webhook_secret), settings.stripe_base_url),
        clock=clock.now)
    channels: dict[str, Channel] = {"sms": sms_channel(settings, clock), "console": ConsoleChannel(clock.now)}
    chat = telegram_channel(settings, clock) if settings.telegram_on else None
    if chat is not None:
        channels[chat.name] = chat
    if settings.smtp_url is not None:
        channels["email"] = EmailChannel(MailAccount(mail_server(reveal(settings.smtp_url)), clock.now))
    road = Road(store, clock, worker_name(), settings.public_url, channels,
                telegram_bot=settings.telegram_bot_name or "" if chat is not None else "", processor=processor,
                sends_at_once=settings.sends_at_once)
    line = TelegramLine(road, settings, chat) if chat is not None else None
    web = make_app(Wiring(settings, road, processor, line), ROUTES if role in ("all", "web") else OWN_ROUTES)
    try:
        yield App(settings, store, clock, road, processor, web, line, role)
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


def listening(web: Starlette, settings: Settings) -> uvicorn.Config:
    """How the web edge is served: no access log, for addresses hold tokens, and only our own proxies are believed."""
    return uvicorn.Config(
        web, host=settings.host, port=settings.port, log_config=None, access_log=False, lifespan="off",
        proxy_headers=bool(settings.trusted_proxies), forwarded_allow_ips=settings.trusted_proxies,
        server_header=False, timeout_graceful_shutdown=5)


async def run(app: App, stop: asyncio.Event) -> None:
    """Do this process's part until ``stop`` is set; then finish what was begun."""
    server = _Server(listening(app.web, app.settings))
    beside = [asyncio.create_task(_serve(server, stop)),
              asyncio.create_task(bells.ring_between(app.settings.database_url, app.road.wake, stop))]
    if app.telegram is not None and app.role in ("all", "web"):
        beside.append(asyncio.create_task(app.telegram.run(stop)))
    try:
        await asyncio.gather(*_parts(app, stop))
    finally:
        stop.set()
        server.should_exit = True
        await asyncio.gather(*beside)


def _parts(app: App, stop: asyncio.Event) -> list[Coroutine[Any, Any, object]]:
    jobs = (*JOBS, *payment_jobs(app.processor))
    match app.role:
        case "all":
            return [worker.run(app.road, stop, jobs)]
        case "web":
            return [stop.wait()]
        case "worker":
            return [worker.work(app.road, stop)]
        case "scheduler":
            return [worker.schedule(app.road, stop, jobs)]
        case role:
            assert_never(role)


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
