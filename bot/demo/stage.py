"""The demo's stage: the real application with its production adapters, the stand-ins, and a fresh sample practice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from sqlalchemy.orm import Session

from bot import app as wiring
from bot.cli.edge import keyring, make_folder
from bot.demo import desk, door
from bot.demo.chat import ChatPhones, running_chats
from bot.demo.clock import DemoClock
from bot.demo.reset import NotEmpty, prepare
from bot.importing import files as importing
from bot.importing.report import Report
from bot.standins import smtp, stripe, telegram, twilio
from bot.standins.smtp import SmtpRunning
from bot.standins.wire import Running
from bot.statement_runs import Line, accounts_to_send, send_statement
from bot.web.wiring import Wiring
from bot.write import Store, open_store
from config.policy_file import read_policy
from config.practice import PracticePolicy
from config.settings import Settings, load, reveal
from config.standins import STAND_IN_BOT

HERE = Path(__file__).parent
FILES = HERE / "files"
DEFAULT_START = datetime.fromisoformat("2026-11-17T10:00:00-05:00")  # a Tuesday at the sample practice
ORDER = ("procedures.csv", "patients.csv", "estimates.csv", "claims-2026-11-04.837", "remittances-2026-11-06.835",
         "remittances-2026-11-13.835")


class StageError(Exception):
    """The demo cannot be set up here; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything of a running demo. Times are the demo clock's. ``telegram`` is None where a stage has none."""

    settings: Settings
    store: Store
    clock: DemoClock
    app: wiring.App
    policy: PracticePolicy
    twilio: Running
    stripe: Running
    http: aiohttp.ClientSession
    journals: Path
    telegram: ChatPhones | None = None
    mail: SmtpRunning | None = None

    @property
    def practice_id(self) -> str:
        return self.settings.practice

    async def text(self, phone: str, body: str) -> None:
        """Text the practice from a phone, by the Twilio stand-in."""
        message = {"from": phone, "to": self.policy.sms_number, "body": body, "wait": True}
        async with self.http.post(f"{self.twilio.url}/_standin/inbound", json=message) as answer:
            answer.raise_for_status()

    async def thread(self, phone: str) -> list[dict[str, Any]]:
        """Both sides of a phone's conversation, oldest first, as the carrier has it."""
        async with self.http.get(f"{self.twilio.url}/_standin/thread", params={"number": phone}) as answer:
            found: Any = await answer.json()
        return list(found["messages"] if isinstance(found, dict) else found)

    @property
    def chats(self) -> ChatPhones:
        """Telegram on the patients' phones. Raises StageError on a stage without it."""
        if self.telegram is None:
            raise StageError("this stage has no Telegram")
        return self.telegram

    async def import_sample(self, show: Callable[[Report], None]) -> None:
        """Import the sample practice's files in the order in which a practice gets them."""
        job = importing.Job(self.practice_id, self.policy, "demo", self.clock.now)
        for name in ORDER:
            await asyncio.to_thread(importing.import_file, FILES / name, self.store, job, show)

    async def send_statements(self) -> list[Line]:
        """Make and queue every account's statement; the running worker delivers what the gate lets through. After
        that Telegram may start.
        """
        ids = await self.store.aread(lambda s: accounts_to_send(s, self.practice_id))
        lines = [await self.store.awrite(partial(
            send_statement, road=self.app.road, policy=self.policy, guarantor_id=i, now=self.clock.now())) for i in ids]
        self.app.road.wake.outbox.set()
        if self.telegram is not None:
            self.telegram.go.set()
        return lines

    async def wait_for(self, ready: Callable[[], Awaitable[Any]], what: str, seconds: float = 60) -> Any:
        """Poll until ``ready`` gives something true. Raises StageError naming ``what`` did not come."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (found := await ready()):
            if asyncio.get_running_loop().time() > deadline:
                raise StageError(f"{what} did not come within {seconds:.0f} seconds")
            await asyncio.sleep(0.05)
        return found


@contextlib.asynccontextmanager
async def open_stage(start: datetime, port: int = 0) -> AsyncIterator[Stage]:
    """Set the stage, run it while the block lasts, and take it down. Raises StageError."""
    clock = DemoClock(start)
    base = load()
    folder = _folder(base)
    async with contextlib.AsyncExitStack() as stack:
        around = await _start_stand_ins(base, folder, port or _free_port(), clock, stack)
        store = _fresh_store(around.settings, clock)
        stack.callback(store.close)
        made = await stack.enter_async_context(wiring.wire(around.settings, store, clock))
        door.hang(made.web, Wiring(around.settings, made.road, made.processor),
                  desk.Desk(store, around.settings.practice, clock))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(around.settings, store, clock, made, read_policy(HERE / "practice.toml"), around.twilio,
                      around.stripe, http, folder, mail=around.mail)
        await stack.enter_async_context(_running(stage))
        if made.telegram is not None:
            stage = replace(stage, telegram=await stack.enter_async_context(running_chats(
                around.telegram, around.settings.telegram_bot_name or "", made.telegram, http)))
        yield stage


@dataclass(frozen=True, slots=True)
class _Around:
    settings: Settings
    twilio: Running
    stripe: Running
    telegram: Running
    mail: SmtpRunning


async def _start_stand_ins(base: Settings, folder: Path, port: int, clock: DemoClock,
                           stack: contextlib.AsyncExitStack) -> _Around:
    """Start the stand-ins, then build settings that point the production adapters at them."""
    public_url = f"http://127.0.0.1:{port}"
    number = read_policy(HERE / "practice.toml").sms_number or ""
    text_server = await twilio.start(twilio.make_app(twilio.TwilioOptions(
        account_sid=base.twilio_account_sid or "", auth_token=reveal(base.twilio_auth_token),
        journal=folder / "twilio.jsonl", numbers=(number,), webhooks={number: f"{public_url}/hooks/twilio/sms"},
        clock=clock.timestamp)))
    stack.push_async_callback(text_server.stop)
    card_server = await stripe.start(stripe.make_app(stripe.StripeOptions(
        api_key=reveal(base.stripe_secret_key), webhook_url=f"{public_url}/hooks/stripe",
        webhook_secret=reveal(base.stripe_webhook_secret), journal=folder / "stripe.jsonl", clock=clock.timestamp)))
    stack.push_async_callback(card_server.stop)
    bot = base.telegram_bot_name or STAND_IN_BOT
    chat_server = await telegram.start(telegram.make_app(telegram.TelegramOptions(
        token=reveal(base.telegram_token), username=bot, journal=folder / "telegram.jsonl", clock=clock.timestamp)))
    stack.push_async_callback(chat_server.stop)
    mail_server = await smtp.start(smtp.SmtpOptions(journal=folder / "smtp.jsonl", clock=clock.timestamp))
    stack.push_async_callback(mail_server.stop)
    changed = {"database_url": _database(base, folder), "public_url": public_url, "host": "127.0.0.1", "port": port,
               "twilio_base_url": text_server.url, "stripe_base_url": card_server.url, "environment": "development",
               "telegram_base_url": chat_server.url, "telegram_bot_name": bot, "telegram_mode": "polling",
               "smtp_url": SecretStr(mail_server.smtp_url)}
    return _Around(base.model_copy(update=changed), text_server, card_server, chat_server, mail_server)


def _folder(base: Settings) -> Path:
    """The demo's own folder, without the journals of an earlier demo."""
    folder = base.var / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    for journal in folder.glob("*.jsonl"):
        journal.unlink()
    return folder


