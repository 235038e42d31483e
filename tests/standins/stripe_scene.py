"""A running Stripe stand-in, a client of it by Stripe's SDK, and our own webhook server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from stripe import AIOHTTPClient, StripeClient

from bot.standins.stripe import StripeOptions, make_app, start
from bot.standins.wire import Running
from tests.standins.receiver import Receiver

KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"
RETURN = {"return_url": "https://clinic.example/back"}


@dataclass
class MovableClock:
    at: float = 1_793_000_000.0

    def __call__(self) -> float:
        return self.at

    def now(self) -> int:
        return int(self.at)

    def forward(self, seconds: float) -> None:
        self.at += seconds


def order(amount: int = 12_345) -> dict[str, Any]:
    product = {"name": "Patient responsibility"}
    return {"price_data": {"currency": "usd", "unit_amount": amount, "product_data": product}, "quantity": 1}


@dataclass
class Shop:
    options: StripeOptions
    running: Running
    receiver: Receiver
    http: aiohttp.ClientSession
    clock: MovableClock
    transports: list[AIOHTTPClient] = field(default_factory=list)
    closed: bool = False

    def another_client(self, key: str) -> Any:
        """Untyped on purpose: the tests send what Stripe's own types would not let through."""
        transport = AIOHTTPClient(timeout=5)
        self.transports.append(transport)
        return StripeClient(key, http_client=transport, base_addresses={"api": self.running.url}, max_network_retries=0)

    def __post_init__(self) -> None:
        self.client = self.another_client(KEY)

    def options_with(self, **changes: Any) -> StripeOptions:
        assert self.options.journal is not None
        return replace(self.options, journal=self.options.journal.with_suffix(".other"), **changes)

    async def checkout(self, key: str | None = None, **more: Any) -> Any:
        params: Any = {
            "mode": "payment",
            "line_items": [order()],
            "success_url": "https://clinic.example/thanks?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://clinic.example/back",
            **more,
        }
        return await self.client.v1.checkout.sessions.create_async(params, {"idempotency_key": key} if key else {})

    async def charge(self, amount: int, method: str = "pm_card_visa", **more: Any) -> Any:
        asked: Any = {"amount": amount, "currency": "usd", "payment_method": method, "confirm": True, **RETURN, **more}
        return await self.client.v1.payment_intents.create_async(asked)

    async def pay(self, url: str, number: str) -> tuple[int, str, str]:
        """(status, Location, page) of the hosted form."""
        form = {"number": number, "exp": "12/34", "cvc": "123", "email": "payer@example.com", "zip": "62701"}
        return await self.post_form(url, form)

    async def pay_by_bank(self, url: str, number: str = "000123456789") -> tuple[int, str, str]:
        """(status, Location, page) of the hosted form for a US bank account."""
        form = {"method": "us_bank_account", "holder": "P. Payer", "routing": "110000000", "account": number}
        return await self.post_form(url, {**form, "email": "payer@example.com"})

    async def setup(self, **more: Any) -> Any:
        params: Any = {
            "mode": "setup",
            "currency": "usd",
            "success_url": "https://clinic.example/kept?session={CHECKOUT_SESSION_ID}",
            **more,
        }
        return await self.client.v1.checkout.sessions.create_async(params)

    async def customer(self) -> Any:
        return await self.client.v1.customers.create_async({"metadata": {"account": "opaque-1"}})

    async def saved(self, customer: str, method: str = "pm_card_visa") -> Any:
        return await self.client.v1.payment_methods.attach_async(method, {"customer": customer})

    async def charge_saved(self, customer: str, method: str, amount: int = 5_000, **more: Any) -> Any:
        """Off session unless said otherwise."""
        return await self.charge(amount, method, customer=customer, **{"off_session": True, **more})

    def told(self, kind: str | None = None) -> list[Any]:
        """The types of the events that reached us in order; with a type, their objects."""
        events = [json.loads(one.raw) for one in self.receiver.got]
        if kind is None:
            return [event["type"] for event in events]
        return [event["data"]["object"] for event in events if event["type"] == kind]

    async def post_form(self, url: str, form: dict[str, str]) -> tuple[int, str, str]:
        async with self.http.post(url, data=form, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def control(self, path: str, /, **body: Any) -> Any:
        async with self.http.post(f"{self.running.url}/_standin/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def events(self, action: str, **more: Any) -> Any:
        return await self.control("events", action=action, **more)

    async def settle(self) -> None:
        await self.control("settle")

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for transport in self.transports:
            await transport.close_async()  # type: ignore[no-untyped-call]  # the SDK has no type for it
        await self.http.close()
        await self.running.stop()


async def open_shop(options: StripeOptions, receiver: Receiver) -> Shop:
    clock = options.clock
    assert isinstance(clock, MovableClock)
    return Shop(options, await start(make_app(options)), receiver, aiohttp.ClientSession(), clock)
