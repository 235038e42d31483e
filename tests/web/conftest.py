"""The web edge served for real on loopback, with the Stripe stand-in behind it and a browser without script."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import pytest
import uvicorn
from sqlalchemy.orm import Session
from yarl import URL

from billing import links
from billing.store.tables import Practice
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.standins import stripe as stripe_standin
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock
from tests.payments import world

CARD = {"number": "4242424242424242", "exp": "12/34", "cvc": "123", "zip": "10001", "name": "A", "email": "a@b.co"}
ANSWERS = {"month": "2", "day": "29", "year": "1976", "zip": "10001"}


@dataclass
class Now:
    """config.clock.Clock over the tests' standing clock."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock()


@dataclass
class Site:
    """The site as a visitor and as its owner see it."""

    url: str
    stripe_url: str
    store: Store
    clock: Clock
    browser: aiohttp.ClientSession
    seen: list[tuple[int, str]] = field(default_factory=list)

    async def get(self, path: str, **more: Any) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("GET", path, **more)

    async def post(self, path: str, data: Any = None, **more: Any) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("POST", path, data=data, **more)

    async def _ask(self, method: str, path: str, **more: Any) -> tuple[int, str, aiohttp.ClientResponse]:
        url = path if path.startswith("http") else self.url + path
        more.setdefault("allow_redirects", False)
        async with self.browser.request(method, URL(url, encoded=True), **more) as answer:
            body = await answer.read()
            return answer.status, body.decode("utf-8", "replace"), answer

    def link(self, purpose: str, object_id: str = "", account: str = world.ANNA) -> str:
        """A link's path."""
        def make(session: Session) -> str:
            return links.make(session, world.PRACTICE, account, purpose, object_id, 30, self.clock())

        return f"/l/{self.store.write(make)}"

    async def prove(self, path: str, **other: str) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self.post(path, {**ANSWERS, **other})

    async def pay_on_page(self, page: str) -> str:
        """Pay at the stand-in's hosted page; return where it sends the browser."""
        status, _, answer = await self.post(page, CARD)
        assert status == 303
        return answer.headers["Location"]

    async def stripe_sessions(self) -> int:
        async with self.browser.get(f"{self.stripe_url}/_standin/journal") as answer:
            lines: list[dict[str, Any]] = await answer.json()
        made = {re.search(r"cs_\w+", str(line.get("answer", ""))) for line in lines
                if line.get("path") == "/v1/checkout/sessions" and line.get("status") == 200}
        return len({one.group() for one in made if one})

    async def fault(self, **wanted: Any) -> None:
        async with self.browser.post(f"{self.stripe_url}/_standin/fault", json=wanted) as answer:
            assert answer.status == 200


async def serve(store: Store, clock: Clock, stripe_url: str, port: int) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    settings = Settings(stripe_base_url=stripe_url, port=port, practice=world.PRACTICE)
    account = StripeAccount("sk_test_standin", "whsec_standin", stripe_url)
    road = Road(store, Now(clock), "test", f"http://127.0.0.1:{port}")
    processor = StripeProcessor(account, clock)
    app = make_app(Wiring(settings, road, processor))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(_until_stopped(server, processor))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    return server, task


async def _until_stopped(server: uvicorn.Server, processor: StripeProcessor) -> None:
    try:
        await server.serve()
    finally:
        await processor.close()


@pytest.fixture
async def site(sqlite_store: Store, sqlite_practice: Practice, clock: Clock) -> AsyncIterator[Site]:
    sqlite_store.write(lambda session: world.anna(session, clock()))
    standin = await stripe_standin.start(stripe_standin.make_app(
        stripe_standin.StripeOptions(clock=lambda: clock().timestamp())))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server, task = await serve(sqlite_store, clock, standin.url, port)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        yield Site(f"http://127.0.0.1:{port}", standin.url, sqlite_store, clock, browser)
    server.should_exit = True
    await task
    await standin.stop()
