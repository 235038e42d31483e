"""The post office of a practice, without and with a mail server."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.standins import smtp
from bot.write import Store
from tests.conftest import Clock
from tests.dunning.house import make_house
from tests.mail.post import MAIL, Post
from tests.road.forking import running
from tests.web.conftest import serve


@pytest.fixture
def post(store: Store, clock: Clock, tmp_path: Path) -> Post:
    return Post(make_house(store, clock, **MAIL), tmp_path / "out")


@pytest.fixture
async def mailed(post: Post) -> AsyncIterator[Post]:
    """With a mail server that delivers to nobody."""
    post.server = await smtp.start()
    yield post
    await post.server.stop()


@pytest.fixture
async def browser(post: Post) -> AsyncIterator[aiohttp.ClientSession]:
    """Our pages, served; paths are enough."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    house = post.house
    server, task = await serve(house.store, house.clock, "http://127.0.0.1:9", port)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.mail.killed") as started:
        yield started
