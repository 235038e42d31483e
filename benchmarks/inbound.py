"""Webhooks acknowledged a second, over a bare Starlette app that only checks Twilio's signature; from webhook to reply.

Promised: at least half, with 50 under way, as many as one worker sends at once. Both are processes of their own under
the same server and load; with 20 under way groups that share a commit are smaller, and that is told as well. Then texts
come, 10 a second and 50 a second, and the time from the webhook's arrival to the reply's row is read from the database;
where 50 are more than one worker answers, it is how long the queue has grown. On PostgreSQL: one web process, and one
worker beside it, which also sends the replies to a carrier that answers after 100 ms.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.carrier import serving
from benchmarks.flood import post_all
from benchmarks.planning_store import POLICY
from benchmarks.result import Result
from billing.store.practices import save_policy
from billing.store.seal import Keyring
from billing.store.tables import Inbox, Outbox
from bot.channels.twilio_signature import compute
from bot.write import Store, open_store
from config.clock import SystemClock
from config.standins import STAND_IN_SECRETS

TEXTS = int(os.environ.get("INBOUND_TEXTS", "1500"))
REPLIES = int(os.environ.get("INBOUND_REPLIES", "500"))
RUNS = int(os.environ.get("INBOUND_RUNS", "3"))
FEW, MANY, SECONDS = 20, 50, 20
RATES = (10, 50)
PATH = "/hooks/twilio/sms"


def measure() -> Iterator[Result]:
    """Yield both rates, their ratio, and the median and p99 from webhook to reply."""
    from tests.databases import PostgresqlServer

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="plainbill-bench-", ignore_cleanup_errors=True))
        server = PostgresqlServer(Path(folder) / "data")
        stack.callback(server.stop)
        url = _prepared(server)
        carrier = stack.enter_context(serving())
        bare = stack.enter_context(Served("bare", url, folder, carrier))
        ours = stack.enter_context(Served("web", url, folder, carrier))
        yield from _acknowledged(bare, ours, FEW, None)
        yield from _acknowledged(bare, ours, MANY, 0.5)
        url = _prepared(server)  # without what the flood has left to be worked
        store = open_store(url, keys())
        stack.callback(store.close)
        for role in ("worker", "web"):
            ours = stack.enter_context(Served(role, url, folder, carrier))
        asyncio.run(_drizzle(ours, 30, 90_000, 50))  # whoever answers has read its words once
        _wait(lambda: store.read(_waiting) == 0, 120)
        for first, rate in enumerate(RATES, 1):
            waits = sorted(_replies(store, ours, rate, first * 10_000))
            yield Result(f"webhook to reply row, median at {rate} a second", 1000 * statistics.median(waits), "ms")
            yield Result(f"webhook to reply row, p99 at {rate} a second", 1000 * waits[int(len(waits) * 0.99)], "ms")


def _acknowledged(bare: Served, ours: Served, connections: int, bound: float | None) -> Iterator[Result]:
    rates = [(asyncio.run(_flood(bare, run, connections)), asyncio.run(_flood(ours, run, connections)))
             for run in range(RUNS)]
    load = f"{connections} under way"
    yield Result(f"bare Starlette, signature checked, {load}", statistics.median(b for b, _ in rates),
                 "webhooks a second")
    yield Result(f"web process, PostgreSQL: kept, committed, acknowledged, {load}",
                 statistics.median(o for _, o in rates), "webhooks a second")
    yield Result(f"ours over bare, {load}", statistics.median(o / b for b, o in rates), "times", at_least=bound)


def _prepared(server: Any) -> str:
    url = str(server.url(server.create()))
    store = open_store(url, keys())
    store.write(lambda session: save_policy(session, "main", POLICY, True, SystemClock().now()))
    store.close()
    return url


def _replies(store: Store, ours: Served, rate: int, first: int) -> list[float]:
    """Seconds from arrival to the reply's row, of texts that come one by one, ``rate`` a second."""
    last = store.read(lambda session: session.scalar(select(func.max(Inbox.id))) or 0)
    asyncio.run(_drizzle(ours, min(REPLIES, rate * SECONDS), first, rate))
    _wait(lambda: store.read(_waiting) == 0, 120)
    return store.read(lambda session: [(made - came).total_seconds() for came, made in session.execute(
        select(Inbox.received_at, func.min(Outbox.created_at)).join(Outbox, Outbox.reply_to == Inbox.id)
        .where(Inbox.id > last).group_by(Inbox.id, Inbox.received_at))])


