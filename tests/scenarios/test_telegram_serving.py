"""The whole process on Telegram, by webhook and by polling: it registers itself, takes updates, answers, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import app as wiring
from bot.app import App
from bot.channels.telegram_line import TelegramLine
from bot.write import Store
from tests.conftest import Clock
from tests.road.telegram_scene import PROOF, SECRET, Scene, open_scene, settings_for


@contextlib.asynccontextmanager
async def serving(scene: Scene, mode: str) -> AsyncIterator[App]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = settings_for(scene.url, mode, port=port, public_url=f"http://127.0.0.1:{port}")
    stop = asyncio.Event()
    async with wiring.wire(settings, scene.store, scene.clock) as made:
        task = asyncio.create_task(wiring.run(made, stop))
        yield made
        stop.set()
        await asyncio.wait_for(task, 40)


async def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            value = await found()
            if value:
                return value
            await asyncio.sleep(0.05)


@pytest.fixture(params=["webhook", "polling"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_process_serves_telegram_from_first_contact_to_an_answer(
        sqlite_store: Store, clock: Clock, tmp_path: Path, mode: str) -> None:
    async with open_scene(sqlite_store, clock, tmp_path, mode=mode) as scene, serving(scene, mode):
        await scene.do(text=f"/start {scene.make_token()}")
        await until(lambda: answers(scene, 2))
        await scene.do(text=PROOF)
        menu = (await until(lambda: answers(scene, 3)))[-1]
        assert "1) What I owe" in menu["text"]
        await scene.do(text="1")
        assert "/l/" in (await until(lambda: answers(scene, 4)))[-1]["text"]
        await until(lambda: pending_is_empty(scene))
        await check_calls(scene, mode)


async def answers(scene: Scene, count: int) -> list[dict[str, Any]]:
    sent = await scene.sent()
    return sent if len(sent) >= count else []


async def pending_is_empty(scene: Scene) -> bool:
    async with scene.http.post(f"{scene.url}/bot4200:token-of-the-tests/getWebhookInfo") as answer:
        return bool((await answer.json())["result"]["pending_update_count"] == 0)


async def check_calls(scene: Scene, mode: str) -> None:
    calls = await scene.calls()
    assert [call for call in calls if call["status"] not in (200, None)] == [], "only what is documented is sent"
    hooks = [call["params"] for call in calls if call["method"] in ("setWebhook", "deleteWebhook")]
    if mode == "webhook":
        assert hooks[0]["secret_token"] == SECRET and hooks[0]["drop_pending_updates"] == "false"
        assert hooks[0]["url"].endswith("/hooks/telegram") and hooks[0]["max_connections"] == "1"
        assert "callback_query" in hooks[0]["allowed_updates"] and "my_chat_member" in hooks[0]["allowed_updates"]
        assert not any(call["method"] == "getUpdates" for call in calls)
    else:
        assert hooks == [{"drop_pending_updates": "false"}]
    assert [call["params"].get("language_code") for call in calls if call["method"] == "setMyCommands"] == [None, "es"]
    assert len([call for call in calls if call["method"] == "sendMessage"]) == 4


async def test_a_conflict_is_told_clearly_and_outlived(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_scene(sqlite_store, clock, tmp_path) as scene:
        await scene.order("fault", method="getUpdates", mode="409", times=1)
        stop = asyncio.Event()
        with capture_logs() as lines:
            task = asyncio.create_task(scene.line.run(stop))
            await scene.do(text="HELP")
            await until(lambda: _inbox(scene))
            stop.set()
            await task
    assert any("somebody else polls with this bot's token" in str(line.get("advice")) for line in lines)


async def test_a_name_that_is_not_the_bots_is_told(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """Links to a stranger's bot would carry our tokens there."""
    async with open_scene(sqlite_store, clock, tmp_path) as scene:
        road = replace(scene.road, telegram_bot="somebody_elses_bot")
        line = TelegramLine(road, scene.settings, scene.channel, wait_seconds=0)
        stop = asyncio.Event()
        with capture_logs() as lines:
            task = asyncio.create_task(line.run(stop))
            await until(lambda: scene.calls("setMyCommands"))
            stop.set()
            await task
    assert any(line["event"].startswith("PLAINBILL_TELEGRAM_BOT_NAME is not the name") for line in lines)


async def _inbox(scene: Scene) -> list[Any]:
    return scene.inbox()


async def test_of_two_processes_one_polls_until_it_stops(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_scene(sqlite_store, clock, tmp_path) as scene:
        first, second = asyncio.Event(), asyncio.Event()
        other = TelegramLine(replace(scene.road, worker="other"), scene.settings, scene.channel, wait_seconds=0)
        polling = asyncio.create_task(scene.line.run(first))
        await until(lambda: scene.calls("getUpdates"))
        waiting = asyncio.create_task(other.run(second))
        await asyncio.sleep(0.3)
        hooks = len(await scene.calls("deleteWebhook"))
        assert hooks == 1, "the second does not even begin"
        first.set()
        await polling
        assert await other._has_lease()
        second.set()
        await waiting


async def test_t_19_switched_on_but_not_accepted_nothing_is_asked_of_telegram(
        sqlite_store: Store, clock: Clock, tmp_path: Path, mode: str) -> None:
    async with open_scene(sqlite_store, clock, tmp_path, mode=mode, risk=None) as scene:
        async with serving(scene, mode):
            await asyncio.sleep(0.5)
        assert await scene.calls() == []


async def test_switched_off_no_adapter_is_made(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_scene(sqlite_store, clock, tmp_path) as scene:
        settings = settings_for(scene.url, "off")
        async with wiring.wire(settings, scene.store, scene.clock) as made:
            assert made.telegram is None and "telegram" not in made.road.channels and made.road.telegram_bot == ""
