"""The demo's console once more, under a name: browsers make keys for no address of numbers, and the demo's is one."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from bot.processors.manual import ManualProcessor
from bot.road import Road
from bot.web.app import make_app
from bot.web.wiring import Wiring
from tests.browser.running import Demo


@contextmanager
def named(demo: Demo) -> Iterator[str]:
    """Serve it as localhost beside the demo, with the same people on the same books; the address of its root."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url, stage = f"http://localhost:{listening.getsockname()[1]}", demo.stage
    wiring = Wiring(stage.settings, Road(stage.store, stage.clock, "named", url), ManualProcessor())
    server = uvicorn.Server(uvicorn.Config(make_app(wiring), log_config=None, access_log=False, lifespan="off"))
    running = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listening]), demo.loop)
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield url
    finally:
        server.should_exit = True
        running.result(30)
