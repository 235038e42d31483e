"""The Stripe shop of the tests; the other stand-ins have theirs in their own files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot.standins.stripe import StripeOptions
from tests.standins.receiver import receiving
from tests.standins.stripe_scene import KEY, SECRET, MovableClock, Shop, open_shop


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with receiving() as receiver:
        options = StripeOptions(
            api_key=KEY,
            webhook_url=f"{receiver.url}/stripe",
            webhook_secret=SECRET,
            journal=tmp_path / "stripe.jsonl",
            retry_delays_s=(0.01, 0.01),
            clock=MovableClock(),
        )
        opened = await open_shop(options, receiver)
        yield opened
        await opened.close()
