"""The running worker and Telegram's pace: a chat that waits for its second holds up nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot import worker
from bot.channels.telegram_pace import Pace
from bot.write import Store
from tests.conftest import Clock
from tests.road.telegram_scene import CHAT, Scene, open_scene


async def test_while_one_chat_rests_others_and_other_channels_are_served(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """The joined chat is due two messages with eight seconds of rest between; everybody else waits for neither."""
    async with open_scene(sqlite_store, clock, tmp_path, pace=Pace(per_second=1000, chat_gap=8.0)) as scene:
        stop = asyncio.Event()
        await scene.channel.api()
        await scene.line.dispatcher()
        running = asyncio.create_task(worker.run(scene.road, stop, ()))
        await scene.do(text=f"/start {scene.make_token()}")
        await scene.fetch()
        await _until(scene, CHAT, 1)
        await scene.do(chat=8800, text="HELP")
        await scene.fetch()
        await _until(scene, 8800, 1)
        assert len(await scene.sent(CHAT)) == 1, "the second of the joined chat still rests"
        await _until(scene, CHAT, 2)
        stop.set()
        await running


async def _until(scene: Scene, chat: int, count: int) -> None:
    async with asyncio.timeout(30):
        while len(await scene.sent(chat)) < count:  # noqa: ASYNC110 - the server is asked, it does not ring
            await asyncio.sleep(0.05)
