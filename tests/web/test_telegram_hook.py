"""Telegram's webhook: believed only with our secret, kept before it is answered, kept once however often it comes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bot.processors.manual import ManualProcessor
from bot.web.app import make_app
from bot.web.guard import MOST_BYTES
from bot.web.telegram_hook import HEADER
from bot.web.wiring import Wiring
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.road.telegram_scene import CHAT, SECRET, Scene, open_scene, settings_for

UPDATE: dict[str, Any] = {"update_id": 5, "message": {
    "message_id": 3, "date": 1, "chat": {"id": CHAT, "type": "private"}, "text": "¿HELP?",
    "from": {"id": CHAT, "is_bot": False, "first_name": "P"}, "a_field_of_tomorrow": {"x": 1}}}


@dataclass
class Hook:
    scene: Scene
    url: str

    async def post(self, body: Any, secret: str | None = SECRET) -> int:
        headers = {} if secret is None else {HEADER: secret}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.scene.http.post(f"{self.url}/hooks/telegram", data=content, headers=headers) as answer:
            await answer.read()
            return answer.status


@asynccontextmanager
async def open_hook(store: Store, clock: Clock, folder: Path, *, mode: str = "webhook", on: bool = True,
                    **more: Any) -> AsyncIterator[Hook]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with open_scene(store, clock, folder, mode=mode, **more) as scene:
        app = make_app(Wiring(settings_for(scene.url, mode), scene.road, ManualProcessor(), scene.line if on else None))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield Hook(scene, f"http://127.0.0.1:{port}")
        server.should_exit = True
        await task


@pytest.fixture
async def hook(sqlite_store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[Hook]:
    async with open_hook(sqlite_store, clock, tmp_path) as opened:
        yield opened


async def test_an_update_with_the_secret_is_kept_once_and_answered(hook: Hook) -> None:
    assert [await hook.post(UPDATE) for _ in range(3)] == [200] * 3
    (row,) = hook.scene.inbox()
    assert (row.external_id, row.payload["body"], row.payload["sender"]) == ("4200:5", "¿HELP?", str(CHAT))
    await drain(hook.scene.road)
    assert "Maple Clinic" in (await hook.scene.news())[0]


@pytest.mark.parametrize("secret", [None, "", "secret-of-the-tests-0002", SECRET[:-1], SECRET + "x", "é"])
async def test_an_update_without_the_secret_is_refused_and_not_kept(hook: Hook, secret: str | None) -> None:
    assert await hook.post(UPDATE, secret) == 403
    assert hook.scene.inbox() == []


@pytest.mark.parametrize(("body", "status"), [
    (b"x" * (MOST_BYTES + 1), 413), (b"not json", 400), (b"[]", 400), ({"message": {}}, 400),
    ({"update_id": "5"}, 400), (b"\xff\xfe", 400),
])
async def test_what_is_no_update_is_said_to_be_none(hook: Hook, body: Any, status: int) -> None:
    assert await hook.post(body) == status
    assert hook.scene.inbox() == []


async def test_an_update_of_an_unknown_form_is_taken_off_telegrams_hands(hook: Hook) -> None:
    """Refused it would come again for a day and hold up the others."""
    assert await hook.post({"update_id": 6, "poll_of_tomorrow": {"id": "1"}}) == 200
    assert await hook.post({"update_id": 7, "message": {"message_id": "?"}}) == 200
    assert hook.scene.inbox() == []


async def test_what_cannot_be_kept_is_not_answered_so_that_it_comes_again(hook: Hook) -> None:
    hook.scene.store.close()
    assert await hook.post(UPDATE) == 500


async def test_t_19_until_the_practice_accepts_the_risk_nothing_is_taken(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_hook(sqlite_store, clock, tmp_path, risk=None) as hook:
        assert await hook.post(UPDATE) == 503
        assert hook.scene.inbox() == []


@pytest.mark.parametrize(("mode", "on"), [("webhook", False), ("polling", True)])
async def test_there_is_no_way_in_that_was_not_switched_on(
        sqlite_store: Store, clock: Clock, tmp_path: Path, mode: str, on: bool) -> None:
    async with open_hook(sqlite_store, clock, tmp_path, mode=mode, on=on) as hook:
        assert await hook.post(UPDATE) == 404
