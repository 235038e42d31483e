"""/metrics says what waits and what was done, to whoever has the token, and nothing about anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import uvicorn
from pydantic import SecretStr

from billing import inbox
from bot.processors.manual import ManualProcessor
from bot.road import Road
from bot.web.app import OWN_ROUTES, make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock
from tests.web.conftest import Now

TOKEN = "a-token-of-the-operator"


@asynccontextmanager
async def _serving(store: Store, clock: Clock, token: str | None = TOKEN) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings(metrics_token=SecretStr(token) if token else None)
    road = Road(store, Now(clock), "w1", "https://pay.example")
    app = make_app(Wiring(settings, road, ManualProcessor()), OWN_ROUTES)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as browser:
        yield browser
    server.should_exit = True
    await task


async def _get(browser: aiohttp.ClientSession, path: str, token: str = "") -> tuple[int, str]:
    async with browser.get(path, headers={"authorization": f"Bearer {token}"} if token else {}) as answer:
        return answer.status, await answer.text()


async def test_the_metrics_want_the_token_and_say_what_waits(sqlite_store: Store, clock: Clock) -> None:
    sqlite_store.write(lambda s: inbox.accept(
        s, "main", "sms", "SM1", "message", "t", {"body": "PLANTED Maria Lopez 212-555-0142"},
        datetime(2026, 11, 3, 14, 59, tzinfo=UTC)))
    async with _serving(sqlite_store, clock) as browser:
        assert [(await _get(browser, "/metrics", token))[0] for token in ("", "wrong")] == [401, 401]
        status, text = await _get(browser, "/metrics", TOKEN)
    assert status == 200
    assert 'plainbill_waiting{queue="inbox",state="accepted"} 1.0' in text
    assert 'plainbill_oldest_seconds{queue="inbox"} 60.0' in text
    assert "PLANTED" not in text


async def test_without_a_token_there_is_no_such_page(sqlite_store: Store, clock: Clock) -> None:
    async with _serving(sqlite_store, clock, token=None) as browser:
        assert (await _get(browser, "/metrics", TOKEN))[0] == 404


async def test_a_process_that_serves_no_patients_answers_nothing_else(sqlite_store: Store, clock: Clock) -> None:
    async with _serving(sqlite_store, clock) as browser:
        assert [(await _get(browser, path))[0] for path in ("/healthz", "/readyz", "/l/abc", "/check")] == [
            200, 200, 404, 404]
