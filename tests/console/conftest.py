"""The console served for real on loopback, and people who sign in to it as they would."""

from __future__ import annotations

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest
import uvicorn
from yarl import URL

from billing import passwords, staff
from billing.ids import new_id
from billing.store.seal import Keyring
from billing.store.tables import Credential, Practice
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import Store, open_store
from config.settings import Settings
from tests.conftest import Clock
from tests.console.estate import Estate, settle
from tests.databases import copy_sqlite
from tests.payments import world

PASSWORD = "correct horse battery staple"
_HASH = ""


def next_page(body: str, words: str = "Next page") -> str:
    """The query that the link to the next page asks with; empty on the last page."""
    found = re.search(rf'href="([?][^"]+)">{words}<', body)
    return html.unescape(found[1]) if found is not None else ""


@dataclass
class Desk:
    """The console as somebody's browser sees it. ``csrf`` is that of the last page."""

    url: str
    store: Store
    clock: Clock
    wiring: Wiring
    browser: aiohttp.ClientSession
    secrets: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def get(self, path: str, **more: Any) -> tuple[int, str]:
        return await self._ask("GET", path, **more)

    async def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> tuple[int, str]:
        """Press a button of the last page: its form's own word goes along unless ``data`` has one."""
        return await self._ask("POST", path, data={"csrf": self.csrf, **(data or {})}, **more)

    async def pages(self, path: str, words: str = "Next page") -> AsyncIterator[str]:
        """A list's first page and those that it leads to, each once; ``words``: of the link to the next."""
        seen, where = set[str](), path
        while where:
            assert where not in seen, f"{where} leads back to itself"
            seen.add(where)
            status, body = await self.get(where)
            assert status == 200
            yield body
            more = next_page(body, words)
            where = f"{path.partition('?')[0]}{more}" if more else ""

    async def answer(self, method: str, path: str, **more: Any) -> aiohttp.ClientResponse:
        """The whole answer, redirects not followed."""
        more.setdefault("allow_redirects", False)
        async with self.browser.request(method, URL(self.url + path, encoded=True), **more) as answer:
            await answer.read()
            return answer

    async def _ask(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        more.setdefault("allow_redirects", False)
        async with self.browser.request(method, URL(self.url + path, encoded=True), **more) as answer:
            body = (await answer.read()).decode("utf-8", "replace")
            if found := re.search(r'name="csrf" value="([^"]+)"', body):
                self.csrf = found[1]
            self.location = answer.headers.get("location", "")
            return answer.status, body

    location: str = ""

    def hire(self, login: str, role: str, practice_id: str = world.PRACTICE) -> None:
        """Add somebody with the password and an app of their own, as an accepted invitation leaves them."""
        secret = pyotp.random_base32()

        def add(session: Any) -> None:
            row = staff.add(session, practice_id, login=login, name=f"{login.title()} Tester", role=role,
                            actor="test", now=self.clock())
            session.add(Credential(staff_id=row.id, practice_id=practice_id, password_hash=_hashed(),
                                   totp_secret=secret, totp_step=0, failures=0, changed_at=self.clock()))

        self.store.write(add)
        self.secrets[login] = secret

    async def sign_in(self, login: str, password: str = PASSWORD) -> tuple[int, str]:
        """Both steps; the clock moves on a step first, so that the code is a fresh one."""
        self.clock.advance(seconds=30)
        status, body = await self.post("/console/sign-in", {"login": login, "password": password})
        if status != 303:
            return status, body
        status, body = await self.post("/console/code", {"code": self.code(login)})
        if status == 303:
            await self.get("/console/me")
        return status, body

    def code(self, login: str) -> str:
        return pyotp.TOTP(self.secrets[login]).at(int(self.clock().timestamp()))

    async def as_role(self, role: str) -> None:
        """Sign in as somebody of that role, hired for it."""
        login = f"{role}-{new_id('t')[-6:]}"
        self.hire(login, role)
        status, body = await self.sign_in(login)
        assert status == 303, body

    def forget(self) -> None:
        """Another browser: no cookies."""
        self.browser.cookie_jar.clear()
        self.csrf = ""


def _hashed() -> str:
    """One hash for all: making it is slow on purpose."""
    global _HASH
    _HASH = _HASH or passwords.make_hash(PASSWORD)
    return _HASH


@asynccontextmanager
async def serve_console(store: Store, clock: Clock, practice_id: str, name: str = "127.0.0.1") -> AsyncIterator[Desk]:
    """The whole web application on a port of its own. ``name``: of this machine, in the address that it is known by."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    processor = StripeProcessor(StripeAccount("sk_test_x", "whsec_x", "http://127.0.0.1:9"), clock=clock)
    road = Road(store, clock, "test", url.replace("127.0.0.1", name), processor=processor)
    wiring = Wiring(Settings(practice=practice_id), road, processor)
    server = uvicorn.Server(uvicorn.Config(make_app(wiring), log_config=None, access_log=False, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        try:
            yield Desk(url, store, clock, wiring, browser)
        finally:
            server.should_exit = True
            await running
            await processor.close()


@pytest.fixture
async def desk(store: Store, clock: Clock, practice: Practice) -> AsyncIterator[Desk]:
    """The console of the tests' practice, with nobody signed in."""
    async with serve_console(store, clock, practice.id) as served:
        yield served


@pytest.fixture
def anna(desk: Desk) -> str:
    """Somebody with two visits and $145.50 due."""
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    return world.ANNA


@pytest.fixture(scope="module")
def estate(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Estate]:
    """Two practices, everybody who could ask, and no socket between; one for all tests of a file."""
    store = open_store(copy_sqlite(sqlite_template, tmp_path_factory.mktemp("estate")), keyring)
    settled = settle(store, Clock())
    yield settled
    settled.loop.close()
    store.close()
