"""A practice, its processor behind the production adapter, and a patient whose every text and page is written down.

Nothing is mocked: the adapter speaks HTTP to the stand-in server, which fails as it is told; the road, the store and
the web edge are the program's own. Stripe's events are lost unless a test hands them over, because the worst must hold
without them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Conversation, PaymentMethod
from bot.accept import accept_event, accept_message, keep
from bot.app import payment_jobs
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.processors.stripe import TIMEOUT, StripeAccount, StripeProcessor
from bot.reconcile import reconcile
from bot.road import Road
from bot.standins import stripe as standin
from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT
from bot.standins.stripe_events import sign
from bot.tick import JOBS
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.worker import drain
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock
from tests.contracts.stripe_servers import KEY, SECRET, Server
from tests.faults.pages import page_name
from tests.payments import world
from tests.plans.world import PHONE, Life, begin
from tests.web.conftest import Site

#: How long the adapter waits where a request is going to hang, and how long that one hangs.
HASTE_S, HANGS_MS = 1.0, 1_200

#: From one look at things to the next, after something went wrong: to the second day, past every repetition.
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 11, 31, 61, 300, 840, 180, 30, 120))


class Texts(ConsoleChannel):
    """The line of texts, as far as the road can tell."""

    name = "sms"


@dataclass
class Scene:
    """``url`` is the database's, for another process; ``site`` is there once ``serve`` was entered."""

    url: str
    store: Store
    clock: Clock
    life: Life
    server: Server
    processor: StripeProcessor
    road: Road
    folder: Path
    account: Any = None  # the stand-in's, in this process
    made: dict[str, str] = field(default_factory=dict)  # names of what a cell works on
    before: frozenset[str] = frozenset()  # texts that had been written when the fault came
    _site: Site | None = None

    @property
    def site(self) -> Site:
        assert self._site is not None
        return self._site

    def seen(self, body: str, location: str) -> None:
        """The patient's browser shows this."""
        self.made |= {"page": page_name(body, location, self.server.url), "went_to": location}

    async def fault(self, mode: str, path: str = "*", **more: Any) -> None:
        await self.server.order("fault", mode=mode, path=path, delay_ms=HANGS_MS, **more)

    async def mend(self, path: str) -> None:
        """Stripe is well again, and what hung has let go."""
        await self.server.order("fault", mode="none", path=path)
        while self.account.in_flight:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.02)

    async def work(self) -> None:
        """All that is due in this moment, as the process's loops and jobs would do it."""
        for job in (*JOBS, *payment_jobs(self.processor)):
            await job.work(self.road)
        await drain(self.road)

    async def wait(self, span: timedelta) -> None:
        self.clock.at += span
        await self.work()

    async def pass_time(self, steps: Sequence[timedelta] = STEPS) -> None:
        """A day and more goes by without another fault."""
        for span in steps:
            await self.wait(span)

    async def until(self, moment: datetime) -> None:
        self.clock.at = moment
        await self.work()

    async def hear(self) -> None:
        """All of Stripe's events arrive after all: the last one first, and each of them twice."""
        for event_id in reversed(list(self.account.journal.table("events"))):
            letter = sign(self.account, {"event": event_id, "url": ""})
            event = self.processor.parse_event(letter.body, letter.headers)
            for _ in range(2 if event.kind != "ignored" else 0):
                await keep(self.road, partial(accept_event, practice_id=world.PRACTICE, processor="stripe",
                                              event=event, now=self.clock()))
        await drain(self.road)

    async def reconcile(self) -> list[str]:
        """The sentences of what processor and ledger do not agree on."""
        now = self.clock.advance(minutes=1)
        found = await reconcile(self.road, self.processor, world.PRACTICE, since=now - timedelta(days=20), until=now,
                                by="ana")
        await drain(self.road)
        return [one.sentence for one in found.open]

    def table(self, name: str) -> list[Row]:
        """What the stand-in holds."""
        return list(self.account.journal.table(name).values())

    async def keep_card(self, method: str = "pm_card_visa") -> str:
        """Anna's card on file is one that Stripe knows; returns our id of it."""
        customer, ref = await self.server.keep_test_method(method)

        def put(session: Session) -> str:
            row = session.scalars(select(PaymentMethod).where(PaymentMethod.last4 == "4242")).one()
            for other in session.scalars(select(PaymentMethod)):
                other.customer_ref = customer
            row.method_ref = ref
            row.kind = "bank" if method.startswith("pm_us") else "card"
            return row.id

        return self.store.write(put)

    async def text(self, body: str) -> None:
        """The patient writes, and is answered."""
        message = Inbound(external_id=f"SM{body}", sender=PHONE, to="+12125550100", body=body)
        await keep(self.road, partial(accept_message, channel="sms", message=message, now=self.clock(),
                                      practice_id=world.PRACTICE))
        await drain(self.road)

    def verify_patient(self) -> None:
        """Anna has just proved who she is, in the thread."""
        def prove(session: Session) -> None:
            talk = session.get_one(Conversation, world.TALK)
            talk.verified_at = talk.last_inbound_at = self.clock()

        self.store.write(prove)

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[None]:
        """The web edge on loopback, where our links lead or at another ``port``, and a browser."""
        port = port or int(self.road.public_url.rpartition(":")[2])
        settings = Settings(stripe_base_url=self.server.url, practice=world.PRACTICE)
        app = make_app(Wiring(settings, self.road, self.processor))
        web = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(web.serve())
        while not web.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
                self._site = Site(f"http://127.0.0.1:{port}", self.server.url, self.store, self.clock, browser)
                yield
        finally:
            web.should_exit = True
            await task


def make_scene(url: str, life: Life, stripe_url: str, public_url: str, folder: Path, account: Any = None,
               timeout: aiohttp.ClientTimeout = TIMEOUT) -> Scene:
    store, clock = life.store, life.clock
    processor = StripeProcessor(StripeAccount(KEY, SECRET, stripe_url), clock, timeout=timeout)
    texts = Texts(clock, journal=folder / "texts")
    road = Road(store, clock, "faults", public_url, {"sms": texts}, processor=processor)
    return Scene(url, store, clock, life, Server("standin", stripe_url), processor, road, folder, account)


@asynccontextmanager
async def opened(url: str, store: Store, clock: Clock, folder: Path, *, hasty: bool = False) -> AsyncIterator[Scene]:
    """Anna owes $100.00 and $45.50, has a card on file, and may be texted. ``hasty``: requests are going to hang."""
    life = begin(store, clock)
    app = standin.make_app(standin.StripeOptions(clock=lambda: clock().timestamp()))
    running = await standin.start(app)
    public_url = f"http://127.0.0.1:{free_port()}"
    scene = make_scene(url, life, running.url, public_url, folder, app[ACCOUNT],
                       aiohttp.ClientTimeout(total=HASTE_S) if hasty else TIMEOUT)
    try:
        await scene.text("HELP")
        scene.verify_patient()
        yield scene
    finally:
        await scene.processor.close()
        await running.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
