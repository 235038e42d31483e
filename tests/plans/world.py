"""Anna's account with a plan on it, lived day by day: what the road and the bank do is done here by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import consents, contacts, figures, ledger, payments, plan_changes, plan_days, plan_offers, plans
from billing.command_context import Context
from billing.commands import Change, ChangePlan
from billing.ids import new_id
from billing.phones import address_hash
from billing.plan_offers import Ask
from billing.plan_terms import PlanTerms
from billing.store.tables import (
    Case,
    Conversation,
    Inbox,
    Instalment,
    Outbox,
    Payment,
    PaymentMethod,
    Plan,
    PlanEvent,
    Staff,
)
from billing.views import Figures
from bot.processors.base import PaymentEvent
from bot.write import Store
from config.practice import PracticePolicy
from tests.conftest import Clock, maple_clinic, practice_row
from tests.payments import world
from tests.payments.world import ANNA, NEW, OLD, PRACTICE, TALK

T = TypeVar("T")
PHONE = "+12125550123"
ZONE = ZoneInfo("America/New_York")
WORDS = "Yes: charge my Visa card ending in 4242 by this schedule."
VISA, OTHER = "card_visa", "card_other"


@dataclass
class Life:
    """``road``: sent (notices leave), withheld, silent. ``bank``: paid, or a decline code, or silent."""

    store: Store
    clock: Clock
    policy: PracticePolicy
    road: str = "sent"
    bank: str = "paid"
    numbers: dict[str, int] = field(default_factory=dict)

    def do(self, fn: Callable[[Session], T]) -> T:
        return self.store.write(fn)

    @property
    def today(self) -> date:
        return self.policy.local_day(self.clock())

    def at(self, day: date, hour: int = 11) -> None:
        self.clock.at = datetime.combine(day, time(hour), ZONE)

    def terms(self, autopay: bool = True, visits: tuple[str, ...] = (OLD,), replaces: str | None = None,
              **ask: Any) -> PlanTerms:
        def read(session: Session) -> PlanTerms:
            account = figures.account_figures(session, ANNA, self.today)
            found = {v.visit_id: v.figures.due_now_minor + v.figures.on_plan_minor for v in account.visits}
            shares = [(v, found[v]) for v in visits]
            assert self.policy.plans is not None
            answer = plan_offers.make(sum(m for _, m in shares), shares, self.policy.plans, self.today, Ask(**ask))
            return answer.offers[0].terms("autopay" if autopay else "link", VISA if autopay else None, replaces)

        return self.do(read)

    def offer(self, terms: PlanTerms, key: str = "", **how: Any) -> str:
        """The plan's id."""
        assert self.policy.plans is not None
        rules = self.policy.plans
        how = {"offered_by": "patient", **how}
        return self.do(lambda session: plans.offer(
            session, practice_id=PRACTICE, guarantor_id=ANNA, terms=terms, policy=rules,
            balance_version=how.pop("version", None) or world.version(session), language="en",
            key=key or new_id("key"), conversation_id=TALK, now=self.clock(), **how).id)

    def agree(self, plan_id: str, *, autopay: bool = True, message: str = "inbox:7", words: str = WORDS,
              disclosed: bool = False) -> str:
        """The authorization's id."""
        def act(session: Session) -> str:
            card = session.get_one(PaymentMethod, VISA) if autopay else None
            return plans.agree(
                session, session.get_one(Plan, plan_id), words=words, words_version="plan_ask:en:1", given_by="text",
                message_id=message, method=card, disclosures_version="2026-11" if disclosed else None,
                esign_at=self.clock() if disclosed else None, now=self.clock()).id

        return self.do(act)

    def sign(self, *, autopay: bool = True, **ask: Any) -> str:
        """A running plan of Anna's January visit ($100.00); ``ask`` as billing.plan_offers.Ask."""
        plan_id = self.offer(self.terms(autopay, **ask))
        self.agree(plan_id, autopay=autopay)
        return plan_id

    def tick(self) -> int:
        """All that this moment asks for, with the road and the bank doing their part; returns the steps done."""
        done = 0
        while worked := self.do(self._tick):
            done += worked
        return done

    def _tick(self, session: Session) -> int:
        if self.road != "silent":
            self._carry(session)
        if self.bank != "silent":
            for payment_id in self._charges(session, "created"):
                self._happen(session, payment_id, "paid" if self.bank == "paid" else "failed", None,
                             "" if self.bank == "paid" else self.bank)
        return plan_days.work_due(session, PRACTICE, self.clock(), 50)

    def through(self, until: date, hour: int = 11) -> None:
        """Every day up to and with ``until``, at this hour."""
        day = self.today
        while day <= until:
            self.at(day, hour)
            self.tick()
            day += timedelta(days=1)

    def _carry(self, session: Session) -> None:
        """The road: each piece of news becomes a message in its conversation."""
        for row in session.scalars(select(Inbox).where(Inbox.source == "event", Inbox.status == "accepted")):
            row.status, row.done_at = "done", self.clock()
            session.add(Outbox(
                id=new_id("msg"), practice_id=PRACTICE, conversation_id=TALK, guarantor_id=ANNA, channel="sms",
                address=PHONE, address_hash=address_hash(PRACTICE, "sms", PHONE), purpose="receipt",
                template=row.payload["kind"], template_version="1", language="en", privacy="open", arguments={},
                body="", segments=1, reply_to=row.id, status=self.road, due_at=self.clock(), attempts=1,
                idempotency_key=f"reply:{row.id}:0", sending_at=self.clock(), created_at=self.clock()))

    def charges(self, *statuses: str) -> list[str]:
        """Payments made with a card on file."""
        return self.do(lambda session: self._charges(session, *statuses))

    @staticmethod
    def _charges(session: Session, *statuses: str) -> list[str]:
        query = select(Payment.id).where(Payment.way.in_(("autopay", "saved")))
        if statuses:
            query = query.where(Payment.status.in_(statuses))
        return list(session.scalars(query.order_by(Payment.created_at, Payment.id)))

    def happen(self, payment_id: str, kind: str, amount: int | None = None, reason: str = "") -> None:
        """The processor says what became of a payment."""
        self.do(lambda session: self._happen(session, payment_id, kind, amount, reason))

    def _happen(self, session: Session, payment_id: str, kind: str, amount: int | None, reason: str) -> None:
        payment = session.get_one(Payment, payment_id)
        payments.apply_event(session, PRACTICE, PaymentEvent(
            f"evt_{new_id('evt')}", kind, payment_id, payment.amount_minor if amount is None else amount, "USD", "",
            f"pi_{payment_id}", reason, self.clock(), dispute_ref="dp_1" if "disput" in kind else "",
            tender="card"), self.clock())

    def pay(self, amount: int, *visits: tuple[str, int], plan_id: str | None = None, number: int | None = None) -> str:
        """Cash at the desk; returns the payment's id."""
        self.numbers["desk"] = self.numbers.get("desk", 0) + 1
        reference = f"receipt {self.numbers['desk']}"
        return self.do(lambda session: payments.record_desk_payment(
            session, PRACTICE, ANNA, amount_minor=amount, currency="USD", tender="cash", reference=reference,
            recorded_by="ana", now=self.clock(), split=visits or ((OLD, amount),), plan_id=plan_id,
            instalment=number).id)

    def insurer(self, visit_id: str, minor: int) -> None:
        """The insurer's answer moves the patient's balance of a visit by so many cents."""
        self.numbers["ins"] = self.numbers.get("ins", 0) + 1
        sides = (ledger.patient(visit_id), ledger.wide("contractual"))
        debit, credit = sides if minor > 0 else sides[::-1]
        self.do(lambda session: ledger.post(session, [ledger.Posting(
            PRACTICE, debit, credit, abs(minor), "USD", "adjustment", self.today, "test",
            f"ins:{self.numbers['ins']}", ANNA, visit_id)], self.clock()))

    def change(self, plan_id: str, change: Change, **values: Any) -> None:
        """What a patient asks for in the thread. Raises CommandRefused."""
        version = values.pop("version", None)
        command = ChangePlan(ANNA, plan_id, self.plan(plan_id).version if version is None else version, change,
                             values.pop("wording", "please"), **values)
        context = Context(PRACTICE, TALK, PHONE, address_hash(PRACTICE, "sms", PHONE), "sms", None, "en", self.clock())
        self.do(lambda session: plan_changes.apply_change(session, command, context))

    def plan(self, plan_id: str) -> Plan:
        return self.do(lambda session: session.get_one(Plan, plan_id))

    def parts(self, plan_id: str) -> list[Instalment]:
        return self.do(lambda session: list(session.scalars(select(Instalment).where(
            Instalment.plan_id == plan_id).order_by(Instalment.number))))

    def stands(self, plan_id: str) -> list[tuple[str, int, int, str]]:
        """(due day, cents asked for, cents paid, status) of each instalment."""
        return [(p.due_on.isoformat(), p.amount_minor, p.paid_minor, p.status) for p in self.parts(plan_id)]

    def open(self, plan_id: str) -> list[int]:
        return [p.amount_minor - p.paid_minor for p in self.parts(plan_id)]

    def log(self, plan_id: str) -> list[str]:
        return self.do(lambda session: list(session.scalars(select(PlanEvent.kind).where(
            PlanEvent.plan_id == plan_id).order_by(PlanEvent.id))))

    def events(self, plan_id: str, kind: str) -> list[PlanEvent]:
        return self.do(lambda session: list(session.scalars(select(PlanEvent).where(
            PlanEvent.plan_id == plan_id, PlanEvent.kind == kind).order_by(PlanEvent.id))))

    def news(self) -> list[str]:
        """What the patient was told of plans, in order."""
        kinds = self.do(lambda session: [row.payload["kind"] for row in session.scalars(
            select(Inbox).where(Inbox.source == "event").order_by(Inbox.id))])
        return [kind for kind in kinds if kind.startswith("plan_")]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return self.do(lambda session: [row.payload["data"] for row in session.scalars(
            select(Inbox).where(Inbox.source == "event").order_by(Inbox.id)) if row.payload["kind"] == kind])

    def cases(self) -> list[str]:
        return self.do(lambda session: list(session.scalars(select(Case.kind).order_by(Case.number))))

    def figures(self, visit_id: str = OLD) -> Figures:
        found = self.do(lambda session: figures.account_figures(session, ANNA, self.today).visit(visit_id))
        assert found is not None
        return found.figures

    def payments(self) -> list[tuple[str, int, str, int | None]]:
        """(status, cents, way, instalment), in order."""
        return self.do(lambda session: [(p.status, p.amount_minor, p.way, p.instalment) for p in session.scalars(
            select(Payment).order_by(Payment.created_at, Payment.id))])


