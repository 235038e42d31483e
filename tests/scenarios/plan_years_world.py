"""A practice with many patients on plans: the real store and program, a bank with a book of its own, and a clock."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from billing import consents, contacts, payments
from billing.ids import new_id
from billing.phones import address_hash
from billing.store.tables import Conversation, Inbox, Instalment, Outbox, Payment, Staff
from bot.calling import call_due
from bot.processors.base import ChargeRequest, PaymentEvent
from bot.road import Road
from bot.write import Store
from config.practice import PracticePolicy
from tests.conftest import Clock, maple_clinic, practice_row
from tests.payments import world as money
from tests.scenarios.plan_years_bank import Bank
from tests.scenarios.plan_years_facts import Card, Fact, Story, Taken

T = TypeVar("T")
PRACTICE = money.PRACTICE
FIRST, LAST = date(2026, 11, 2), date(2029, 11, 30)

#: What practices decide differently, by turns.
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"notice_days": 5, "grace_days": 3, "missed_before_default": 1, "retry_after_days": (2,), "skips_per_year": 2},
    {"deposit_percent": 10, "notice_days": 1, "retry_after_days": (1, 3, 5, 9)},
    {"grace_days": 0, "charge_at_hour": 6, "retry_after_days": (), "pause_days": 20},
    {"notice_days": 10, "grace_days": 10, "missed_before_default": 3, "maximum_months": 18},
)
ZONES = ("America/New_York", "America/Los_Angeles", "America/Phoenix", "America/Chicago")


@dataclass
class World:
    store: Store
    seed: int
    clock: Clock
    bank: Bank
    policy: PracticePolicy
    dense: bool = False
    longest: int = 16  # instalments that anybody asks for
    compared: bool = False  # with the same life, worked on other days
    stories: dict[str, Story] = field(default_factory=dict)  # by account
    payer: dict[str, str] = field(default_factory=dict)  # payment -> account
    desk_minor: dict[str, int] = field(default_factory=dict)  # account -> cash taken less given back
    asleep: set[date] = field(default_factory=set)
    soon: set[date] = field(default_factory=set)  # days that somebody has something to do on
    held_back: list[tuple[date, int, str]] = field(default_factory=list)  # messages that wait: day, inbox row, fate
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    numbers: int = 0
    drawn: Counter[tuple[str, date]] = field(default_factory=Counter)
    newest_case: int | None = None
    sqlite: sqlite3.Connection | None = None  # for raw reading only

    def __post_init__(self) -> None:
        url = self.store.engine.url
        if url.get_backend_name() == "sqlite":
            self.sqlite = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True, isolation_level=None)
        self.road = Road(self.store, self.clock, "years", "https://pay.example", processor=self.bank)
        self.bank.witness, self.bank.answered = self._witness, self._answered

    def close(self) -> None:
        self.runner.close()
        if self.sqlite is not None:
            self.sqlite.close()
            self.sqlite = None

    # Time and words -------------------------------------------------------------------------------------------------

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policy.zone)

    @property
    def today(self) -> date:
        return self.clock().astimezone(self.zone).date()

    def at(self, day: date, hour: int, minute: int = 0) -> None:
        self.clock.at = datetime.combine(day, time(hour, minute), self.zone)

    def do(self, fn: Callable[[Session], T]) -> T:
        return self.store.write(fn)

    def draw(self, story: Story) -> random.Random:
        """A customer's next chance; never anybody else's. Where two lives are compared that are worked on other days,
        it is the day's chance: what they were asked before must not change what they do.
        """
        story.draws += 1
        if not self.compared:
            return random.Random(f"{self.seed}:{story.name}:{story.draws}")
        self.drawn[story.name, self.today] += 1
        return random.Random(f"{self.seed}:{story.name}:{self.today}:{self.drawn[story.name, self.today]}")

    def note(self, story: Story, kind: str, **values: Any) -> None:
        story.facts.append(Fact(self.clock(), self.today, kind, values))

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # Raw reading: what the tables say, without the program's own words ---------------------------------------------

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Thousands of times in a life: on SQLite through the driver alone."""
        if self.sqlite is not None:
            return self.sqlite.execute(sql, values).fetchall()
        with self.store.engine.connect() as connection:
            return list(connection.execute(_parsed(sql), values))

    def owed(self, story: Story) -> dict[str, int]:
        """Each visit's patient balance: every transfer of its account added up."""
        found = dict.fromkeys(story.visits, 0)
        for visit_id, minor in self.rows(
                "select a.visit_id, sum(case when t.debit_id = a.id then t.amount_minor else -t.amount_minor end)"
                " from ledger_accounts a join transfers t on t.debit_id = a.id or t.credit_id = a.id"
                " join visits v on v.id = a.visit_id where a.kind = 'patient' and v.guarantor_id = :who"
                " group by a.visit_id", who=story.account_id):
            found[visit_id] = int(minor)
        return found

    def balance(self, where: str, **values: Any) -> int:
        """Of all ledger accounts that ``where`` names, debits less credits."""
        debits = self.rows(f"select coalesce(sum(t.amount_minor), 0) from transfers t join ledger_accounts a"
                           f" on a.id = t.debit_id where {where}", **values)
        gone = self.rows(f"select coalesce(sum(t.amount_minor), 0) from transfers t join ledger_accounts a"
                         f" on a.id = t.credit_id where {where}", **values)
        return int(debits[0][0]) - int(gone[0][0])

    # The bank -------------------------------------------------------------------------------------------------------

    def _witness(self, request: ChargeRequest, card: Card, again: bool) -> None:
        """A charge reaches the bank: who is asked for what, and what is owed in this very moment."""
        story = self.stories[card.customer]
        payment = self.store.read(lambda session: session.get_one(Payment, request.payment_id))
        self.note(story, "asked", payment=request.payment_id, plan=payment.plan_id, number=payment.instalment,
                  way=payment.way, card=card.ref, method_kind=card.kind, minor=request.amount_minor,
                  key=request.idempotency_key, again=again, owed=self.owed(story), for_visits=dict(payment.instruction),
                  due_on=self._due_on(payment))

    def _due_on(self, payment: Payment) -> date | None:
        if payment.plan_id is None or payment.instalment is None:
            return None
        key = (payment.plan_id, payment.instalment)
        return self.store.read(lambda session: session.get_one(Instalment, key).due_on)

    def _answered(self, request: ChargeRequest, taken: Taken) -> None:
        story = self.stories[taken.customer]
        self.note(story, "answer", payment=request.payment_id, card=request.method_ref, minor=taken.amount_minor,
                  status=taken.status, code=taken.reason)

    def hear_bank(self) -> bool:
        """What banks decided meanwhile, and whatever news has arrived; tells whether there was any."""
        self.bank.pass_time()
        news = self.bank.news()
        for event in news:
            self.apply(event)
        return bool(news)

    def apply(self, event: PaymentEvent) -> None:
        now = self.clock()
        self.do(lambda session: payments.apply_event(session, PRACTICE, event, now))
        story = self._of_payment(event.payment_id)
        if story is not None and event.kind not in ("processing", "expired"):
            self.note(story, "news", payment=event.payment_id, what=event.kind, code=event.reason,
                      minor=event.amount_minor)

    def _of_payment(self, payment_id: str | None) -> Story | None:
        if payment_id is None:
            return None
        if payment_id not in self.payer:
            found = self.rows("select guarantor_id from payments where id = :id", id=payment_id)
            self.payer[payment_id] = found[0][0]
        return self.stories.get(self.payer[payment_id])

    def make_calls(self) -> int:
        """Call the processor until nothing waits, the clock moving to when each repeat is due; not past the evening."""
        made = 0
        waiting = "select 1 from processor_calls where status in ('queued', 'calling', 'unknown') limit 1"
        if not self.rows(waiting):
            return 0
        for _ in range(60):
            made += self.runner.run(call_due(self.road, self.bank))
            waits = self.rows("select min(coalesce(claimed_until, due_at)) from processor_calls"
                              " where status in ('queued', 'calling', 'unknown')")[0][0]
            if waits is None:
                return made
            next_at = instant_of(waits)
            if next_at.astimezone(self.zone).date() > self.today or next_at.astimezone(self.zone).hour >= 18:
                self.soon.add(self.today + timedelta(days=1))
                return made
            self.clock.at = max(self.clock(), next_at)
        raise AssertionError("calls are repeated without end")

    # The road -------------------------------------------------------------------------------------------------------

    def carry(self) -> None:
        """Each piece of news becomes a message; most leave, some wait for tomorrow, some never leave or arrive."""
        due = [one for one in self.held_back if one[0] <= self.today]
        self.held_back = [one for one in self.held_back if one[0] > self.today]
        for _, inbox_id, fate in due:
            self.do(partial(self._meet, inbox_id=inbox_id, fate=fate))
        if self.rows("select 1 from inbox where source = 'event' and status = 'accepted' limit 1"):
            self.do(self._carry)

    def _carry(self, session: Session) -> None:
        for row in session.scalars(select(Inbox).where(Inbox.source == "event", Inbox.status == "accepted")
                                   .order_by(Inbox.id)):
            row.status, row.done_at = "done", self.clock()
            data = row.payload["data"]
            story = self.stories[data["account_id"]]
            if not row.payload["kind"].startswith("plan_"):
                continue
            chance = self.draw(story).randrange(100)
            fate = "sent" if chance < 93 else "withheld" if chance < 95 else "lost" if chance < 97 else "later"
            self._put(session, row, story, {"later": "queued", "withheld": "withheld"}.get(fate, "sent"))
            if fate in ("later", "lost"):
                self._remind(row.id, fate)
            if fate != "sent" and row.payload["kind"] == "plan_notice":
                self.note(story, "hindered", plan=data.get("plan_id"))
            if fate == "withheld":
                self.soon.add(self.today + timedelta(days=1))
            elif fate != "later":
                self._noted(story, row)

    def _remind(self, inbox_id: int, fate: str) -> None:
        tomorrow = self.today + timedelta(days=1)
        self.held_back.append((tomorrow, inbox_id, fate))
        self.soon.update((tomorrow, tomorrow + timedelta(days=1)))

    def _put(self, session: Session, row: Inbox, story: Story, status: str) -> None:
        now, hashed = self.clock(), address_hash(PRACTICE, "sms", story.phone)
        session.add(Outbox(
            id=new_id("msg"), practice_id=PRACTICE, conversation_id=story.conversation_id,
            guarantor_id=story.account_id, channel="sms", address=story.phone, address_hash=hashed, purpose="receipt",
            template=row.payload["kind"], template_version="1", language="en", privacy="open", arguments={}, body="",
            segments=1, reply_to=row.id, status=status, due_at=now, attempts=1, idempotency_key=f"reply:{row.id}:0",
            sending_at=now if status == "sent" else None, created_at=now))

    def _meet(self, session: Session, inbox_id: int, fate: str) -> None:
        """A message that waited leaves now; one that left turns out never to have arrived."""
        row = session.get_one(Inbox, inbox_id)
        message = session.scalars(select(Outbox).where(Outbox.reply_to == inbox_id)).one()
        story = self.stories[row.payload["data"]["account_id"]]
        if fate == "lost":
            message.status = "undelivered"
            self._noted(story, row, lost=True)
            return
        message.status, message.sending_at = "sent", self.clock()
        self._noted(story, row)

    def _noted(self, story: Story, row: Inbox, *, lost: bool = False) -> None:
        kind, data = row.payload["kind"], row.payload["data"]
        self.note(story, "unarrived" if lost else "told", what=kind, plan=data.get("plan_id"),
                  numbers=data.get("instalments") or [data.get("instalment")], minor=data.get("amount_minor"),
                  reason=data.get("reason", ""), ends_on=data.get("ends_on"))


