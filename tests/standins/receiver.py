"""Our side of a webhook: a server that keeps what it was sent and answers as told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bot.standins.wire import start


@dataclass
class Got:
    url: str
    headers: dict[str, str]
    raw: bytes
    form: dict[str, str]


@dataclass
class Receiver:
    """`answers` are the statuses to give, one each, then 200."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        form = {key: str(value) for key, value in (await request.post()).items()}
        url = f"{self.url}{request.raw_path}"
        self.got.append(Got(url, dict(request.headers), raw, form))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{anything:.*}", receiver.receive)
    running = await start(app)
    receiver.url = running.url
    yield receiver
    await running.stop()
