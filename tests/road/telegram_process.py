"""A process that polls Telegram until a failpoint kills it (forking.py drives it). A life is ordered by url (database),
telegram (the server's address), now, failpoint: it asks for updates twice (the second asking confirms what the first
brought), ticks, and works until nothing is due at that instant.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from datetime import datetime
from typing import Any

from bot.app import telegram_channel
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_line import TelegramLine
from bot.channels.telegram_pace import Pace
from bot.road import Road
from bot.tick import JOBS, tick
from bot.worker import drain
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.road.forking import load_model, serve_lives
from tests.road.telegram_scene import BOT, settings_for


async def live(order: dict[str, Any]) -> None:
    """One life of a process, at one instant."""
    clock = Clock(datetime.fromisoformat(order["now"]))
    settings = settings_for(order["telegram"])
    channel = TelegramChannel(telegram_channel(settings, clock).account, Pace(per_second=1000, chat_gap=0))
    store = open_store(order["url"], TEST_KEYS)
    road = Road(store, clock, f"crash-{os.getpid()}", "https://pay.maple.example", {"telegram": channel},
                telegram_bot=BOT)
    line = TelegramLine(road, settings, channel, wait_seconds=0)
    offset = await line.fetch(None, asyncio.Event())
    await line.fetch(offset, asyncio.Event())
    for job in JOBS:
        if job.name != "close_silent":
            await tick(road, job)
    await drain(road)
    await line.settle()
    await channel.close()
    store.close()


def warm_up() -> None:
    for name in ("bot.channels.telegram_api", "bot.channels.telegram_router", "bot.turns"):
        importlib.import_module(name)
    load_model()


if __name__ == "__main__":
    serve_lives(live, warm_up)
