"""A practice that has accepted Telegram, a patient with a phone and a chat, and Telegram's server beside them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy.orm import Session

from billing import consents, contacts
from billing.phones import address_hash
from billing.store.tables import ContactPoint, Conversation, Guarantor, Inbox, Outbox
from bot.accept import accept_message, keep
from bot.app import telegram_channel
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_line import TelegramLine
from bot.channels.telegram_pace import Pace
from bot.road import Road
from bot.standins import telegram as standin
from bot.worker import drain
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock, practice_row
from tests.payments import world

TOKEN = "4200:token-of-the-tests"
SECRET = "secret-of-the-tests-0001"
BOT = "maple_billing_bot"
PHONE = "+12125550123"
CHAT = 7700123
RISK = {"accepted_by": "Maria Lopez, manager", "accepted_on": "2026-11-01", "wording_version": "2026-11"}
PROOF = "02/29/1976 10001"


@dataclass
class Scene:
    store: Store
    clock: Clock
    road: Road
    line: TelegramLine
    channel: TelegramChannel
    settings: Settings
    url: str
    http: aiohttp.ClientSession
    sms: Path
    offset: int | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    told: int = 0
    texts: int = 0

    async def do(self, chat: int = CHAT, **wanted: Any) -> dict[str, Any]:
        """The patient does something in Telegram; the update waits at the server."""
        made: dict[str, Any] = await self.order("update", chat_id=chat, **wanted)
        return made

    async def order(self, path: str, **wanted: Any) -> Any:
        async with self.http.post(f"{self.url}/_standin/{path}", json=wanted) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def fetch(self) -> None:
        self.offset = await self.line.fetch(self.offset, self.stop)
        await self.line.settle()

    async def say(self, text: str = "", chat: int = CHAT, **more: Any) -> list[str]:
        """Write in the chat (or press, block ...); return what is answered there, links without their tokens."""
        await self.do(chat, **({"text": text} if text else {}), **more)
        await self.fetch()
        await drain(self.road)
        return await self.news(chat)

    async def press(self, label: str, chat: int = CHAT) -> list[str]:
        """Press the button with this label on the newest message that has one."""
        message = next(m for m in reversed(await self.sent(chat)) if label in labels(m))
        return await self.say(data=data_of(message, label), message_id=message["message_id"], chat=chat)

    async def news(self, chat: int = CHAT) -> list[str]:
        found = [m.get("text") or m.get("caption", "") for m in await self.sent(chat)]
        new, self.told = found[self.told:], len(found)
        return [re.sub(r"/l/[\w-]+", "/l/TOKEN", one) for one in new]

    async def calls(self, method: str = "") -> list[dict[str, Any]]:
        async with self.http.get(f"{self.url}/_standin/journal") as answer:
            lines: list[dict[str, Any]] = await answer.json()
        return [line for line in lines if line["kind"] == "request" and method in ("", line["method"])]

    async def sent(self, chat: int = CHAT) -> list[dict[str, Any]]:
        """The messages that the server took from us for this chat, as it answered them."""
        return [call["answer"]["result"] for call in await self.calls()
                if call["method"] in ("sendMessage", "sendDocument") and call["status"] == 200
                and call["params"]["chat_id"] == str(chat)]

    async def text(self, words: str) -> list[str]:
        """The patient texts from the phone; return what is texted back."""
        self.texts += 1
        message = Inbound(f"SM{self.texts}", PHONE, "+12125550100", words)
        await keep(self.road, lambda s: accept_message(s, "sms", message, self.clock()))
        before = len(self._texted())
        await drain(self.road)
        return self._texted()[before:]

    def _texted(self) -> list[str]:
        import json

        lines = self.sms.read_text(encoding="utf-8").splitlines() if self.sms.exists() else []
        return [json.loads(line)["body"] for line in lines]

    async def join(self) -> str:
        """Open a fresh one-time link in the chat; return its token."""
        token = self.make_token()
        await self.say(f"/start {token}")
        return token

    def make_token(self, account: str = world.ANNA) -> str:
        from billing import chats

        return self.store.write(lambda s: chats.make_link(s, world.PRACTICE, account, 60, self.clock()))

    async def verify(self) -> list[str]:
        return await self.say(PROOF)

    @property
    def chat_hash(self) -> str:
        return address_hash(world.PRACTICE, "telegram", str(CHAT))

    def standing(self) -> consents.Standing:
        return self.store.read(lambda s: consents.standing(s, world.PRACTICE, "telegram", self.chat_hash, world.ANNA))

    def contacts(self) -> list[tuple[str, str]]:
        return self.store.read(lambda s: [(c.guarantor_id, c.status) for c in s.query(ContactPoint).filter_by(
            channel="telegram").order_by(ContactPoint.guarantor_id)])

    def rows(self) -> list[Outbox]:
        return self.store.read(lambda s: list(s.query(Outbox).filter_by(channel="telegram").order_by(Outbox.id)))

    def inbox(self) -> list[Inbox]:
        return self.store.read(lambda s: list(s.query(Inbox).filter_by(source="telegram").order_by(Inbox.id)))

    def talk(self) -> Conversation:
        return self.store.read(lambda s: s.query(Conversation).filter_by(channel="telegram",
                                                                         address_hash=self.chat_hash).one())


def labels(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def data_of(message: dict[str, Any], label: str) -> str:
    rows = message["reply_markup"]["inline_keyboard"]
    return next(str(button["callback_data"]) for row in rows for button in row if button["text"] == label)


def settings_for(url: str, mode: str = "polling", **more: Any) -> Settings:
    return Settings(telegram_mode=mode, telegram_token=TOKEN, telegram_bot_name=BOT, telegram_webhook_secret=SECRET,
                    telegram_base_url=url, practice=world.PRACTICE, **more)


def fill(session: Session, clock: Clock, language: str = "en", **policy: Any) -> None:
    """The practice and Anna, who agreed to texts on her phone."""
    practice_row(clock(), baa_signed=["twilio"], **policy)(session)
    world.anna(session, clock())
    session.get_one(Guarantor, world.ANNA).language = language
    contacts.add_phone(session, world.PRACTICE, world.ANNA, PHONE, source="staff", now=clock())
    given = contacts.Given(clock(), "I agree to text messages about my bills.", "form", "ana")
    contacts.add_consent(session, world.PRACTICE, world.ANNA, PHONE, given)


@contextlib.asynccontextmanager
async def open_scene(store: Store, clock: Clock, folder: Path, *, mode: str = "polling", language: str = "en",
                     risk: dict[str, Any] | None = RISK, pace: Pace | None = None,
                     bot: Any = None) -> AsyncIterator[Scene]:
    """``risk``: the practice's acceptance, None for none. ``bot``: an aiogram bot in place of the one of the server."""
    store.write(lambda session: fill(session, clock, language, **({"telegram": risk} if risk else {})))
    running = await standin.start(standin.make_app(standin.TelegramOptions(
        token=TOKEN, username=BOT, journal=folder / "telegram.jsonl", clock=lambda: clock().timestamp(),
        retry_delays_s=(0.01,) * 8)))
    settings = settings_for(running.url, mode)
    channel = TelegramChannel(telegram_channel(settings, clock).account, pace or Pace(per_second=1000, chat_gap=0), bot)
    sms = folder / "sms.jsonl"
    road = Road(store, clock, "scene", "https://pay.maple.example",
                {"telegram": channel, "sms": ConsoleChannel(clock, journal=sms)}, telegram_bot=BOT)
    line = TelegramLine(road, settings, channel, wait_seconds=0)
    async with aiohttp.ClientSession() as http:
        yield Scene(store, clock, road, line, channel, settings, running.url, http, sms)
        await line.settle()
        await channel.close()
    await running.stop()