@lru_cache
def _parsed(sql: str) -> TextClause:
    return text(sql)


def day_of(value: Any) -> date:
    """Raw SQL answers in text on SQLite, in days and instants on PostgreSQL; an instant's day is UTC's."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def instant_of(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def begin(store: Store, seed: int, *, dense: bool = False, longest: int = 16, compared: bool = False) -> World:
    """An empty practice on its first morning; its policy, its zone and its sleepless days are the seed's."""
    draw = random.Random(f"{seed}:world")
    clock = Clock()
    zone = ZONES[seed % len(ZONES)]
    changes: dict[str, Any] = {
        "zone": zone, "plans": {"minimum_balance_minor": 20_00, **POLICIES[seed % len(POLICIES)]},
        "payments": {"refund_approval_above_minor": 50_00}}
    policy = maple_clinic(**changes)
    clock.at = datetime.combine(FIRST, time(8), ZoneInfo(zone))
    store.write(practice_row(clock(), **changes))
    world = World(store, seed, clock, Bank(seed, clock), policy, dense, longest, compared)
    day = FIRST
    while day < LAST:
        if draw.random() < 0.008:
            world.asleep.update(day + timedelta(days=n) for n in range(draw.randrange(1, 7)))
        day += timedelta(days=1)
    store.write(lambda session: _staff(session, clock()))
    return world


