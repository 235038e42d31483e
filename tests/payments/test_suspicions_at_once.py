"""Two at once on PostgreSQL, each in a transaction of its own: nothing is taken twice, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing import methods, payments, plan_days, refunds
from billing.commands import CommandRefused, RequestPayment
from billing.plan_consents import PlanRefused
from billing.refunds import RefundRefused
from billing.saved_charges import by_yes
from billing.store.seal import Keyring
from billing.store.tables import Payment, PaymentMethod, ProcessorCall, Refund
from bot.calling import call_due
from bot.processors.base import PaymentEvent
from bot.road import Road
from bot.write import Store, open_store
from tests.conftest import Clock
from tests.payments import world
from tests.payments.test_orders import foot
from tests.payments.till import Till
from tests.payments.world import ANNA, OLD, OLD_MINOR, PRACTICE, TALK
from tests.plans.test_suspicions_stops import charging
from tests.plans.world import VISA, Life, begin

FIRST = date(2026, 12, 3)
TIMES = 6


@pytest.fixture
def life(postgresql_url: str, keyring: Keyring, clock: Clock) -> Iterator[Life]:
    store = open_store(postgresql_url, keyring, upgrade=True)
    yield begin(store, clock)
    store.close()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each came to: its answer, or its refusal. Anything else that is raised is raised here."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait(10)
        try:
            return act()
        except (CommandRefused, PlanRefused, RefundRefused, LookupError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result(60) for done in [pool.submit(run, act) for act in acts]]


def deadlocks(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(text(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")).scalar_one())


def paid(payment_id: str, minor: int, life: Life, ref: str = "pi_1") -> PaymentEvent:
    return PaymentEvent("evt_1", "paid", payment_id, minor, "USD", "", ref, "", life.clock(), tender="card")


def tell(life: Life, event: PaymentEvent) -> None:
    life.do(partial(payments.apply_event, practice_id=PRACTICE, event=event, now=life.clock()))


def ask(life: Life) -> str:
    def act(session: Session) -> str:
        command = RequestPayment(ANNA, OLD_MINOR, ((OLD, OLD_MINOR),), world.version(session), "en")
        context = payments.RequestContext(PRACTICE, life.policy, life.clock(), TALK, "inbox:1")
        return payments.request(session, command, context).id

    return life.do(act)


def test_the_patients_phone_and_the_desk_take_the_same_bill_and_every_cent_is_kept(life: Life) -> None:
    one = ask(life)
    at_once(lambda: tell(life, paid(one, OLD_MINOR, life)), lambda: life.pay(OLD_MINOR))
    books = life.do(world.balances)
    assert (books["cash:stripe:card"] + books["cash:manual:cash"], books.get("credit", 0), "old" in books) == (
        2 * OLD_MINOR, 2 * OLD_MINOR - OLD_MINOR - world.NEW_MINOR + books.get("new", 0), False)
    life.do(foot)


def test_webhook_return_page_and_look_up_at_once_post_once(life: Life) -> None:
    one = ask(life)
    at_once(*[lambda: tell(life, paid(one, OLD_MINOR, life))] * TIMES)
    assert life.do(world.balances) == {"new": world.NEW_MINOR, "cash:stripe:card": OLD_MINOR}


def test_two_workers_of_the_plans_day_make_one_charge(life: Life) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST - timedelta(days=1))
    life.at(FIRST)
    at_once(*[lambda: life.do(lambda s: plan_days.work_due(s, PRACTICE, life.clock(), 20))] * TIMES)
    assert life.payments() == [("created", 25_00, "autopay", 1)]


def test_a_yes_for_an_instalment_and_the_plans_own_charge_are_one_charge(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST - timedelta(days=1))
    life.at(FIRST)
    command, context = charging(life, plan_id, 1)
    at_once(lambda: life.do(lambda s: by_yes(s, command, context).id),
            lambda: life.do(lambda s: plan_days.work_due(s, PRACTICE, life.clock(), 20)))
    assert [(cents, number) for _, cents, _, number in life.payments()] == [(25_00, 1)]


def test_a_plan_that_is_cancelled_while_its_day_is_worked_ends_without_a_charge(life: Life, tmp_path: Path) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST - timedelta(days=1))
    life.at(FIRST)
    at_once(lambda: life.do(lambda s: plan_days.work_due(s, PRACTICE, life.clock(), 20)),
            lambda: life.change(plan_id, "cancel"), lambda: life.do(
                lambda s: methods.remove(s, PRACTICE, VISA, "patient", life.clock())))
    till = Till(life.clock, tmp_path / "till")
    road = Road(life.store, life.clock, "w", "http://127.0.0.1:8000")
    asyncio.run(call_due(road, till))
    assert till.effects("charge") == []
    assert life.plan(plan_id).status == "cancelled"


def test_two_workers_of_the_calls_make_one_charge_and_the_webhook_is_no_second(life: Life, tmp_path: Path) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    till = Till(life.clock, tmp_path / "till")
    roads = [Road(life.store, life.clock, f"w{n}", "http://127.0.0.1:8000") for n in range(3)]
    at_once(*[partial(asyncio.run, call_due(road, till)) for road in roads],
            lambda: tell(life, paid(charge, 25_00, life, "ch_1")))
    assert len(till.effects("charge")) <= 1
    assert life.do(lambda s: s.get_one(Payment, charge).status) == "succeeded"
    assert life.figures().patient_minor == 75_00
    assert life.do(lambda s: {row.status for row in s.scalars(select(ProcessorCall))}) == {"done"}


def test_a_refund_approved_twice_at_once_leaves_once(life: Life) -> None:
    one = ask(life)
    tell(life, paid(one, OLD_MINOR, life))
    policy = life.policy.model_copy(update={"payments": life.policy.payments.model_copy(
        update={"refund_approval_above_minor": 0})})
    refund = life.do(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=one, amount_minor=1_000, tender="cash", reason="other", note="n", by="ana",
        dedupe="R", policy=policy, now=life.clock()).id)
    done = at_once(*[lambda who=who: life.do(lambda s: refunds.approve(
        s, PRACTICE, refund, by=who, now=life.clock()).status) for who in ("sam", "mia") * 2])
    assert sorted(done, key=str) == ["RefundRefused"] * 3 + ["succeeded"]
    assert life.do(lambda s: s.get_one(Payment, one).refunded_minor) == 1_000
    life.do(foot)


def test_two_refunds_at_once_give_back_no_more_than_was_paid(life: Life) -> None:
    one = ask(life)
    tell(life, paid(one, OLD_MINOR, life))
    at_once(*[lambda n=n: life.do(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=one, amount_minor=6_000, tender="original", reason="other", note="n",
        by="ana", dedupe=f"R{n}", policy=life.policy, now=life.clock()).id) for n in range(4)])
    assert life.do(lambda s: [row.amount_minor for row in s.scalars(select(Refund))]) == [6_000]


def test_a_decline_and_a_removal_of_its_card_wait_for_each_other_in_one_order(life: Life) -> None:
    for _ in range(3):
        plan_id = life.sign(count=4)
        life.bank = "silent"
        life.through(life.parts(plan_id)[0].due_on)
        (charge,) = life.charges("created")
        at_once(partial(life.happen, charge, "failed", None, "stolen_card"),
                lambda: life.do(lambda s: methods.remove(s, PRACTICE, VISA, "patient", life.clock())),
                lambda: life.do(lambda s: plan_days.work_due(s, PRACTICE, life.clock(), 20)))
        assert life.plan(plan_id).collects == "link"
        assert life.charges("created") == []
        life.change(plan_id, "cancel")
        life.do(lambda s: setattr(s.get_one(PaymentMethod, VISA), "status", "active"))
    assert deadlocks(life.store) == 0
