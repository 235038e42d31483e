"""The loops of one process: receive, deliver, tick. Events ring, polling is the net, and work in hand is finished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.deliver import deliver_due
from bot.receive import receive_due
from bot.road import Road
from bot.tick import JOBS, Job, make_scheduler, tick

POLL_SECONDS = 1.0

_log = structlog.get_logger(__name__)


async def run(road: Road, stop: asyncio.Event, jobs: tuple[Job, ...] = JOBS) -> None:
    """Work until ``stop`` is set; return when what was begun is done. Never cancel this: set ``stop``."""
    for job in jobs:  # what the last process left behind is picked up at once, not at the first tick
        await tick(road, job)
    scheduler = make_scheduler(road, jobs)
    scheduler.start()
    try:
        await asyncio.gather(_loop(_receive, road, road.wake.inbox, stop),
                             _loop(deliver_due, road, road.wake.outbox, stop))
    finally:
        scheduler.shutdown(wait=False)


async def _receive(road: Road) -> int:
    worked = await receive_due(road)
    if worked:
        road.wake.outbox.set()
    return worked


async def _loop(work: Callable[[Road], Awaitable[int]], road: Road, bell: asyncio.Event, stop: asyncio.Event) -> None:
    while not stop.is_set():
        bell.clear()
        try:
            worked = await work(road)
        except Exception as error:  # noqa: BLE001 - the database may be away for a while; the loop outlives that
            _log.error("loop failed", work=work.__name__, error=type(error).__name__)
            worked = 0
        if not worked:
            await _first_of(bell, stop)


async def _first_of(bell: asyncio.Event, stop: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(bell.wait()), asyncio.ensure_future(stop.wait())]
    _, pending = await asyncio.wait(waits, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for one in pending:
        one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def drain(road: Road, rounds: int = 100) -> int:
    """Receive and deliver until nothing is due, for commands and tests that do not keep a process running."""
    done = 0
    for _ in range(rounds):
        worked = await receive_due(road) + await deliver_due(road)
        if not worked:
            return done
        done += worked
    return done
