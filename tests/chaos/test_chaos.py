"""Workers killed at random, providers failing, delaying, repeating at random: none lost, none doubled, no cent off.

CI runs the short form. ``make chaos`` runs the long one: 5,000 messages, 500 charges, hundreds of kills.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.standins import stripe, twilio
from bot.standins.stripe_account import ACCOUNT as STRIPE
from bot.standins.twilio_account import ACCOUNT as TWILIO
from bot.standins.wire import start
from bot.write import open_store
from tests.chaos.arena import Arena, clock_from, free_port
from tests.chaos.child import Nursery
from tests.chaos.people import OPENS_AT, settle_in
from tests.chaos.verdict import check_books, check_charges, check_messages
from tests.conftest import TEST_KEYS
from tests.contracts.stripe_servers import KEY, SECRET

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Size:
    told: int
    plans: int
    kills: int
    speed: int
    settles_s: float


#: (PostgreSQL, SQLite)
SIZES = {"short": (Size(300, 30, 25, 40, 400), Size(60, 8, 10, 40, 300)),
         "long": (Size(5000, 500, 300, 20, 7200), Size(500, 50, 60, 30, 3600))}
POSTGRESQL, SQLITE = SIZES["long" if os.environ.get("CHAOS") == "long" else "short"]
SEED = int(os.environ.get("CHAOS_SEED", "20261103"))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@contextlib.asynccontextmanager
async def open_arena(url: str, folder: Path, nursery: Nursery, size: Size, roles: tuple[str, ...],
                     ) -> AsyncIterator[tuple[Arena, str]]:
    """Stand-ins that listen, a practice with its people, and processes that are not yet born."""
    clock, port = clock_from(OPENS_AT, size.speed), free_port()
    base = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        carrier = twilio.make_app(twilio.TwilioOptions(callback_delay_ms=5, clock=clock.timestamp))
        cards = stripe.make_app(stripe.StripeOptions(webhook_url=f"{base}/hooks/stripe", clock=clock.timestamp))
        running, taking = await start(carrier), await start(cards)
        stack.push_async_callback(running.stop)
        stack.push_async_callback(taking.stop)
        store = open_store(url, TEST_KEYS)
        stack.callback(store.close)
        kept = [await _card(taking.url) for _ in range(size.plans)]
        _, campaign_id = await settle_in(store, size.told, kept)
        arena = Arena(url, folder, nursery, clock_from(OPENS_AT, size.speed), store, random.Random(SEED), roles,
                      carrier[TWILIO], cards[STRIPE], {"twilio": running.url, "stripe": taking.url}, port)
        arena.twilio.journal.clock = arena.stripe.journal.clock = arena.clock.timestamp
        stack.push_async_callback(arena.stop)
        yield arena, campaign_id


async def _card(url: str) -> tuple[str, str]:
    from tests.contracts.stripe_servers import Server

    return await Server("standin", url).keep_test_method("pm_card_visa")


async def play(arena: Arena, campaign_id: str, size: Size) -> None:
    """Havoc, then peace, then the reckoning."""
    began = time.monotonic()
    arena.start_all()
    await arena.rage(size.kills)
    raged = time.monotonic()
    await arena.settle(size.settles_s)
    ends = check_messages(arena, size.told, campaign_id)
    cents = check_charges(arena, size.plans)
    processor = StripeProcessor(StripeAccount(KEY, SECRET, arena.addresses["stripe"]), clock=arena.clock.now)
    road = Road(arena.store, arena.clock, "chaos", "http://127.0.0.1:1", processor=processor)
    await check_books(arena, road, processor)
    await processor.close()
    print("CHAOS", json.dumps({
        "seed": SEED, "kills": dict(arena.kills), "messages": ends, "charges": size.plans, "cents": cents,
        "raged_s": round(raged - began, 1), "settled_s": round(time.monotonic() - raged, 1)}))


async def test_with_three_workers_on_postgresql_nothing_is_lost_doubled_or_a_cent_off(
        postgresql_url: str, tmp_path: Path, nursery: Nursery) -> None:
    roles = ("worker", "worker", "worker", "scheduler", "web")
    async with open_arena(postgresql_url, tmp_path, nursery, POSTGRESQL, roles) as (arena, campaign_id):
        await play(arena, campaign_id, POSTGRESQL)


async def test_with_one_process_on_sqlite_the_same(sqlite_url: str, tmp_path: Path, nursery: Nursery) -> None:
    async with open_arena(sqlite_url, tmp_path, nursery, SQLITE, ("all",)) as (arena, campaign_id):
        await play(arena, campaign_id, SQLITE)
