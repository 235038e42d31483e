"""A process that the crash tests kill (forking.py drives it). A life is ordered by url, journal, now, failpoint,
messages, refuse: it accepts the messages, ticks, and works until nothing is due at that instant.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.accept import accept_message, keep
from bot.channels.base import Inbound, Outbound, SendError, Sent
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.tick import JOBS, tick
from bot.worker import drain
from bot.write import open_store
from tests.conftest import TEST_KEYS, TUESDAY, Clock, practice_row
from tests.road.forking import load_model, serve_lives


class Refusing(ConsoleChannel):
    """A line on which nothing gets through, and the provider says so."""

    async def send(self, message: Outbound) -> Sent:
        raise SendError("retry", "30001")


async def live(order: dict[str, Any]) -> None:
    """One life of a process, at one instant."""
    clock = Clock(datetime.fromisoformat(order["now"]))
    kind = Refusing if order.get("refuse") else ConsoleChannel
    channel = kind(clock, journal=Path(order["journal"]))
    store = open_store(order["url"], TEST_KEYS)
    road = Road(store, clock, f"crash-{os.getpid()}", "http://127.0.0.1:8000", {"console": channel})
    for message in order["messages"]:
        await keep(road, partial(accept_message, channel="console", message=Inbound(**message), now=clock(),
                                 practice_id="prac_maple"))
    for job in JOBS:
        if job.name == "close_silent":
            continue  # lives are an hour apart; what silence does has tests of its own
        await tick(road, job)
    await drain(road)
    store.close()


def warm_up() -> None:
    """Live once on a database of its own before the first fork, so that imports and mappings are paid once."""
    load_model()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/warm.db"
        store = open_store(url, TEST_KEYS)
        store.write(practice_row(TUESDAY))
        store.close()
        message = {"external_id": "W1", "sender": "+12125550100", "to": "", "body": "HELP"}
        asyncio.run(live({"url": url, "journal": f"{folder}/journal", "now": TUESDAY.isoformat(),
                          "messages": [message]}))


if __name__ == "__main__":
    serve_lives(live, warm_up)
