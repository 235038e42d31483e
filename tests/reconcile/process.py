"""A reconciliation that the crash tests kill. A life is ordered by url, stripe, now and failpoint."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import bot.cli.reconcile  # noqa: F401 - what a command imports is paid for once
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.reconcile import reconcile
from bot.road import Road
from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock
from tests.contracts.stripe_servers import KEY, SECRET
from tests.road.forking import serve_lives


async def live(order: dict[str, Any]) -> None:
    clock = Clock(datetime.fromisoformat(order["now"]))
    store = open_store(order["url"], TEST_KEYS)
    processor = StripeProcessor(StripeAccount(KEY, SECRET, order["stripe"]), clock)
    await reconcile(Road(store, clock, "here", "https://pay.example"), processor, "prac_maple",
                    since=clock() - timedelta(days=9), until=clock(), by="plainbill")
    await processor.close()
    store.close()


if __name__ == "__main__":
    serve_lives(live, lambda: None)
