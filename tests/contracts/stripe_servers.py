"""Servers that speak Stripe's interface, for one suite of promises: our stand-in, an independent one, a scripted one.

``CANNOT`` says what a server does not carry, with the reason; the suite has a test that each reason still holds.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

KEY, SECRET = "sk_test_standin", "whsec_standin"

#: Cards that are kept without complaint: charged, refused when charged, asked about by their bank.
NUMBERS = {"good": "4242424242424242", "declined": "4000000000000341", "asks": "4000002760003184"}
TEST_METHODS = {"good": "pm_card_visa", "declined": "pm_card_chargeCustomerFail",
                "asks": "pm_card_authenticationRequired"}

CANNOT: dict[str, dict[str, str]] = {
    "standin": {},
    "localstripe": {
        "pages": "it has no Checkout",
        "keys": "it takes no notice of Idempotency-Key",
        "off_session": "it asks for the patient's bank although nobody is there",
        "disputes": "it has none",
        "banks": "it has no US bank accounts",
        "late_refunds": "its refunds succeed at once",
        "payouts": "its payouts are of euros and made by hand",
        "usd_balance": "its balance is a fixed sum of euros",
    },
}


def carrying(promise: str) -> list[str]:
    """The servers that can carry a promise."""
    return [name for name, lacks in CANNOT.items() if promise not in lacks]


@dataclass
class Server:
    """A running server and how to put something into it that a patient or a bank would."""

    name: str
    url: str

    async def post(self, path: str, data: dict[str, str] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (aiohttp.ClientSession(headers=headers) as client,
                    client.post(f"{self.url}{path}", data=data or {}) as answer):
            said = await answer.json()
            assert answer.status == 200, said
            return said

    async def order(self, what: str, **wanted: Any) -> Any:
        """What a bank, a network or Stripe's clock would do by itself; our stand-in does it when told."""
        async with (aiohttp.ClientSession() as client,
                    client.post(f"{self.url}/_standin/{what}", json=wanted) as answer):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def status_of(self, method: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (aiohttp.ClientSession(headers=headers) as client,
                    client.request(method, f"{self.url}{path}") as answer):
            return answer.status

    async def keep_test_method(self, method: str) -> tuple[str, str]:
        """(customer, payment method) of one of Stripe's published test methods."""
        customer = (await self.post("/v1/customers", {"description": "nobody"}))["id"]
        return customer, str((await self.post(f"/v1/payment_methods/{method}/attach", {"customer": customer}))["id"])

    async def keep_card(self, kind: str = "good") -> tuple[str, str]:
        """(customer, payment method) of a card that is kept."""
        customer = (await self.post("/v1/customers", {"description": "nobody"}))["id"]
        method = TEST_METHODS[kind]
        if self.name == "localstripe":
            method = (await self.post("/v1/payment_methods", {
                "type": "card", "card[number]": NUMBERS[kind], "card[exp_month]": "12", "card[exp_year]": "2031",
                "card[cvc]": "123"}))["id"]
        kept = await self.post(f"/v1/payment_methods/{method}/attach", {"customer": customer})
        return customer, str(kept["id"])


@contextmanager
def localstripe() -> Iterator[Server]:
    """The independent server, on a loop and a thread of its own: it keeps its application for its whole life."""
    local = importlib.import_module("localstripe.server")
    resources = importlib.import_module("localstripe.resources")
    resources.Store.dump_to_disk = lambda self: None  # it would write every change to one file of the machine's
    resources.store.clear()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(local.app)

    async def serve() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    async def stop() -> None:
        await runner.cleanup()
        late = asyncio.all_tasks() - {asyncio.current_task()}  # its events leave a second after what they tell of
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    port = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    try:
        yield Server("localstripe", f"http://127.0.0.1:{port}")
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@dataclass(frozen=True)
class Heard:
    """A request that the scripted server got."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Script:
    """A server that answers what the test says: {"GET /v1/refunds": answer}, an answer being JSON, (status, JSON), a
    list of answers for one after the other (the last again and again), "drop", "hang" or a function of the request.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.heard]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        params = {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}
        self.heard.append(Heard(request.method, request.path, params, dict(request.headers)))
        said: Any = self.answers.get(f"{request.method} {request.path}", (404, {"error": {
            "type": "invalid_request_error", "code": "resource_missing", "message": "no such thing"}}))
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(said, Callable):  # type: ignore[arg-type]  # mypy knows no Callable as a class
            said = said(self.heard[-1])
        if said in ("drop", "hang"):
            return await _silence(request, said)
        status, body = said if isinstance(said, tuple) else (200, said)
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status)


async def _silence(request: web.Request, how: str) -> web.StreamResponse:
    if how == "hang":
        await asyncio.sleep(5)
    if request.transport is not None:
        request.transport.close()
    return web.Response()


@asynccontextmanager
async def scripted() -> AsyncIterator[Script]:
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", script.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield script
    finally:
        await runner.cleanup()


def listing(*rows: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(rows), "has_more": more, "url": "/v1/rows"}


def refusal(status: int, code: str | None = None, kind: str = "invalid_request_error", **more: Any) -> tuple[int, Any]:
    error = {"type": kind, "message": "Maria Planted, born 1961-02-03, said no", **more}
    return status, {"error": error | ({"code": code} if code else {})}