def begin(store: Store, clock: Clock, **rules: Any) -> Life:
    """Anna owes $100.00 for January and $45.50 for June; her Visa is on file and texts may reach her."""
    now = clock()
    changes: dict[str, Any] = {"plans": {"minimum_balance_minor": 20_00, **rules}}
    store.write(practice_row(now, **changes))
    hashed = address_hash(PRACTICE, "sms", PHONE)

    def add(session: Session) -> None:
        world.anna(session, now)
        session.get_one(Conversation, TALK).address_hash = hashed
        contacts.add_phone(session, PRACTICE, ANNA, PHONE, source="desk", now=now)
        consents.record_given(session, PRACTICE, "sms", hashed, guarantor_id=ANNA, wording="text messages are fine",
                              medium="form", recorded_by="ana", now=now)
        for method_id, last4 in ((VISA, "4242"), (OTHER, "1881")):
            session.add(PaymentMethod(
                id=method_id, practice_id=PRACTICE, guarantor_id=ANNA, processor="stripe", customer_ref="cus_1",
                method_ref=f"pm_{last4}", kind="card", brand="visa", last4=last4, status="active", created_at=now))
        for login, role in (("ana", "biller"), ("sam", "supervisor"), ("mia", "manager")):
            session.add(Staff(id=f"staff_{login}", practice_id=PRACTICE, login=login, name=login, role=role,
                              active=True, created_at=now))

    store.write(add)
    return Life(store, clock, maple_clinic(**changes))


__all__ = ["ANNA", "NEW", "OLD", "OTHER", "PHONE", "PRACTICE", "TALK", "VISA", "WORDS", "Life", "begin"]