def _waiting(session: Session) -> int:
    return session.scalar(select(func.count()).where(Inbox.status.in_(("accepted", "working")))) or 0


def _wait(ready: object, seconds: float) -> None:
    assert callable(ready)
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "the work did not end"
        time.sleep(0.1)


async def _flood(served: Served, run: int, connections: int) -> float:
    """Acknowledged webhooks a second, with so many under way."""
    texts = [_raw(served, *letter(served.url, f"SM{run:02}{served.what[:1]}{connections:03}{n:026}", n))
             for n in range(TEXTS)]
    began = time.perf_counter()
    await post_all(int(served.url.rsplit(":", 1)[1]), texts, connections)
    return TEXTS / (time.perf_counter() - began)


def _raw(served: Served, body: bytes, headers: dict[str, str]) -> bytes:
    """A request as it goes over the wire."""
    named = {"host": served.url.removeprefix("http://"), **headers, "content-length": str(len(body))}
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def _drizzle(served: Served, texts: int, first: int, rate: int) -> None:
    """``texts`` of them, ``rate`` each second, each from a number of its own."""
    async with aiohttp.ClientSession() as http:
        async def post(n: int) -> None:
            body, headers = letter(served.url, f"SMd{first + n:031}", first + n)
            async with http.post(served.url + PATH, data=body, headers=headers) as answer:
                assert answer.status == 200

        tasks, began = [], time.perf_counter()
        for n in range(texts):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(post(n)))
        await asyncio.gather(*tasks)


def letter(url: str, sid: str, number: int) -> tuple[bytes, dict[str, str]]:
    """One signed webhook. A question that needs no model and no account: what is answered is our affair."""
    params = {"AccountSid": STAND_IN_SECRETS["twilio_account_sid"], "ApiVersion": "2010-04-01", "Body": QUESTION,
              "From": f"+1212{2_000_000 + number:07}", "MessageSid": sid, "NumMedia": "0", "NumSegments": "1",
              "SmsMessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "To": POLICY.sms_number or ""}
    return urlencode(params).encode(), {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": compute(PUBLIC + PATH, params.items(), STAND_IN_SECRETS["twilio_auth_token"])}


QUESTION = "are you a robot?"
PUBLIC = "http://127.0.0.1:8000"


class Served:
    """One process that listens. ``more``: what its environment says beyond the usual."""

    def __init__(self, what: str, url: str, folder: str, carrier: str, **more: str) -> None:
        self.what, port = what, _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.inbound", what, str(port)],
            env={**os.environ, "PLAINBILL_DATABASE_URL": url, "PLAINBILL_PORT": str(port), "PLAINBILL_VAR": folder,
                 "PLAINBILL_PUBLIC_URL": PUBLIC, "PLAINBILL_TWILIO_BASE_URL": carrier,
                 "PLAINBILL_LOG_LEVEL": "error", **more}, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Served:
        port = int(self.url.rsplit(":", 1)[1])
        _wait(lambda: _listens(port), 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(90)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keys() -> Keyring:
    from bot.cli.edge import keyring
    from config.settings import load

    return keyring(load(None))


def _serve_bare(port: int) -> None:
    """What a careful beginner writes: check the signature, answer."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(STAND_IN_SECRETS["twilio_auth_token"])

    async def hook(request: Request) -> Response:
        params = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        good = validator.validate(PUBLIC + PATH, params, request.headers.get("x-twilio-signature", ""))
        return Response("<Response/>", media_type="text/xml", status_code=200 if good else 403)

    uvicorn.run(Starlette(routes=[Route(PATH, hook, methods=["POST"])]), port=port, log_config=None, access_log=False)


def main(what: str, port: str) -> None:
    if what == "bare":
        _serve_bare(int(port))
        return
    from bot.__main__ import main as plainbill

    sys.argv = ["plainbill", "serve", "--role", what]
    plainbill()


if __name__ == "__main__":
    main(*sys.argv[1:])
