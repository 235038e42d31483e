"""The Stripe stand-in on a loop and a thread of its own, for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.standins import stripe as standin
from tests.contracts.stripe_servers import Server


class Standing:
    """``wait`` runs a coroutine on the server's loop and returns what it returns."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.server = Server("standin", "")

    def wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def post(self, path: str, data: dict[str, str]) -> Any:
        return self.wait(self.server.post(path, data))


@contextmanager
def standing(clock: Callable[[], float]) -> Iterator[Standing]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    found = Standing(loop)
    running = found.wait(standin.start(standin.make_app(standin.StripeOptions(clock=clock))))
    found.server = Server("standin", running.url)
    try:
        yield found
    finally:
        found.wait(running.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
