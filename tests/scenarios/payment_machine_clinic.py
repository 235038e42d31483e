"""A clinic with two accounts, the whole road around it and the Stripe stand-in on loopback, in one process.

Nothing of ours is replaced: webhooks come in at the real hook, return pages are the real pages, calls are made by the
real worker through the real adapter. Messages leave by a channel that keeps them. Only the news travels by hand: the
stand-in lists its events, and the machine delivers, doubles, loses or reorders them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy.orm import Session

from billing import accounts, consents, contacts, links
from billing.phones import address_hash
from billing.store.engine import make_engine
from billing.store.tables import Conversation, PaymentMethod, Staff
from bot import worker
from bot.calling import call_due
from bot.channels.base import Lookup, Outbound, Sent
from bot.deliver import deliver_due
from bot.plan_days import work_plans
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.receive import receive_due
from bot.reconcile import reconcile, reconcile_due
from bot.road import Road
from bot.standins import stripe as standin
from bot.tick import release_expired, wake_deferred
from bot.web import paying
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import open_store
from config.practice import PracticePolicy
from config.settings import Settings
from tests.conftest import TEST_KEYS, Clock, maple_clinic, practice_row
from tests.contracts.stripe_servers import KEY, SECRET
from tests.ledger.books import PRACTICE, Books
from tests.ledger.paper import Bill, Clp
from tests.scenarios.payment_machine_death import Crash, Death, Mortal, bury

T = TypeVar("T")
ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 10, 28, 11, tzinfo=ZONE)  # the clocks go back on the Sunday after
PEOPLE = {"A": ("ROWAN", "MIRA", "19840229"), "B": ("VALE", "OMAR", "19750505")}
PHONES = {"A": "+12125550123", "B": "+12125550145"}
CHARGES = {"V0": ("A", 40_000), "V1": ("A", 15_000), "V2": ("B", 24_000)}
POLICY = {"plans": {"minimum_balance_minor": 20_00, "minimum_instalment_minor": 10_00},
          "payments": {"bank_debits": True, "refund_approval_above_minor": 50_00}}


@dataclass
class Phones:
    """Every text arrives at once."""

    name: str = "sms"
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def send(self, message: Outbound) -> Sent:
        return Sent(f"SM{next(self.numbers):032d}")

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        return Lookup(())

    async def redact(self, provider_id: str, address: str = "") -> None:
        return

    async def close(self) -> None:
        return


def policy() -> PracticePolicy:
    return maple_clinic(**POLICY)


def found(url: str, folder: Path) -> None:
    """Write the clinic into an empty database: claims, their insurer's answers, confirmed accounts, phones, staff."""
    clock = Clock(START)
    store = open_store(url, TEST_KEYS)
    store.write(practice_row(clock(), **POLICY))
    books = Books(store, folder, clock, policy())
    books.bill(*(Bill(claim, [("99213", charge)], patient=PEOPLE[who]) for claim, (who, charge) in CHARGES.items()))
    books.pay("T0", *(share(claim, charge // 2, 1) for claim, (_, charge) in CHARGES.items()))
    for who, claim in (("A", "V0"), ("B", "V2")):
        books.confirm(claim)
        for other in [one for one, (owner, _) in CHARGES.items() if owner == who and one != claim]:
            store.write(partial(accounts.confirm, practice_id=PRACTICE, ref=other, by="ana", now=clock(), into=claim))
        store.write(partial(_reach, who=who, guarantor_id=books.visit(claim).guarantor_id, now=clock()))
    store.write(partial(_staff, now=clock()))
    store.close()


def share(claim: str, patients: int, number: int, charge: int = 0) -> Clp:
    """The insurer's answer that leaves ``patients`` cents of a claim to the patient."""
    whole = charge or CHARGES[claim][1]
    return Clp(claim, whole - patients, [("PR", "1", patients)] if patients else [], charge=whole,
               pcn=f"{claim}N{number}")


def _reach(session: Session, who: str, guarantor_id: str, now: datetime) -> None:
    phone = PHONES[who]
    hashed = address_hash(PRACTICE, "sms", phone)
    contacts.add_phone(session, PRACTICE, guarantor_id, phone, source="desk", now=now)
    consents.record_given(session, PRACTICE, "sms", hashed, guarantor_id=guarantor_id, medium="form",
                          wording="text messages are fine", recorded_by="ana", now=now)
    consents.record_introduction(session, PRACTICE, "sms", hashed, message_id=f"msg_{who}", now=now)
    session.add(Conversation(id=f"conv_{who}", practice_id=PRACTICE, channel="sms", address=phone,
                             address_hash=hashed, language="en", state={}, guarantor_id=guarantor_id, created_at=now))
    session.flush()


def _staff(session: Session, now: datetime) -> None:
    for login, role in (("ana", "biller"), ("sam", "supervisor"), ("mia", "manager")):
        session.add(Staff(id=f"staff_{login}", practice_id=PRACTICE, login=login, name=login, role=role, active=True,
                          created_at=now))


class Clinic:
    """The town of one example. ``run`` and ``write`` may find the process dead; it is then started again."""

    def __init__(self, url: str, folder: Path, drop: Callable[[], None]) -> None:
        self.drop, self.clock, self.policy = drop, Clock(START), policy()
        self.death = Death()
        self.store = Mortal(make_engine(url))
        self.store.death = self.death
        self.leave = self.death.install()
        self.books = Books(self.store, folder, self.clock, self.policy)
        self.waits, paying.AGAIN_S = paying.AGAIN_S, (0.0, 0.0)
        self.loop = asyncio.new_event_loop()
        self.workers = itertools.count(1)
        self.crashes = 0
        self.tokens: dict[str, str] = {}  # payment id -> the token of its link
        self.loop.run_until_complete(self._open())
        self.visits = {claim: self.books.visit(claim).id for claim in CHARGES}
        self.ids = {who: self.books.visit(claim).guarantor_id for who, claim in (("A", "V0"), ("B", "V2"))}

    async def _open(self) -> None:
        self.standin = await standin.start(standin.make_app(standin.StripeOptions(
            clock=lambda: self.clock().timestamp(), keep_lines=False)))
        self.processor = StripeProcessor(StripeAccount(KEY, SECRET, self.standin.url), self.clock)
        self.http = aiohttp.ClientSession()
        self._start()

    def _start(self) -> None:
        self.road = Road(self.store, self.clock, f"worker-{next(self.workers)}", "https://pay.example",
                         channels={"sms": Phones()}, processor=self.processor)
        settings = Settings(stripe_base_url=self.standin.url, practice=PRACTICE)
        self.app = make_app(Wiring(settings, self.road, self.processor))
        self.wiring = Wiring(settings, self.road, self.processor)

    def close(self) -> None:
        self.death.disarm()
        self.loop.run_until_complete(self._close())
        self.loop.close()
        paying.AGAIN_S = self.waits
        self.leave()
        self.store.close()
        self.drop()

    async def _close(self) -> None:
        await bury()
        await self.http.close()
        await self.processor.close()
        await self.standin.stop()

    # the process, which may die

    def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Let the process do something; None if it died of it."""
        try:
            return self.loop.run_until_complete(work)
        except Crash:
            self._rise()
            return None

    def write(self, fn: Callable[[Session], T]) -> T | None:
        """One transaction of a command or page; None if the process died of it."""
        try:
            return self.store.write(fn)
        except Crash:
            self._rise()
            return None

    def _rise(self) -> None:
        self.crashes += 1
        self.loop.run_until_complete(bury())
        self.death.disarm()
        self._start()

    # time

    @property
    def today(self) -> date:
        return self.policy.local_day(self.clock())

    def pass_days(self, days: int, hour: int) -> None:
        """To this practice-local hour, so many days on; never backwards."""
        then = datetime.combine(self.today + timedelta(days=days), datetime.min.time(), ZONE).replace(hour=hour)
        self.clock.at = max(then, self.clock() + timedelta(minutes=1))

    # the stand-in

    async def order(self, what: str, **wanted: Any) -> dict[str, Any]:
        """What a bank, a network or Stripe's clock does by itself; {} where it cannot be."""
        async with self.http.post(f"{self.standin.url}/_standin/{what}", json=wanted) as answer:
            said: dict[str, Any] = await answer.json() if answer.status == 200 else {}
            return said

    async def call(self, path: str, **data: str) -> dict[str, Any]:
        """Somebody else with our key, such as the practice's owner in Stripe's dashboard; {} where it is refused."""
        try:
            async with self.http.post(f"{self.standin.url}{path}", data=data, headers=_AUTH) as answer:
                said: dict[str, Any] = await answer.json() if answer.status == 200 else {}
                return said
        except aiohttp.ClientError:  # a fault that was meant for us
            return {}

    async def listed(self, kind: str) -> list[dict[str, Any]]:
        """Everything that Stripe has of a kind, oldest first."""
        rows: list[dict[str, Any]] = []
        while True:
            after = {"starting_after": rows[-1]["id"]} if rows else {}
            async with self.http.get(f"{self.standin.url}/v1/{kind}", params={"limit": "100", **after},
                                     headers=_AUTH) as answer:
                page = await answer.json()
            rows += page["data"]
            if not page["has_more"]:
                return rows[::-1]

    async def submit(self, url: str, form: dict[str, str]) -> int:
        """The patient at Stripe's page or at their bank's."""
        async with self.http.post(url, data=form, allow_redirects=False) as answer:
            return answer.status

    async def keep_method(self, who: str, method: str) -> None:
        """A card or bank account on file, as given earlier."""
        customer = (await self.call("/v1/customers", description="nobody"))["id"]
        kept = await self.call(f"/v1/payment_methods/{method}/attach", customer=customer)
        kind = "bank" if kept.get("type") == "us_bank_account" else "card"
        shown = kept.get("us_bank_account") or kept.get("card") or {}
        await self.store.awrite(lambda session: session.add(PaymentMethod(
            id=f"card_{kept['id']}"[:40], practice_id=PRACTICE, guarantor_id=self.ids[who], processor="stripe",
            customer_ref=customer, method_ref=kept["id"], kind=kind, brand=shown.get("brand") or "bank",
            last4=shown.get("last4", "0000"), status="active", created_at=self.clock())))

    # our own doors

    async def hook(self, event: dict[str, Any]) -> int:
        """Deliver an event, signed now."""
        body = json.dumps(event).encode()
        stamp = int(time.time())
        digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return await self._knock("POST", "/hooks/stripe", body, {"stripe-signature": f"t={stamp},v1={digest}"})

    async def come_back(self, payment_id: str) -> int:
        """The return page, opened by a browser whose cookie has run out."""
        return await self._knock("GET", f"/l/{self.token(payment_id)}/done")

    async def back_from_bank(self, intent: str) -> int:
        return await self._knock("GET", "/back", query=f"payment_intent={intent}")

    async def press(self, payment_id: str) -> str:
        """The button that opens the hosted page; returns its address, or nothing."""
        from billing.link_pages import visit

        token = self.token(payment_id)
        visitor = await self.store.awrite(lambda session: visit(session, token, self.clock()))
        if visitor is None:
            return ""
        answer = await paying.to_page(self.wiring, visitor, payment_id, token, "en")
        place = answer.headers.get("location", "")
        return place if place.startswith("http") else ""

    def token(self, payment_id: str) -> str:
        if payment_id not in self.tokens:
            guarantor = self.store.read(lambda s: _guarantor_of(s, payment_id))
            self.tokens[payment_id] = self.store.write(partial(
                links.make, practice_id=PRACTICE, guarantor_id=guarantor, purpose="pay", object_id=payment_id,
                days=400, now=self.clock()))
        return self.tokens[payment_id]

    async def _knock(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None,
                     query: str = "") -> int:
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])

        pairs = [(b"host", b"pay.example")] + [(k.encode(), v.encode()) for k, v in (headers or {}).items()]
        await self.app({"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
                        "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
                        "root_path": "", "headers": pairs, "client": ("127.0.0.1", 1), "server": ("pay.example", 443)},
                       receive, send)
        return status[0]

    # our own work

    async def receive(self) -> None:
        for _ in range(20):
            if not await receive_due(self.road):
                return

    async def make_calls(self) -> None:
        await call_due(self.road, self.processor)

    async def work(self) -> None:
        """All that a process does in a while: plans, news, messages, calls, pages that ran out in silence."""
        await release_expired(self.road)
        await wake_deferred(self.road)
        await self.work_on_plans()
        await worker.drain(self.road, 10)
        await reconcile_due(self.road, self.processor)

    async def work_on_plans(self) -> None:
        await work_plans(self.road)

    async def leave_messages(self) -> None:
        await self.receive()
        await deliver_due(self.road)

    async def reconcile(self) -> Any:
        return await reconcile(self.road, self.processor, PRACTICE, since=START - timedelta(days=2),
                               until=self.clock(), by="ana")


_AUTH = {"Authorization": f"Bearer {KEY}"}


def _guarantor_of(session: Session, payment_id: str) -> str:
    from billing.store.tables import Payment

    return session.get_one(Payment, payment_id).guarantor_id


__all__ = ["CHARGES", "PRACTICE", "START", "ZONE", "Clinic", "accounts", "found", "share"]