def _database(base: Settings, folder: Path) -> str:
    """The database that the environment names, or a file of the demo's own."""
    return base.database_url if os.environ.get("PLAINBILL_DATABASE_URL") else f"sqlite:///{folder / 'plainbill.db'}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fresh_store(settings: Settings, clock: DemoClock) -> Store:
    """Return a database that holds nothing but the sample practice's policy. Raises StageError."""
    policy = read_policy(HERE / "practice.toml")
    make_folder(settings.database_url)
    try:
        prepare(settings.database_url, keyring(settings), policy.legal_name)
    except NotEmpty as error:
        raise StageError(str(error)) from error
    store = open_store(settings.database_url, keyring(settings), upgrade=True)
    store.write(lambda s: _save_practice(s, settings.practice, policy, clock.now()))
    return store


def _save_practice(session: Session, practice_id: str, policy: PracticePolicy, now: datetime) -> None:
    from billing.store.practices import save_policy

    save_policy(session, practice_id, policy, True, now)
    desk.hire(session, practice_id, now)


@contextlib.asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[None]:
    stop = asyncio.Event()
    # Telegram's line runs on its own: see running_chats.
    task = asyncio.create_task(wiring.run(replace(stage.app, telegram=None), stop))
    try:
        await stage.wait_for(lambda: _answers(stage, task), "the web server")
        yield
    finally:
        stop.set()
        await task


async def _answers(stage: Stage, task: asyncio.Task[None]) -> bool:
    if task.done():
        await task
        raise StageError(f"port {stage.settings.port} is taken; choose another with --port")
    with contextlib.suppress(aiohttp.ClientError):
        async with stage.http.get(f"{stage.settings.public_url}/healthz") as answer:
            return answer.status == 200
    return False


def next_morning(stage: Stage, until: datetime) -> None:
    """Move the clock to just after ``until``: what waited for its hour may go."""
    stage.clock.move_to(until + timedelta(seconds=1))
