"""A town for the crash tests: the sample practice, its patients' phones and browsers, Twilio and Stripe stand-ins.

The application is another process, killed and started again at a later time; the stand-ins go on living and keep
their journals on disk. Time passes by restarting: PLAINBILL_CLOCK is where the town's clock stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiohttp

from billing.message_life import FINAL
from billing.store.tables import Inbox, Outbox
from bot.demo.clock import DemoClock
from bot.standins import stripe, twilio
from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT as STRIPE
from bot.standins.twilio_account import ACCOUNT as TWILIO
from bot.standins.wire import start
from bot.write import Store, open_store
from tests.conftest import TEST_KEYS
from tests.scenarios import sample

T = TypeVar("T")

KILLED = -9
LEASES = timedelta(seconds=125)
"""Long enough for every claim of a dead process to run out."""

PATIENCE_S = 60.0
_RETRIES = (0.05,) * 600  # webhooks are delivered again until somebody answers


class Server(Protocol):
    """Starts ``plainbill serve``; the process ids are its own to wait for."""

    def start(self, environment: dict[str, str], folder: Path) -> int: ...

    def poll(self, pid: int) -> int | None: ...

    def wait(self, pid: int) -> int: ...


@dataclass
class Town:
    """One test's world. ``lives`` has the failpoint of each life still to come; after the last nothing is armed."""

    url: str
    folder: Path
    server: Server
    clock: DemoClock
    port: int
    twilio: Any
    stripe: Any
    twilio_url: str
    stripe_url: str
    store: Store
    http: aiohttp.ClientSession
    lives: list[str] = field(default_factory=list)
    pid: int = 0
    armed: str = ""
    deaths: list[str] = field(default_factory=list)

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- the process ------------------------------------------------------------------------------------------------

    async def live(self, *, later: timedelta = timedelta(0)) -> None:
        """Start the next life, ``later`` on the clock; return when it answers or has died at its failpoint."""
        self.clock.move_to(self.clock.now() + later)
        self.armed = self.lives.pop(0) if self.lives else ""
        self.pid = self.server.start(self._environment(), self.folder)
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while self.pid and not await self._answers():
            assert asyncio.get_running_loop().time() < deadline, self.log()
            self.bury()
            await asyncio.sleep(0.01)

    def _environment(self) -> dict[str, str]:
        return {**sample.KEYS, "PLAINBILL_DATABASE_URL": self.url, "PLAINBILL_PORT": str(self.port),
                "PLAINBILL_TWILIO_BASE_URL": self.twilio_url, "PLAINBILL_STRIPE_BASE_URL": self.stripe_url,
                "PLAINBILL_CLOCK": self.clock.now().isoformat(), "PLAINBILL_FAILPOINT": self.armed,
                "PLAINBILL_LOG_LEVEL": "warning", "PLAINBILL_VAR": str(self.folder)}

    async def _answers(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with self.http.get(f"{self.public_url}/healthz") as answer:
                return answer.status == 200
        return False

    def bury(self) -> bool:
        """Notice that the process has died, which only its failpoint may have done; whether it has."""
        if not self.pid:
            return True
        code = self.server.poll(self.pid)
        if code is None:
            return False
        assert code == KILLED and self.armed, f"the process ended with {code}\n{self.log()}"
        self.deaths.append(self.armed)
        self.pid = 0
        return True

    async def death(self) -> None:
        """Wait for the process to die at its failpoint."""
        await self.happens(self.bury)

    async def happens(self, what: Callable[[], bool]) -> None:
        """Wait for something to come true."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not what():
            assert asyncio.get_running_loop().time() < deadline, f"{self.armed or 'it'} never happened\n{self.log()}"
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End the process as an operator would. An armed one may die on the way, or the next life dies in its place."""
        if self.bury():
            return
        os.kill(self.pid, signal.SIGTERM)
        code = await asyncio.to_thread(self.server.wait, self.pid)
        assert code == 0 or (code == KILLED and self.armed), f"the process ended with {code}\n{self.log()}"
        if code == KILLED:
            self.deaths.append(self.armed)
        elif self.armed:
            self.lives.insert(0, self.armed)
        self.pid = 0

    def log(self) -> str:
        path = self.folder / "serve.log"
        return path.read_text(encoding="utf-8")[-4000:] if path.exists() else ""

    # -- time -------------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Go on, life after life, until nothing is under way: neither here nor at the carrier nor at the processor."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            assert asyncio.get_running_loop().time() < deadline, f"{self.unsettled()}\n{self.log()}"
            if self.bury():
                await self.live(later=LEASES)
                continue
            waits, coming = self.unsettled(), self._on_the_way()
            if not waits and not coming:
                if not self.armed or not await self._dies_yet():
                    return
                continue
            soonest = min((until for _, until in waits), default=self.clock.now())
            if not coming and soonest - self.clock.now() > timedelta(seconds=3):
                await self.stop()
                await self.live(later=soonest - self.clock.now() + timedelta(seconds=1))
            await asyncio.sleep(0.02)

    async def _dies_yet(self) -> bool:
        """Whether the process dies of its failpoint just behind the commit that settled everything."""
        await asyncio.sleep(0.5)
        return self.bury()

    def unsettled(self) -> list[tuple[str, datetime]]:
        """What is not done yet, and until when nothing will be done about it."""
        return self.store.read(lambda session: [
            *((f"inbox {row.id} {row.status}", self._until(row.status, row.due_at, row.claimed_by, row.claimed_until))
              for row in session.query(Inbox).where(Inbox.status.in_(("accepted", "working")))),
            *((f"outbox {row.template} {row.status}", self._next_look(row) if row.status == "unknown" else
               self._until(row.status, row.due_at, row.claimed_by, row.claimed_until))
              for row in session.query(Outbox).where(Outbox.status.not_in((*FINAL, "sent")), Outbox.lookups < 100))])

    def _until(self, status: str, due_at: datetime, owner: str | None, until: datetime | None) -> datetime:
        if status in ("working", "claimed", "sending"):
            mine = owner is not None and owner.endswith(f":{self.pid}")
            return self.clock.now() if mine or until is None else until
        return due_at

    def _next_look(self, row: Outbox) -> datetime:
        if row.looked_up_at is not None:
            return row.looked_up_at + timedelta(minutes=10)
        return row.sending_at + timedelta(minutes=1) if row.sending_at else self.clock.now()

    def _on_the_way(self) -> bool:
        """Deliveries that a stand-in has still to make; a message that the carrier has still to deliver."""
        under_way = any(row["todo"] for row in self.twilio.journal.table("messages").values())
        news = self.stripe.journal.table("deliveries") and not self.stripe.courier.holding
        return bool(news or self.twilio.journal.table("deliveries") or (under_way and self.twilio.delay_ms < 1000))

    # -- people -----------------------------------------------------------------------------------------------------

    async def text(self, phone: str, words: str) -> None:
        """Send a text, and wait until everything that follows from it has happened, whoever dies meanwhile."""
        await self.control("inbound", {"from": phone, "to": sample.NUMBER, "body": words})
        await self.settle()

    async def control(self, what: str, order: dict[str, Any]) -> None:
        async with self.http.post(f"{self.twilio_url}/_standin/{what}", json=order) as answer:
            answer.raise_for_status()

    async def events(self, action: str, **order: Any) -> None:
        """Tell Stripe how to deliver its events: hold, release, drop_next."""
        async with self.http.post(f"{self.stripe_url}/_standin/events", json={"action": action, **order}) as answer:
            answer.raise_for_status()

    async def browse(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something in a browser, and again when the application died under it."""
        for _ in range(20):
            with contextlib.suppress(aiohttp.ClientError):
                return await act()
            await self.settle()
        raise AssertionError(f"the page never came\n{self.log()}")

    # -- what really happened ---------------------------------------------------------------------------------------

    def requests(self, account: Any, method: str, path_end: str) -> list[Row]:
        """What a stand-in was asked, from its journal."""
        return [line for line in account.journal.lines() if line["kind"] == "request" and line["method"] == method
                and line["path"].endswith(path_end)]

    def sent(self) -> Counter[str]:
        """How often Twilio was made to send each text, the addresses of pages left out."""
        return Counter(re.sub(r"http://\S+/l/[\w-]+", "LINK", line["params"]["Body"])
                       for line in self.requests(self.twilio, "POST", "/Messages.json") if line["status"] == 201)

    def charged(self) -> list[int]:
        """The cents of every payment that Stripe took."""
        return [row["amount_received"] for row in self.stripe.journal.table("payment_intents").values()
                if row["status"] == "succeeded"]


@contextlib.asynccontextmanager
async def open_town(url: str, folder: Path, server: Server, lives: Sequence[str] = (),
                    at: datetime = sample.TUESDAY) -> AsyncIterator[Town]:
    """Open a town at an instant; the first life is running, or has died at its failpoint."""
    clock, port = DemoClock(at), _free_port()
    base = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        carrier = twilio.make_app(twilio.TwilioOptions(
            journal=folder / "twilio.jsonl", numbers=(sample.NUMBER,), callback_delay_ms=5,
            webhooks={sample.NUMBER: f"{base}/hooks/twilio/sms"}, clock=clock.timestamp, retry_delays_s=_RETRIES))
        cards = stripe.make_app(stripe.StripeOptions(
            journal=folder / "stripe.jsonl", webhook_url=f"{base}/hooks/stripe", clock=clock.timestamp,
            retry_delays_s=_RETRIES))
        running = await start(carrier)
        stack.push_async_callback(running.stop)
        taking = await start(cards)
        stack.push_async_callback(taking.stop)
        store = open_store(url, TEST_KEYS)
        stack.callback(store.close)
        http = await stack.enter_async_context(aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), connector=aiohttp.TCPConnector(force_close=True)))
        town = Town(url, folder, server, clock, port, carrier[TWILIO], cards[STRIPE], running.url, taking.url, store,
                    http, list(lives))
        stack.push_async_callback(town.stop)
        await town.live()
        yield town


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
