"""The loops of one process: receive, call the processor, deliver, tick.

Events ring, polling is the net, and work in hand is finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import structlog

from bot import metrics
from bot.calling import call_due
from bot.deliver import claim_due, deliver_all, deliver_due
from bot.receive import receive_due
from bot.road import Road
from bot.tick import JOBS, Job, make_scheduler, tick

POLL_SECONDS = 1.0

TOGETHER_SECONDS = 0.01
"""For so long what comes free is gathered, while messages are under way."""

_log = structlog.get_logger(__name__)


async def run(road: Road, stop: asyncio.Event, jobs: tuple[Job, ...] = JOBS) -> None:
    """Work and tick until ``stop`` is set; return when what was begun is done. Never cancel this: set ``stop``."""
    await asyncio.gather(work(road, stop), schedule(road, stop, jobs))


async def work(road: Road, stop: asyncio.Event) -> None:
    """The loops alone. Any number of processes may do this on PostgreSQL: each row is one worker's."""
    await asyncio.gather(_loop(_receive, road, road.wake.inbox, stop), _deliver(road, stop),
                         _loop(_call, road, road.wake.calls, stop))


async def schedule(road: Road, stop: asyncio.Event, jobs: tuple[Job, ...] = JOBS) -> None:
    """The ticking alone. Processes beside each other elect one by a lease, and the next takes over when it goes."""
    for job in jobs:  # what the last process left behind is picked up at once, not at the first tick
        if job.at_start:
            await tick(road, job)
    busy: set[asyncio.Task[Any] | None] = set()
    scheduler = make_scheduler(road, jobs, busy)
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.pause()
        await asyncio.gather(*(task for task in busy if task is not None), return_exceptions=True)
        scheduler.shutdown(wait=False)


async def _receive(road: Road) -> int:
    worked = await receive_due(road)
    if worked:
        road.wake.outbox.set()
        road.wake.calls.set()
    return worked


async def _call(road: Road) -> int:
    """What the payment processor is to be asked; its answers may be news to tell."""
    if road.processor is None:
        return 0
    called = await call_due(road, road.processor)
    if called:
        road.wake.inbox.set()
    return called


async def _deliver(road: Road, stop: asyncio.Event) -> None:
    """Up to ``sends_at_once`` messages under way, each replaced when it is done: a chat that waits for its second,
    or a provider that takes its time, holds up nobody else. What comes free within a moment is filled together.
    """
    under_way: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        road.wake.outbox.clear()
        # Half at most: while these are judged, the other half is on its way.
        begun = await _begin(road, min(road.sends_at_once - len(under_way), (road.sends_at_once + 1) // 2))
        under_way |= {asyncio.create_task(_carry(one)) for one in begun}
        if not begun:
            await _first_of(road.wake.outbox, stop, under_way)
        if under_way:
            await asyncio.sleep(TOGETHER_SECONDS)
        under_way = {task for task in under_way if not task.done()}
    await asyncio.gather(*under_way)


async def _begin(road: Road, free: int) -> list[Coroutine[Any, Any, None]]:
    """Claim and judge as many as there is room for; what takes each to its provider."""
    if not free:
        return []
    try:
        return await deliver_all(road, await claim_due(road, free))
    except Exception as error:  # noqa: BLE001 - as in _loop
        metrics.FAILED.labels("deliver").inc()
        _log.error("loop failed", work="deliver", error=type(error).__name__)
        return []


async def _carry(message: Coroutine[Any, Any, None]) -> None:
    """What the store raises while a message is under way leaves its claim to run out (bot/tick.py)."""
    try:
        await message
    except Exception as error:  # noqa: BLE001 - as in _loop
        _log.error("loop failed", work="deliver", error=type(error).__name__)


async def _loop(work: Callable[[Road], Awaitable[int]], road: Road, bell: asyncio.Event, stop: asyncio.Event) -> None:
    while not stop.is_set():
        bell.clear()
        try:
            worked = await work(road)
        except Exception as error:  # noqa: BLE001 - the database may be away for a while; the loop outlives that
            metrics.FAILED.labels(work.__name__).inc()
            _log.error("loop failed", work=work.__name__, error=type(error).__name__)
            worked = 0
        if not worked:
            await _first_of(bell, stop)


async def _first_of(bell: asyncio.Event, stop: asyncio.Event, tasks: Iterable[asyncio.Task[None]] = ()) -> None:
    """Wait for the bell, the stop or the first of ``tasks``, which go on."""
    waits = [asyncio.ensure_future(bell.wait()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait([*waits, *tasks], timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    await asyncio.gather(*waits, return_exceptions=True)


async def drain(road: Road, rounds: int = 100) -> int:
    """Receive and deliver until nothing is due, for commands and tests that do not keep a process running."""
    done = 0
    for _ in range(rounds):
        worked = await receive_due(road) + await _call(road) + await deliver_due(road)
        if not worked:
            return done
        done += worked
    return done
