"""A brand's days: a bulk run in four time zones under its caps, sent by Twilio's client to the stand-in, whose journal
says what left and when.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing import payments
from billing.store import demo_queries
from billing.store.ledger_queries import chunks
from billing.store.tables import CampaignRow, ContactPoint, Guarantor, Outbox, Verdict
from bot import campaigning, deliver
from bot.channels.sms import SmsChannel, TwilioAccount
from bot.road import Road
from bot.standins import twilio
from bot.standins.journal import read_lines
from bot.tick import wake_deferred
from tests.campaigns.world import ZONES, Town, give_phone
from tests.payments import world
from tests.payments.world import PRACTICE

OWED_MINOR = 10_000
STATES = tuple(ZONES)
PACIFIC = ZoneInfo("America/Los_Angeles")
AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Left:
    """A text in the stand-in's journal, beside what we know of it."""

    account: str
    to: str
    at: datetime
    asked_minor: int | None
    owed_minor: int  # by the test's own book, in that moment

    @property
    def day(self) -> date:
        """The carrier's."""
        return self.at.astimezone(PACIFIC).date()


@dataclass
class Brand:
    """``owed``: cents by account, as this test knows it. ``paid_on``: when somebody had paid everything."""

    town: Town
    journal: Path
    owed: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    paid_at: dict[str, datetime] = field(default_factory=dict)
    seen: int = 0

    def populate(self, accounts: int) -> None:
        """Accounts that owe $100.00 each, zone after zone in turn, with T-Mobile's numbers."""
        for first in range(1, accounts + 1, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, accounts + 1))
            self.town.do(partial(_open_accounts, numbers=numbers, now=self.town.clock()))
        self.owed = {f"acct_{number}": OWED_MINOR for number in range(1, accounts + 1)}

    def run(self, until: datetime) -> None:
        """Let everything happen that is due until then, each at its own moment."""
        asyncio.run(self._run(until))

    async def _run(self, until: datetime) -> None:
        clock = self.town.clock
        stand_in = await twilio.start(twilio.make_app(twilio.TwilioOptions(
            journal=self.journal, clock=lambda: clock().timestamp(), callback_delay_ms=3_600_000)))
        options = twilio.TwilioOptions()
        channel = SmsChannel(TwilioAccount(options.account_sid, options.auth_token, stand_in.url, stand_in.url))
        road = Road(self.town.store, clock, "worker-1", "https://pay.maple.example", {"sms": channel})
        try:
            while True:
                await _work(road)
                self._read()
                then = await road.store.aread(lambda s: demo_queries.next_moment(s, PRACTICE))
                if then is None or then > until:
                    break
                clock.at = max(then, clock() + timedelta(seconds=1))
            clock.at = max(until, clock())
        finally:
            await channel.close()
            await stand_in.stop()

    def _read(self) -> None:
        """New texts of the journal, beside what is owed now: the clock has stood still since they left."""
        posts = [line for line in read_lines(self.journal) if line["kind"] == "request" and line["method"] == "POST"]
        fresh = {line["answer"]["sid"]: line for line in posts[self.seen:]}
        self.seen = len(posts)
        rows = self.town.store.read(lambda s: _rows(s, sorted(fresh)))
        assert len(rows) == len(fresh), "a text left that is not in the outbox"
        self.left += [Left(account, fresh[sid]["params"]["To"], datetime.fromisoformat(fresh[sid]["at"]), asked,
                           self.owed[account]) for sid, account, asked in rows]

    def waiting(self, campaign_id: str) -> list[str]:
        """Accounts that have not had their turn, in account order."""
        return self.town.do(lambda s: list(s.scalars(select(CampaignRow.guarantor_id).where(
            CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "waiting").order_by(CampaignRow.id))))

    def pay(self, parts: Mapping[str, int]) -> None:
        """Cash at the desk, so many cents each."""
        for some in chunks(parts.items(), AT_ONCE):
            self.town.do(partial(_take_cash, parts=some, now=self.town.clock()))
        for account, minor in parts.items():
            self.owed[account] -= minor
            if self.owed[account] == 0:
                self.paid_at[account] = self.town.clock()

    def per_day(self) -> list[int]:
        return [count for _, count in sorted(Counter(one.day for one in self.left).items())]

    def judged_on(self) -> dict[str, set[date]]:
        """The carrier's days on which the gate was asked about each account's message as it left."""
        found = self.town.do(lambda s: s.execute(select(Outbox.guarantor_id, Verdict.at).join(
            Verdict, Verdict.outbox_id == Outbox.id).where(
            Verdict.stage == "sending", Verdict.outcome == "send")).all())
        days: dict[str, set[date]] = {}
        for account, at in found:
            days.setdefault(account or "", set()).add(at.astimezone(PACIFIC).date())
        return days

    def check(self) -> None:
        """Once each, in their own hours, about what they owe in that moment, and nobody who had paid."""
        told = Counter(one.account for one in self.left)
        assert set(told.values()) == {1}, "somebody was told twice"
        assert not told.keys() & self.paid_at.keys(), "somebody was told who had paid"
        assert told.keys() | self.paid_at.keys() == self.owed.keys(), "somebody who owes was not told"
        assert [one for one in self.left if not _awake(one)] == []
        assert [one for one in self.left if one.asked_minor != one.owed_minor or not one.owed_minor] == []
        judged = self.judged_on()
        assert [one for one in self.left if judged[one.account] != {one.day}] == [], "not read again on its own day"


def _awake(one: Left) -> bool:
    state = STATES[int(one.account.removeprefix("acct_")) % len(STATES)]
    zone, prefix = ZONES[state]
    return one.to.startswith(prefix) and time(9) <= one.at.astimezone(ZoneInfo(zone)).time() < time(20)


async def _work(road: Road) -> None:
    while await wake_deferred(road) + await campaigning.feed_campaigns(road) + await deliver.deliver_due(road, 100):
        pass


def _rows(session: Session, sids: Sequence[str]) -> list[tuple[str, str, int | None]]:
    found = session.execute(select(Outbox.provider_id, Outbox.guarantor_id, Outbox.amount_minor).where(
        Outbox.provider_id.in_(sids)))
    return [(sid or "", account or "", asked) for sid, account, asked in found]


def _open_accounts(session: Session, numbers: Sequence[int], now: datetime) -> None:
    for number in numbers:
        account, state = f"acct_{number}", STATES[number % len(STATES)]
        zone, prefix = ZONES[state]
        at = now + timedelta(microseconds=number)
        world.account(session, account, f"N{number:05}", at)
        row = session.get_one(Guarantor, account)
        row.zone, row.region, row.postal_code = zone, state, None
        world.visit(session, f"visit_{number}", account, f"N{number:05}", date(2026, 8, 3), OWED_MINOR, at)
        give_phone(session, account, f"{prefix}{number + 1000:04}", at)
    session.flush()
    session.execute(update(ContactPoint).values(carrier="tmobile"))


def _take_cash(session: Session, parts: Sequence[tuple[str, int]], now: datetime) -> None:
    for account, minor in parts:
        payments.record_desk_payment(
            session, PRACTICE, account, amount_minor=minor, currency="USD", tender="cash", recorded_by="ana",
            reference=f"receipt {account} {now.isoformat()}", now=now,
            split=((account.replace("acct", "visit"), minor),))
