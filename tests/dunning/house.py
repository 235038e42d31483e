"""A practice with a calendar of reminders, a few accounts, and days that pass: what the tick, the worker and the post
office would do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import consents, contacts, ledger, outbox, payments, staff
from billing.phones import address_hash
from billing.store.practices import save_policy
from billing.store.tables import Case, Guarantor, Hold, Outbox
from bot import deliver
from bot.dunning_days import work_dunning, work_next
from bot.road import Road
from bot.write import Store
from config.practice import PracticePolicy
from tests.campaigns.world import Kept
from tests.conftest import Clock, maple_clinic, practice_row
from tests.payments import world
from tests.payments.world import PRACTICE

T = TypeVar("T")

POLICY: dict[str, Any] = {"dunning": {}, "baa_signed": ("twilio",), "carrier": {"segments_per_second": None}}
ANNA, PHONE = "acct_anna", "+12125550123"
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class House:
    store: Store
    clock: Clock
    policy: PracticePolicy
    channel: Kept = field(default_factory=Kept)
    letters: bool = True  # the post office takes what is there every evening

    @property
    def road(self) -> Road:
        return Road(self.store, self.clock, "worker-1", "https://pay.maple.example", {"sms": self.channel})

    def do(self, fn: Callable[[Session], T]) -> T:
        return self.store.write(fn)

    def settle(self, **changes: Any) -> None:
        self.policy = maple_clinic(**{**POLICY, **changes})
        self.do(lambda session: save_policy(session, PRACTICE, self.policy, True, self.clock()))

    def account(self, account_id: str = ANNA, number: str = "A1", *, phone: str = PHONE, introduced: bool = True,
                language: str = "en", on: date = date(2026, 10, 5), due_minor: int = 10_000) -> str:
        """An account with one self-pay visit, ``visit_NUMBER``, and a number that may be texted."""
        def make(session: Session) -> None:
            world.account(session, account_id, number, self.clock())
            session.get_one(Guarantor, account_id).language = language
            world.visit(session, f"visit_{number}", account_id, number, on, due_minor, self.clock())
            if phone:
                self.give_phone(session, account_id, phone, introduced)

        self.do(make)
        return account_id

    def give_phone(self, session: Session, account_id: str, number: str, introduced: bool = True) -> None:
        hashed, now = address_hash(PRACTICE, "sms", number), self.clock()
        contacts.add_phone(session, PRACTICE, account_id, number, source="desk", now=now)
        consents.record_given(session, PRACTICE, "sms", hashed, guarantor_id=account_id,
                              wording="text messages about my bills are fine", medium="form", recorded_by="desk",
                              now=now)
        if introduced:
            consents.record_introduction(session, PRACTICE, "sms", hashed, message_id="msg_0", now=now)

    def pay(self, minor: int, account_id: str = ANNA) -> None:
        """Cash at the desk."""
        now = self.clock()
        self.do(lambda session: payments.record_desk_payment(
            session, PRACTICE, account_id, amount_minor=minor, currency="USD", tender="cash",
            reference=f"receipt {now.isoformat()}", recorded_by="bill", now=now))

    def owe(self, minor: int, visit_id: str = "visit_A1", account_id: str = ANNA) -> None:
        """More of the bill is the patient's."""
        self.post(ledger.patient(visit_id), ledger.wide("revenue"), minor, "charge", visit_id, account_id)

    def post(self, debit: ledger.Account, credit: ledger.Account, minor: int, code: str, visit_id: str,
             account_id: str) -> None:
        now = self.clock()
        self.do(lambda session: ledger.post(session, [ledger.Posting(
            PRACTICE, debit, credit, minor, "USD", code, self.policy.local_day(now), "desk",
            f"{code}:{visit_id}:{now.isoformat()}", account_id, visit_id)], now))

    def at(self, on: date, hour: int, minute: int = 0) -> None:
        """The practice's own clock; a day with a changed clock has its hours as people say them."""
        self.clock.at = datetime.combine(on, time(hour, minute), NEW_YORK).astimezone(UTC)

    def tick(self) -> int:
        return asyncio.run(work_dunning(self.road))

    def live(self, days: int, begin: date | None = None) -> None:
        """Each day five past noon (a Sunday's texts may go then): the calendar, the worker, and the post.

        Days on which nobody hears anything share a transaction: syncing each to the disk would take most of the time.
        """
        on = begin or self.policy.local_day(self.clock())
        end = on + timedelta(days=days)
        while on < end:
            on = self.do(partial(self._live_until_something_waits, begin=on, end=end))
            self.deliver()

    def _live_until_something_waits(self, session: Session, begin: date, end: date) -> date:
        while begin < end:
            self.at(begin, 12, 5)
            begin += timedelta(days=1)
            while work_next(session, self.road, PRACTICE, self.clock()):
                pass
            if session.scalar(select(Outbox.id).where(Outbox.status.in_(("queued", "deferred"))).limit(1)):
                break
        return begin

    def deliver(self) -> None:
        self.do(lambda session: outbox.wake_deferred(session, self.clock()))
        if self.letters:
            self.do(self._post_letters)
        while asyncio.run(deliver.deliver_due(self.road, 100)):
            pass

    def _post_letters(self, session: Session) -> None:
        for row in session.scalars(select(Outbox).where(Outbox.channel == "paper", Outbox.status == "queued")):
            row.status, row.sending_at, row.settled_at, row.attempts = "sent", self.clock(), self.clock(), 1

    def messages(self, account_id: str = ANNA) -> list[Outbox]:
        return self.do(lambda session: list(session.scalars(select(Outbox).where(
            Outbox.guarantor_id == account_id).order_by(Outbox.created_at, Outbox.id))))

    def said(self, account_id: str = ANNA) -> list[tuple[str, str, str, str]]:
        """(day, channel, template, status) of every message."""
        return [(self.policy.local_day(one.created_at).isoformat(), one.channel, one.template, one.status)
                for one in self.messages(account_id)]

    def holds(self, account_id: str = ANNA) -> list[tuple[str, str]]:
        """(kind, what it is about) of the open ones."""
        rows = self.do(lambda session: list(session.scalars(select(Hold).where(
            Hold.guarantor_id == account_id, Hold.released_at.is_(None)).order_by(Hold.placed_at, Hold.id))))
        return [(one.kind, one.dedupe.split(":")[1]) for one in rows]

    def cases(self) -> list[str]:
        return self.do(lambda session: list(session.scalars(select(Case.kind).order_by(Case.number))))


def make_house(store: Store, clock: Clock, **changes: Any) -> House:
    settings = {**POLICY, **changes}
    house = House(store, clock, maple_clinic(**settings))
    house.do(practice_row(clock(), **settings))
    for login, role in (("bill", "biller"), ("sam", "supervisor")):
        house.do(lambda session, login=login, role=role: staff.add(  # type: ignore[misc]
            session, PRACTICE, login=login, name=login.title(), role=role, actor="setup", now=clock()))
    return house
