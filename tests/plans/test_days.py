"""What each day does to a plan: what is charged on it, once, by practice-local days (both databases)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing.store.tables import Payment, Plan, PlanEvent
from bot.plan_days import work_plans
from bot.road import Road
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import NEW, OLD, PRACTICE, VISA, ZONE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def test_each_instalment_is_noticed_charged_once_and_the_plan_ends_paid(life: Life) -> None:
    plan_id = life.sign(count=3)
    life.through(date(2027, 2, 10))
    assert [entry for entry in life.news() if entry != "plan_agreed"] == ["plan_notice"] * 3 + ["plan_completed"]
    assert life.payments() == [("succeeded", 33_33, "autopay", 1), ("succeeded", 33_33, "autopay", 2),
                               ("succeeded", 33_34, "autopay", 3)]
    assert [s for *_, s in life.stands(plan_id)] == ["paid"] * 3
    assert (life.plan(plan_id).status, life.figures().patient_minor) == ("completed", 0)


def test_nothing_is_charged_before_the_practices_hour_of_the_day(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    life.at(FIRST, 9)
    life.tick()
    assert life.payments() == []
    life.at(FIRST, 10)
    life.tick()
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_second_tick_of_the_same_day_does_nothing_more(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    before = (life.news(), life.payments(), life.log(plan_id))
    for hour in (11, 12, 17, 23):
        life.at(FIRST, hour)
        life.tick()
    assert (life.news(), life.payments(), life.log(plan_id)) == before


def test_weeks_of_downtime_are_followed_by_one_notice_and_one_charge_at_a_time(store: Store, clock: Clock) -> None:
    life = begin(store, clock)
    life.sign(interval="week", count=4, first_on=date(2026, 11, 10))
    life.through(date(2026, 11, 4))
    life.at(date(2026, 12, 10))  # all four are overdue
    for _ in range(5):
        life.tick()
    assert life.news().count("plan_notice") == 1
    assert life.payments() == []
    days: list[date] = []
    for day in (date(2026, 12, 10) + timedelta(days=n) for n in range(1, 25)):
        before = len(life.payments())
        life.through(day)
        assert len(life.payments()) - before <= 1
        if len(life.payments()) > before:
            days.append(day)
    assert days == [date(2026, 12, 13), date(2026, 12, 16), date(2026, 12, 19), date(2026, 12, 22)]
    assert life.news().count("plan_notice") == 4


def test_a_plan_by_link_asks_once_for_all_that_was_slept_through(store: Store, clock: Clock) -> None:
    life = begin(store, clock)
    life.sign(autopay=False, interval="week", count=4, first_on=date(2026, 11, 10))
    life.at(date(2026, 11, 25))
    life.tick()
    (asked,) = life.told("plan_link_due")
    assert (asked["amount_minor"], asked["instalments"]) == (75_00, [1, 2, 3])


def test_month_ends_do_not_drift(store: Store, clock: Clock) -> None:
    life = begin(store, clock)
    life.at(date(2027, 12, 20))
    plan_id = life.sign(count=4, interval="month", days=(31,), first_on=date(2027, 12, 31))
    assert [day for day, *_ in life.stands(plan_id)] == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]
    life.through(date(2028, 4, 2))
    paid = life.do(lambda s: [life.policy.local_day(p.paid_at).isoformat() for p in s.scalars(
        select(Payment).order_by(Payment.paid_at)) if p.paid_at])
    assert paid == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]


@pytest.mark.parametrize(("signed", "due_on"), [(date(2026, 10, 12), date(2026, 11, 1)),
                                                (date(2026, 2, 20), date(2026, 3, 8))])
def test_a_day_on_which_the_clocks_change_charges_once(store: Store, clock: Clock, signed: date, due_on: date) -> None:
    life = begin(store, clock)
    life.at(signed)
    life.sign(count=4, interval="month", first_on=due_on)
    life.through(due_on - timedelta(days=1))
    life.clock.at = datetime(due_on.year, due_on.month, due_on.day, 0, 30, tzinfo=ZONE)
    for _ in range(48):  # every half hour of a day of 23 or 25 hours
        life.clock.advance(minutes=30)
        life.tick()
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_the_charge_is_never_above_what_is_owed_and_nothing_owed_is_skipped(life: Life) -> None:
    """T-51: the balance is read in the moment of charging."""
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    life.insurer(OLD, -90_00)
    life.through(FIRST)
    assert life.payments() == [("succeeded", 10_00, "autopay", 1)]
    assert life.plan(plan_id).status == "completed"


def test_an_instalment_is_skipped_not_failed_when_nothing_is_owed(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    life.insurer(OLD, -100_00)
    life.through(FIRST)
    assert life.payments() == []
    assert (life.plan(plan_id).status, life.plan(plan_id).end_reason) == ("completed", "nothing_owed")
    assert [s for *_, s in life.stands(plan_id)] == ["skipped"] * 4


def test_no_charge_is_above_what_was_agreed_at_one_time(life: Life) -> None:
    """T-48: the authorization's most, whatever the instalment has come to."""
    from billing.store.tables import Instalment
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))

    def raise_it(session: Any) -> None:
        first = session.get_one(Instalment, (plan_id, 1))
        first.amount_minor, first.noticed_minor = 60_00, 60_00
        session.get_one(Instalment, (plan_id, 4)).amount_minor = 0
        session.get_one(Instalment, (plan_id, 3)).amount_minor = 15_00

    life.do(raise_it)
    life.through(FIRST)
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_deposit_is_charged_while_the_patient_is_there(store: Store, clock: Clock) -> None:
    """The first use of the card is the patient's own (T-50)."""
    life = begin(store, clock, deposit_percent=20)
    plan_id = life.sign(count=3)
    life.tick()
    assert life.payments() == [("succeeded", 20_00, "saved", 0)]
    assert life.stands(plan_id)[0] == ("2026-11-03", 20_00, 20_00, "paid")


