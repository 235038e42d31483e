"""Staff and patients at a web process: what each asks next, how long they read it, and how long they waited for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.console_store import Crew, Patient
from benchmarks.inbound import PATH, letter

STAFF_READ, PATIENT_READ = 20.0, 45.0
"""Seconds that a page is read, on average: a biller acts on it, a patient makes out a bill."""

TEXTS_A_SECOND = 5.0
PATIENCE = 20.0
"""Seconds after the end in which answers may still come; a server that has too much to do would take minutes."""

#: What a screen asks for by itself, as often as its page says (templates/web/console/*_live.html).
LIVE = {"inbox": 10.0, "thread": 5.0}
#: The staff's screens, by how often one is opened.
SCREENS = ("inbox", "inbox", "thread", "thread", "thread", "account", "account", "account", "worklists", "cases")


@dataclass
class Load:
    """Everybody at one server. ``waits``: seconds for each answer, by what was asked; kept only while ``keeping``."""

    url: str
    crew: Crew
    http: aiohttp.ClientSession
    chance: random.Random
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    keeping: bool = True
    texts: int = 0

    async def page(self, kind: str, path: str, cookie: str, form: dict[str, str] | None = None) -> str:
        """Ask and wait; returns the cookie that the answer sets, if any."""
        with self._waiting(kind):
            async with self.http.request("POST" if form else "GET", self.url + path, data=form, allow_redirects=False,
                                         headers={"cookie": cookie}) as answer:
                body = await answer.read()
                assert answer.status == (303 if form else 200), (kind, answer.status, body[:200])
        return answer.headers.get("set-cookie", "").partition(";")[0]

    async def text(self) -> None:
        """A patient's text, as its carrier brings it."""
        self.texts += 1
        body, headers = letter(self.url, f"SMc{self.texts:031}", 50_000 + self.texts)
        with self._waiting("webhook"):
            async with self.http.post(self.url + PATH, data=body, headers=headers) as answer:
                assert answer.status == 200, answer.status

    @contextmanager
    def _waiting(self, kind: str) -> Iterator[None]:
        """Whoever is sent home before the answer came has waited all the same."""
        began = time.perf_counter()
        try:
            yield
        finally:
            if self.keeping:
                self.waits[kind].append(time.perf_counter() - began)

    async def screen(self, name: str, cookie: str) -> str:
        """Open one of the staff's screens; returns what it asks for by itself from then on, if anything."""
        thread, account = self.chance.choice(self.crew.threads), self.chance.choice(self.crew.patients).account
        path = {"inbox": "/console/inbox", "thread": f"/console/inbox/{thread}", "worklists": "/console/worklists",
                "account": f"/console/accounts/{account}", "cases": "/console/cases"}[name]
        await self.page("staff", path, cookie)
        return {"inbox": "/console/inbox-live", "thread": f"/console/inbox/{thread}/live"}.get(name, "")

    async def visit(self, patient: Patient, step: int, door: str) -> str:
        """The next thing that a patient asks: the link, its questions, the bill, the account, why. Returns the cookie
        that keeps the door open.
        """
        at, born = f"/l/{patient.token}", patient.born
        if step == 1:
            return await self.page("door", at, "", {"month": str(born.month), "day": str(born.day), "year": str(
                born.year), "zip": patient.postal_code})
        await self.page("patient" if step else "door", at + ("", "", "", "/account", "/why")[step], door)
        return door


async def alone(load: Load, rounds: int) -> None:
    """One after the other, on a server that has nothing else to do."""
    for number in range(rounds):
        cookie, door = _cookie(load.crew.staff[number % len(load.crew.staff)]), ""
        for name in SCREENS:
            if live := await load.screen(name, cookie):
                await load.page("live", live, cookie)
        for step in range(5):
            door = await load.visit(load.crew.patients[number % len(load.crew.patients)], step, door)
        for _ in range(4):
            await load.text()


async def together(load: Load, warm: float, seconds: float) -> None:
    """Everybody at once, and texts coming in; what the first ``warm`` seconds bring is not kept."""
    load.keeping = False
    until = time.perf_counter() + warm + seconds
    everybody: list[Coroutine[Any, Any, None]] = [_work(load, _cookie(one), until) for one in load.crew.staff]
    everybody += [_read(load, one, until) for one in load.crew.patients]
    everybody.append(_drizzle(load, until))
    tasks = [asyncio.create_task(one) for one in everybody]
    await asyncio.sleep(warm)
    load.keeping = True
    done, late = await asyncio.wait(tasks, timeout=seconds + PATIENCE)
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for one in done:
        one.result()


async def _work(load: Load, cookie: str, until: float) -> None:
    """A member of the staff: a screen, read while it renews itself, then the next one."""
    await asyncio.sleep(load.chance.uniform(0, STAFF_READ))
    while time.perf_counter() < until:
        name = load.chance.choice(SCREENS)
        live, turned = await load.screen(name, cookie), time.perf_counter() + load.chance.uniform(0.5, 1.5) * STAFF_READ
        while live and time.perf_counter() + LIVE[name] < min(turned, until):
            await asyncio.sleep(LIVE[name])
            await load.page("live", live, cookie)
        await _until(min(turned, until))


async def _read(load: Load, patient: Patient, until: float) -> None:
    """A patient, who may be anywhere in their visit when the measuring begins."""
    await asyncio.sleep(load.chance.uniform(0, PATIENT_READ))
    door, first = f"door={patient.door}", load.chance.randrange(2, 5)
    while time.perf_counter() < until:
        for step in range(first, 5):
            door = await load.visit(patient, step, door)
            if step != 1:  # after the questions the bill comes by itself
                await _until(min(until, time.perf_counter() + load.chance.uniform(0.5, 1.5) * PATIENT_READ))
            if time.perf_counter() >= until:
                return
        first = 0


async def _drizzle(load: Load, until: float) -> None:
    while time.perf_counter() < until:
        await asyncio.gather(load.text(), asyncio.sleep(1 / TEXTS_A_SECOND))


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))


def _cookie(token: str) -> str:
    return f"plainbill-staff={token}"
