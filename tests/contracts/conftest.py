"""The real SDKs against local servers that speak Twilio's, Telegram's and Stripe's interfaces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.channels.email import EmailChannel, MailAccount
from bot.channels.sms import SmsChannel, TwilioAccount
from bot.channels.telegram import TelegramAccount, TelegramChannel
from bot.channels.telegram_pace import Pace
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.standins import smtp as smtp_standin
from bot.standins import stripe as stripe_standin
from bot.standins import telegram as telegram_standin
from bot.standins import twilio as twilio_standin
from config.addresses import mail_server
from tests.conftest import TUESDAY
from tests.contracts.stripe_servers import KEY, SECRET, Script, Server, localstripe, scripted

BOT_TOKEN = "4200:token-of-the-tests"
BUTTON_KEY = bytes(range(32))
PUBLIC = "http://127.0.0.1:9"  # nobody listens there: reports go nowhere


@dataclass
class Served:
    """An adapter, its server's address, and a way to give that server orders."""

    url: str
    adapter: Any

    async def order(self, path: str, body: dict[str, Any]) -> Any:
        async with aiohttp.ClientSession() as client, client.post(f"{self.url}/_standin/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def journal(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as client, client.get(f"{self.url}/_standin/journal") as answer:
            found: list[dict[str, Any]] = await answer.json()
        return found


@pytest.fixture
async def twilio() -> AsyncIterator[Served]:
    options = twilio_standin.TwilioOptions(numbers=("+12125550100",))
    running = await twilio_standin.start(twilio_standin.make_app(options))
    channel = SmsChannel(TwilioAccount(options.account_sid, options.auth_token, running.url, PUBLIC))
    yield Served(running.url, channel)
    await channel.close()
    await running.stop()


@pytest.fixture
async def email() -> AsyncIterator[Served]:
    running = await smtp_standin.start()
    channel = EmailChannel(MailAccount(mail_server(running.smtp_url), lambda: TUESDAY))
    yield Served(running.url, channel)
    await channel.close()
    await running.stop()


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Served]:
    options = telegram_standin.TelegramOptions(token=BOT_TOKEN, journal=tmp_path / "telegram.jsonl")
    running = await telegram_standin.start(telegram_standin.make_app(options))
    channel = telegram_at(running.url)
    yield Served(running.url, channel)
    await channel.close()
    await running.stop()


def telegram_at(url: str, pace: Pace | None = None, token: str = BOT_TOKEN) -> TelegramChannel:
    """A channel that does not wait, unless a pace is given."""
    account = TelegramAccount(token, url, BUTTON_KEY, lambda: TUESDAY)
    return TelegramChannel(account, pace or Pace(per_second=1000, chat_gap=0))


@pytest.fixture
async def stripe() -> AsyncIterator[Served]:
    running = await stripe_standin.start(stripe_standin.make_app(stripe_standin.StripeOptions()))
    processor = StripeProcessor(StripeAccount(KEY, SECRET, running.url))
    yield Served(running.url, processor)
    await processor.close()
    await running.stop()


@pytest.fixture(scope="session")
def independent() -> Iterator[Server]:
    with localstripe() as server:
        yield server


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """A server that speaks Stripe's interface: parametrize it with ``carrying(promise)``."""
    if request.param == "localstripe":
        yield request.getfixturevalue("independent")
        return
    running = await stripe_standin.start(stripe_standin.make_app(stripe_standin.StripeOptions()))
    yield Server("standin", running.url)
    await running.stop()


@pytest.fixture
async def adapter(server: Server) -> AsyncIterator[StripeProcessor]:
    processor = StripeProcessor(StripeAccount(KEY, SECRET, server.url))
    yield processor
    await processor.close()


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as made:
        yield made


@pytest.fixture
async def told(script: Script) -> AsyncIterator[StripeProcessor]:
    """The adapter against the scripted server."""
    processor = StripeProcessor(StripeAccount(KEY, SECRET, script.url), lambda: TUESDAY)
    yield processor
    await processor.close()
