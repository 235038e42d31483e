"""A running Stripe stand-in, a client of it by Stripe's SDK, and our own webhook server."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from stripe import AIOHTTPClient, StripeClient

from bot.standins.stripe import StripeOptions, make_app, start
from bot.standins.wire import Running
from tests.standins.receiver import Receiver

KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"


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

    async def charge(self, amount: int) -> Any:
        asked: Any = {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        return await self.client.v1.payment_intents.create_async(asked)

    async def pay(self, url: str, number: str) -> tuple[int, str, str]:
        """(status, Location, page) of the hosted form."""
        form = {"number": number, "exp": "12/34", "cvc": "123", "email": "payer@example.com", "zip": "62701"}
        return await self.post_form(url, form)

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
            await transport.close_async()  # type: ignore[no-untyped-call]
        await self.http.close()
        await self.running.stop()


async def open_shop(options: StripeOptions, receiver: Receiver) -> Shop:
    clock = options.clock
    assert isinstance(clock, MovableClock)
    return Shop(options, await start(make_app(options)), receiver, aiohttp.ClientSession(), clock)
