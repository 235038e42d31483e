"""Processes wake each other on PostgreSQL; on SQLite there is nobody to wake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.bells import ring_between
from bot.road import Wake


@asynccontextmanager
async def _process(url: str) -> AsyncIterator[Wake]:
    wake, stop = Wake(), asyncio.Event()
    task = asyncio.create_task(ring_between(url, wake, stop))
    await asyncio.wait_for(wake.inbox.wait(), 30)  # it rings once when it begins to listen
    for bell in wake.by_name().values():
        bell.clear()
    try:
        yield wake
    finally:
        stop.set()
        await task


async def test_a_bell_rung_in_one_process_rings_in_the_other_and_no_other_bell_does(postgresql_url: str) -> None:
    async with _process(postgresql_url) as mine, _process(postgresql_url) as theirs:
        mine.outbox.set()
        await asyncio.wait_for(theirs.outbox.wait(), 30)
        assert (theirs.inbox.is_set(), theirs.calls.is_set(), theirs.outbox.told) == (False, False, True)


async def test_a_ring_that_was_heard_is_not_passed_on_for_ever(postgresql_url: str) -> None:
    async with _process(postgresql_url) as mine, _process(postgresql_url) as theirs:
        mine.inbox.set()
        await asyncio.wait_for(theirs.inbox.wait(), 30)
        assert not theirs.rang.is_set()


async def test_on_sqlite_nobody_is_rung_for() -> None:
    wake, stop = Wake(), asyncio.Event()
    wake.inbox.set()
    await asyncio.wait_for(ring_between("sqlite:///x.db", wake, stop), 5)
    assert not wake.inbox.told
