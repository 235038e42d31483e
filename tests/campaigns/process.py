"""A process that sends a campaign and is killed at it (tests/road/forking.py drives it). A life is ordered by url,
journal, now, failpoint and campaign: it begins the campaign, feeds it and delivers until nothing is due then.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot import campaigning, deliver
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.tick import JOBS, tick
from bot.write import open_store
from tests.campaigns.world import POLICY, make_town
from tests.conftest import TEST_KEYS, Clock, maple_clinic
from tests.road.forking import serve_lives

WORKED = ("wake_deferred", "feed_campaigns", "release_expired", "settle_unknown")


async def live(order: dict[str, Any]) -> None:
    """One life of a process, at one instant."""
    clock = Clock(datetime.fromisoformat(order["now"]))
    store = open_store(order["url"], TEST_KEYS)
    channel = ConsoleChannel(clock, journal=Path(order["journal"]))
    road = Road(store, clock, f"crash-{os.getpid()}", "http://127.0.0.1:8000", {"sms": channel})
    await store.awrite(partial(campaigning.begin, campaign_id=order["campaign"], by="ana", now=clock(),
                               policy=maple_clinic(**POLICY)))
    while True:
        done = sum([await tick(road, job) for job in JOBS if job.name in WORKED])
        if not done + await deliver.deliver_due(road):
            break
    store.close()


def warm_up() -> None:
    """Live once on a database of its own before the first fork, so that imports and mappings are paid once."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/warm.db", TEST_KEYS)
        town = make_town(store, Clock())
        town.account(1)
        campaign_id = town.campaign()
        town.preview(campaign_id)
        town.approve(campaign_id)
        store.close()
        asyncio.run(live({"url": f"sqlite:///{folder}/warm.db", "journal": f"{folder}/journal",
                          "now": town.clock().isoformat(), "campaign": campaign_id}))


if __name__ == "__main__":
    serve_lives(live, warm_up)