def _staff(session: Session, now: datetime) -> None:
    for login, role in (("ana", "biller"), ("sam", "supervisor"), ("mia", "manager")):
        session.add(Staff(id=f"staff_{login}", practice_id=PRACTICE, login=login, name=login, role=role, active=True,
                          created_at=now))


def enrol(world: World, index: int) -> Story:
    """A new account with one to three visits, a number that texts may reach, and a card or bank account."""
    draw = random.Random(f"{world.seed}:customer:{index}")
    account, phone = f"acct_{index:04}", f"+1212555{1000 + index:04}"
    kind = "bank" if draw.random() < 0.25 else "card"
    luck = draw.choice(((97, 5), (97, 5), (90, 10), (70, 20), (20, 10)))
    count = draw.choice((1, 1, 2, 3))
    visits = {f"visit_{index}_{n}": draw.randrange(40_00, 900_00) + draw.randrange(100) for n in range(count)}
    story = Story(f"c{index:03}", account, f"conv_{index}", phone, kind, luck, draw.choice((0.95, 0.95, 0.8, 0.3)),
                  visits)
    world.stories[account] = story
    now = world.clock()

    def add(session: Session) -> None:
        money.account(session, account, f"N{index}", now)
        for n, (visit_id, minor) in enumerate(visits.items()):
            money.visit(session, visit_id, account, f"N{index}", world.today - timedelta(days=90 - n), minor, now)
        hashed = address_hash(PRACTICE, "sms", phone)
        session.add(Conversation(id=story.conversation_id, practice_id=PRACTICE, channel="sms", address=phone,
                                 address_hash=hashed, language="en", state={}, guarantor_id=account, created_at=now))
        contacts.add_phone(session, PRACTICE, account, phone, source="desk", now=now)
        consents.record_given(session, PRACTICE, "sms", hashed, guarantor_id=account, wording="text messages are fine",
                              medium="form", recorded_by="ana", now=now)

    world.do(add)
    return story
