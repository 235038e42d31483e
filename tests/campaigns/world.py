"""A practice with a dozen accounts in four time zones, and a road whose one channel keeps what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import campaigns, consents, contacts, outbox, payments, segments, staff
from billing.phones import address_hash
from billing.store.tables import Campaign, CampaignRow, Guarantor, Outbox
from bot import campaign_words, campaigning, deliver
from bot.channels.base import Lookup, Outbound, Sent
from bot.road import Road
from bot.write import Store
from config.practice import PracticePolicy
from tests.conftest import Clock, maple_clinic, practice_row
from tests.payments import world
from tests.payments.world import PRACTICE

T = TypeVar("T")

ZONES = {"NY": ("America/New_York", "+1212555"), "IL": ("America/Chicago", "+1312555"),
         "CO": ("America/Denver", "+1303555"), "CA": ("America/Los_Angeles", "+1213555")}


@dataclass
class Kept:
    """A channel that takes everything."""

    taken: list[Outbound] = field(default_factory=list)
    before: Callable[[], None] | None = None
    name: str = "sms"

    async def send(self, message: Outbound) -> Sent:
        if self.before is not None:
            self.before()
        self.taken.append(message)
        return Sent(f"SM{len(self.taken)}")

    async def redact(self, provider_id: str, address: str = "") -> None:
        return None

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        raise AssertionError("nothing is unknown here")

    async def close(self) -> None:
        return None


@dataclass
class Town:
    """``numbers``: the accounts' own numbers by id, in the order in which they were opened."""

    store: Store
    clock: Clock
    policy: PracticePolicy
    channel: Kept = field(default_factory=Kept)
    worker: str = "worker-1"

    @property
    def road(self) -> Road:
        return Road(self.store, self.clock, self.worker, "https://pay.maple.example", {"sms": self.channel})

    def do(self, fn: Callable[[Session], T]) -> T:
        return self.store.write(fn)

    def settle(self, **changes: Any) -> None:
        """The practice's policy with ``changes``."""
        self.policy = maple_clinic(**{**POLICY, **changes})

        def save(session: Session) -> None:
            from billing.store.practices import save_policy
            save_policy(session, PRACTICE, self.policy, True, self.clock())

        self.do(save)

    def account(self, number: int, state: str = "NY", *, due_minor: int = 10_000, phone: bool = True,
                language: str = "en", on: date = date(2026, 8, 3)) -> str:
        """An account that owes ``due_minor`` for one visit and may be texted; returns its id."""
        account_id, zone, prefix = f"acct_{number}", *ZONES[state]

        def make(session: Session) -> None:
            now = self.clock() + timedelta(microseconds=number)
            world.account(session, account_id, f"N{number:05}", now)
            row = session.get_one(Guarantor, account_id)
            row.zone, row.region, row.language, row.postal_code = zone, state, language, None
            world.visit(session, f"visit_{number}", account_id, f"N{number:05}", on, due_minor, now)
            if phone:
                give_phone(session, account_id, f"{prefix}{number:04}", now)

        self.do(make)
        return account_id

    def pay(self, account_id: str, minor: int) -> None:
        """Cash at the desk, for the account's one visit."""
        self.do(lambda session: payments.record_desk_payment(
            session, PRACTICE, account_id, amount_minor=minor, currency="USD", tender="cash", recorded_by="ana",
            reference=f"receipt {self.clock().isoformat()}", now=self.clock(),
            split=((account_id.replace("acct", "visit"), minor),)))

    def segment(self, name: str = "everybody", **filters: Any) -> str:
        return self.do(lambda session: segments.keep(
            session, PRACTICE, name, segments.parse(filters), by="ana", now=self.clock()).id)

    def campaign(self, *, purpose: str = "statement", template: str = "statement_ready",
                 ways: tuple[str, ...] = ("sms",), by: str = "ana", segment: str = "everybody") -> str:
        """A draft; returns its id."""
        def make(session: Session) -> str:
            found = segments.find(session, PRACTICE, segment)
            assert found is not None
            return campaigns.create(session, practice_id=PRACTICE, name="autumn", segment=found, purpose=purpose,
                                    template=template, ways=ways, by=by, now=self.clock()).id

        if self.do(lambda session: segments.find(session, PRACTICE, segment)) is None:
            self.segment(segment)
        return self.do(make)

    def words(self, campaign_id: str) -> Mapping[str, str]:
        row = self.row(campaign_id)
        return campaign_words.versions(row.template, row.ways, self.policy.languages)

    def row(self, campaign_id: str) -> Campaign:
        return self.do(lambda session: session.get_one(Campaign, campaign_id))

    def preview(self, campaign_id: str, *, accounts: int | None = None, by: str = "ana") -> str:
        """Keep a preview of as many accounts as there are; returns its digest."""
        def keep(session: Session) -> str:
            row = session.get_one(Campaign, campaign_id)
            found = segments.count(session, campaigns.segment_of(session, row), self.policy.local_day(self.clock()))
            return campaigns.keep_preview(
                session, campaign_id, {"accounts": found if accounts is None else accounts}, policy=self.policy,
                words=words, by=by, now=self.clock()).preview_digest

        words = self.words(campaign_id)
        return self.do(keep)

    def approve(self, campaign_id: str, *, by: str = "sam", digest: str = "") -> None:
        words = self.words(campaign_id)
        self.do(lambda session: campaigns.approve(
            session, campaign_id, by=by, digest=digest or session.get_one(Campaign, campaign_id).preview_digest,
            policy=self.policy, words=words, now=self.clock()))

    def start(self, campaign_id: str, *, by: str = "ana") -> None:
        words = self.words(campaign_id)
        self.do(lambda session: campaigns.start(session, campaign_id, by=by, policy=self.policy, words=words,
                                                now=self.clock()))

    def launched(self, **how: Any) -> str:
        """A campaign that has begun to send; returns its id."""
        campaign_id = self.campaign(**how)
        self.preview(campaign_id)
        self.approve(campaign_id)
        self.start(campaign_id)
        return campaign_id

    def feed(self) -> int:
        return asyncio.run(campaigning.feed_campaigns(self.road))

    def deliver(self) -> int:
        return asyncio.run(deliver.deliver_due(self.road, 100))

    def work(self, rounds: int = 10) -> None:
        """What the tick and a worker do, until nothing is left to do now."""
        for _ in range(rounds):
            woken = self.do(lambda session: outbox.wake_deferred(session, self.clock()))
            if not (self.feed() + self.deliver() + woken):
                return

    def fates(self, campaign_id: str) -> dict[str, tuple[str, str]]:
        """(outcome, rule) by account."""
        return self.do(lambda session: {one.guarantor_id: (one.outcome, one.rule) for one in session.scalars(
            select(CampaignRow).where(CampaignRow.campaign_id == campaign_id))})

    def messages(self) -> dict[str, str]:
        """Status by account; a second message to one account is a failure of the test."""
        rows = self.do(lambda session: [(one.guarantor_id or "", one.status) for one in session.scalars(
            select(Outbox).where(Outbox.campaign_id.is_not(None)))])
        assert len(rows) == len(dict(rows))
        return dict(rows)


POLICY: dict[str, Any] = {"bulk": {"approval_above": 2}, "baa_signed": ("twilio",),
                          "carrier": {"segments_per_second": None}}


def give_phone(session: Session, account_id: str, number: str, now: datetime) -> None:
    """A number that may be texted, and was introduced to us."""
    hashed = address_hash(PRACTICE, "sms", number)
    contacts.add_phone(session, PRACTICE, account_id, number, source="desk", now=now)
    consents.record_given(session, PRACTICE, "sms", hashed, guarantor_id=account_id,
                          wording="text messages about my bills are fine", medium="form", recorded_by="desk", now=now)
    consents.record_introduction(session, PRACTICE, "sms", hashed, message_id="msg_0", now=now)


def make_town(store: Store, clock: Clock) -> Town:
    """The practice, its people (ana bills, sam supervises, max manages) and nobody else yet."""
    town = Town(store, clock, maple_clinic(**POLICY))
    town.do(practice_row(clock(), **POLICY))
    for login, role in (("ana", "biller"), ("sam", "supervisor"), ("max", "manager")):
        town.do(lambda session, login=login, role=role: staff.add(  # type: ignore[misc]
            session, PRACTICE, login=login, name=login.title(), role=role, actor="setup", now=clock()))
    return town