def test_two_plans_of_an_account_are_charged_each_on_its_own(life: Life) -> None:
    life.sign(count=2)
    life.agree(life.offer(life.terms(visits=(NEW,), count=1)))
    life.through(FIRST)
    assert sorted(life.payments()) == [("succeeded", 45_50, "autopay", 1), ("succeeded", 50_00, "autopay", 1)]


def test_a_charge_whose_answer_is_open_is_not_made_again(life: Life) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST + timedelta(days=20))
    assert life.payments() == [("created", 25_00, "autopay", 1)]
    assert life.do(lambda s: s.get_one(Payment, life_first(s)).method_id) == VISA


def life_first(session: Any) -> str:
    return str(session.scalars(select(Payment.id)).one())


def test_a_plan_that_contradicts_itself_goes_to_a_person_and_keeps_nobody_waiting(life: Life) -> None:
    broken = life.sign(count=4)
    other = life.offer(life.terms(visits=(NEW,), count=1))
    life.agree(other)

    def break_it(session: Any) -> None:
        session.get_one(Plan, broken).status = "behind"
        session.add(PlanEvent(practice_id=PRACTICE, plan_id=broken, kind="default_notice", by="system",
                              reason="no day", at=life.clock()))

    life.do(break_it)
    life.through(FIRST)
    assert life.cases() == ["plan_stuck"]
    assert ("succeeded", 45_50, "autopay", 1) in life.payments()


async def test_the_job_works_every_practices_plans_to_the_end_of_what_is_due(store: Store, clock: Clock) -> None:
    life = begin(store, clock)
    for visit_id in (OLD, NEW):
        life.agree(life.offer(life.terms(visits=(visit_id,), count=1)))
    life.through(FIRST - timedelta(days=1))
    life.at(FIRST)
    road = Road(store, clock, "test", "https://pay.example")
    assert await work_plans(road) == 2
    assert (road.wake.inbox.is_set(), len(life.payments())) == (True, 2)
    assert await work_plans(road) == 0
