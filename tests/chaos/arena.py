"""Processes that die at random, a carrier and a card processor that fail at random, and a clock that runs fast."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import Campaign, CampaignRow, Inbox, Instalment, Outbox, ProcessorCall
from bot import failpoints
from bot.write import Store
from tests.chaos.child import FastClock, Nursery
from tests.chaos.people import CHARGED_ON
from tests.scenarios import sample

KILLED = -9
TEXT_FAULTS = ("429", "500", "drop_after", "drop_before", "timeout_after", "timeout_before")
CARD_FAULTS = ("429", "500", "409", "drop_after", "drop_before", "timeout_after", "timeout_before")
POINTS = (*failpoints.DELIVER, *failpoints.CALL, *failpoints.CAMPAIGN, "receive.claimed", "receive.finished",
          "receive.committed", "accept.stored", "accept.committed")

#: States in which something is still to happen to a row by itself.
MOVING = ("queued", "deferred", "claimed", "sending")


@dataclass
class Arena:
    """``roles``: of each process. ``twilio`` and ``stripe`` are the stand-ins' accounts, in this process."""

    url: str
    folder: Path
    nursery: Nursery
    clock: FastClock
    store: Store
    chance: random.Random
    roles: tuple[str, ...]
    twilio: Any
    stripe: Any
    addresses: dict[str, str]
    port: int
    pids: dict[int, int] = field(default_factory=dict)  # by place in ``roles``
    kills: Counter[str] = field(default_factory=Counter)

    # -- processes --------------------------------------------------------------------------------------------------

    def start(self, place: int, failpoint: str = "") -> None:
        role = self.roles[place]
        own = self.port if role in ("web", "all") else free_port()
        environment = {
            **sample.KEYS, "PLAINBILL_DATABASE_URL": self.url, "PLAINBILL_PORT": str(own),
            "PLAINBILL_PRACTICE": "prac_maple", "PLAINBILL_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PLAINBILL_TWILIO_BASE_URL": self.addresses["twilio"], "PLAINBILL_VAR": str(self.folder),
            "PLAINBILL_STRIPE_BASE_URL": self.addresses["stripe"]}
        self.pids[place] = self.nursery.start(environment, self.folder, role, self.clock, failpoint)

    def start_all(self) -> None:
        for place in range(len(self.roles)):
            self.start(place)

    def bury(self) -> list[int]:
        """The places of processes that have died, which only a kill may have done."""
        dead = []
        for place, pid in list(self.pids.items()):
            code = self.nursery.poll(pid)
            if code is not None:
                assert code == KILLED, f"{self.roles[place]} ended with {code}\n{self.log(self.roles[place])}"
                self.kills[self.roles[place]] += 1
                del self.pids[place]
                dead.append(place)
        return dead

    def kill(self, place: int) -> None:
        os.kill(self.pids[place], signal.SIGKILL)

    def log(self, role: str) -> str:
        path = self.folder / f"{role}.log"
        return path.read_text(encoding="utf-8")[-4000:] if path.exists() else ""

    # -- havoc ------------------------------------------------------------------------------------------------------

    async def rage(self, kills: int) -> None:
        """Kill as many times, at random moments or at a random failpoint, while the providers fail at random."""
        while self.kills.total() < kills:
            self._fail()
            await asyncio.sleep(self.chance.uniform(0.05, 0.5))
            if self.pids and self.chance.random() < 0.7:
                self.kill(self._victim())
                await asyncio.sleep(0.02)
            for place in self.bury():
                armed = f"{self.chance.choice(POINTS)}:{self.chance.randint(1, 20)}"
                self.start(place, armed if self.chance.random() < 0.5 else "")

    def _victim(self) -> int:
        """Mostly a worker."""
        places = sorted(self.pids)
        return self.chance.choices(places, [6 if self.roles[one] in ("worker", "all") else 1 for one in places])[0]

    def _fail(self) -> None:
        """Something else goes wrong with each provider."""
        times = self.chance.randint(1, 4)
        self.twilio.faults.set("create:*", {"mode": self.chance.choice(TEXT_FAULTS), "times": times, "delay_ms": 300})
        if self.chance.random() < 0.3:
            self.twilio.faults.set("lookup:*", {"mode": "500", "times": 1})
        self.stripe.faults.set("/v1/payment_intents", {"mode": self.chance.choice(CARD_FAULTS), "times": times,
                                                       "delay_ms": 300, "verb": "POST"})
        for courier in (self.twilio.courier, self.stripe.courier):
            courier.copies, courier.delay_s = self.chance.choice((1, 1, 2, 3)), self.chance.choice((0, 0, 0.2))
            courier.drop_next = self.chance.choice((0, 0, 1, 5))
        self.twilio.reorder = self.chance.random() < 0.3

    def mend(self) -> None:
        """The providers are well again."""
        self.twilio.faults.set("create:*", {"mode": "none"})
        self.twilio.faults.set("lookup:*", {"mode": "none"})
        self.stripe.faults.set("/v1/payment_intents", {"mode": "none"})
        for courier in (self.twilio.courier, self.stripe.courier):
            courier.copies, courier.delay_s, courier.drop_next = 1, 0, 0

    # -- peace ------------------------------------------------------------------------------------------------------

    async def settle(self, seconds: float) -> None:
        """Everybody lives again; wait until nothing is left to happen by itself."""
        self.mend()
        deadline = asyncio.get_running_loop().time() + seconds
        while left := await self.store.aread(self.left):
            for place in [*self.bury(), *(set(range(len(self.roles))) - self.pids.keys())]:
                if place not in self.pids:
                    self.start(place)
            assert asyncio.get_running_loop().time() < deadline, f"{left}\n{self.log('worker')}{self.log('all')}"
            await asyncio.sleep(0.5)

    def left(self, session: Session) -> dict[str, int]:
        """What is still under way, by what it is."""
        def count(column: Any, *where: Any) -> dict[str, int]:
            return {f"{column} {status}": n for status, n in session.execute(
                select(column, func.count()).where(*where).group_by(column))}

        return (count(Outbox.status, Outbox.status.in_(MOVING))
                | count(Outbox.status, Outbox.status == "unknown", Outbox.lookups < 3)
                | count(Inbox.status, Inbox.status.in_(("accepted", "working")))
                | count(ProcessorCall.status, ProcessorCall.status.in_(("queued", "calling", "unknown")))
                | count(Campaign.status, Campaign.status != "done")
                | count(CampaignRow.outcome, CampaignRow.outcome == "waiting")
                | count(Instalment.status, Instalment.due_on <= CHARGED_ON, Instalment.status != "paid"))

    async def stop(self) -> None:
        for pid in self.pids.values():
            os.kill(pid, signal.SIGTERM)
        for pid in self.pids.values():
            while self.nursery.poll(pid) is None:  # noqa: ASYNC110 - another process's child
                await asyncio.sleep(0.05)
        self.pids.clear()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clock_from(start: datetime, speed: int) -> FastClock:
    from time import monotonic_ns

    return FastClock(start, monotonic_ns(), speed)
