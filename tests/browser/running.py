"""The demo on a thread of its own, so that tests can drive a browser against it step by step."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from billing.store import account_queries
from bot.demo import server
from bot.demo.opening import open_for_visitors
from bot.demo.people import Person
from bot.demo.stage import DEFAULT_START, Stage, open_stage
from bot.standins.wire import start
from tests.browser.phone import last_link

T = TypeVar("T")


@dataclass(frozen=True)
class Demo:
    """A running demo: its page's address, and the stage behind it."""

    url: str
    stage: Stage
    loop: asyncio.AbstractEventLoop

    def ask(self, what: Coroutine[Any, Any, T]) -> T:
        """Run ``what`` beside the demo and return its result."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    @property
    def public_url(self) -> str:
        return self.stage.settings.public_url

    def thread(self, person: Person) -> list[dict[str, Any]]:
        return self.ask(self.stage.thread(person.phone))

    def texts(self, person: Person, *bodies: str) -> list[str]:
        """Text the practice as ``person``, one after the other's answer; return all answers."""
        before = len(self.thread(person))
        for body in bodies:
            enough = len(self.thread(person)) + 2
            self.ask(self.stage.text(person.phone, body))
            self.ask(self.stage.wait_for(partial(self._answered, person, enough), f"the answer to {body!r}"))
        return [m["body"] for m in self.thread(person)[before:] if m["direction"] != "inbound"]

    async def _answered(self, person: Person, at_least: int) -> bool:
        """The answer is there, and no more of it is on its way."""
        thread = await self.stage.thread(person.phone)
        done = await self.stage.store.aread(lambda s: account_queries.nothing_under_way(s, self.stage.practice_id))
        return done and len(thread) >= at_least and thread[-1]["direction"] != "inbound"

    def link(self, person: Person) -> str:
        """The address in the newest text to ``person`` that has one; the statements may still be on their way."""
        self.ask(self.stage.wait_for(partial(self._heard, person), "a text"))
        return last_link(self.thread(person))

    async def _heard(self, person: Person) -> bool:
        return any("http" in message["body"] for message in await self.stage.thread(person.phone))


@contextmanager
def demo_in(folder: Path, at: datetime = DEFAULT_START) -> Iterator[Demo]:
    """Run the whole demo with its files in ``folder`` while the block lasts; statements are sent."""
    ready, box = threading.Event(), _Box()
    for name in [name for name in os.environ if name.startswith("PLAINBILL_")]:
        del os.environ[name]
    os.environ["PLAINBILL_VAR"] = str(folder)
    thread = threading.Thread(target=lambda: asyncio.run(_run(box, ready, at)), name="demo", daemon=True)
    thread.start()
    ready.wait(120)
    if box.error is not None or box.demo is None:
        raise RuntimeError("the demo did not start") from box.error
    try:
        yield box.demo
    finally:
        box.demo.loop.call_soon_threadsafe(box.stop.set)
        thread.join(30)


class _Box:
    """What the thread hands over."""

    def __init__(self) -> None:
        self.demo: Demo | None = None
        self.error: BaseException | None = None
        self.stop = asyncio.Event()


async def _run(box: _Box, ready: threading.Event, at: datetime) -> None:
    try:
        async with open_stage(at) as stage:
            page = await start(server.make_app(stage))
            await open_for_visitors(stage, lambda _: None)
            box.demo = Demo(page.url, stage, asyncio.get_running_loop())
            ready.set()
            await box.stop.wait()
            await page.stop()
    except BaseException as error:
        box.error = error
    finally:
        ready.set()
