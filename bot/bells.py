"""Bells between processes, on PostgreSQL: LISTEN/NOTIFY says "there is work", and nothing else.

Nothing depends on a ring arriving: every loop also polls (bot/worker.py). A ring is sent after the commit of what it
tells of, outside any transaction, and rings close to each other are sent as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from billing.store.ringing import Line, LineLost, has_line, open_line
from bot.road import Wake

TOGETHER_SECONDS = 0.02
AGAIN_SECONDS = 2.0

_log = structlog.get_logger(__name__)


async def ring_between(url: str, wake: Wake, stop: asyncio.Event) -> None:
    """Pass this process's bells on, and ring for those of others, until ``stop`` is set. Outlives a lost database."""
    while has_line(url) and not stop.is_set():
        try:
            async with open_line(url) as line:
                await _until(stop, _hear(line, wake), _tell(line, wake))
        except LineLost as error:
            _log.warning("bells lost", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)


async def _until(stop: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Run ``works`` until the stop or the first fault, which is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    waiting = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)


async def _hear(line: Line, wake: Wake) -> None:
    bells = wake.by_name()
    async for names in line.heard():
        for name in names or bells:  # whatever rang while nobody listened
            if name in bells:
                bells[name].hear()


async def _tell(line: Line, wake: Wake) -> None:
    bells = wake.by_name()
    while True:
        await wake.rang.wait()
        await asyncio.sleep(TOGETHER_SECONDS)
        wake.rang.clear()
        names = [name for name, bell in bells.items() if not bell.told]
        for name in names:
            bells[name].told = True
        if names:
            await line.tell(names)
