"""A process that polls Telegram until a failpoint kills it; see tests/road/process.py for how it is driven.

Standard input: one JSON object per line: url (database), telegram (the server's address), now, failpoint. Standard
output: the exit code of the child, -9 when killed. A child asks for updates twice (the second asking confirms what
the first brought), ticks, and works until nothing is due at that instant.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import sys
import traceback
from datetime import datetime
from typing import Any

from bot import failpoints
from bot.app import telegram_channel
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_line import TelegramLine
from bot.channels.telegram_pace import Pace
from bot.logs import configure_logs
from bot.road import Road
from bot.tick import JOBS, tick
from bot.worker import drain
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
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


def run(order: dict[str, Any]) -> None:
    try:
        failpoints.arm(order["failpoint"])
        asyncio.run(live(order))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    configure_logs("error")  # to standard error: standard output is for exit codes
    for name in ("bot.channels.telegram_api", "bot.channels.telegram_router", "bot.turns"):
        importlib.import_module(name)  # paid for once, not in every child
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
