"""What each day does to a plan: notices, charges, retries, misses and ends, by practice-local days (both databases)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing import holds, plans
from billing.plan_notices import is_old_enough
from billing.staff import StaffRefused
from billing.store.tables import Outbox, Payment, PaymentMethod, Plan, PlanEvent
from bot.plan_days import work_plans
from bot.road import Road
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import ANNA, NEW, OLD, OTHER, PRACTICE, VISA, ZONE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def hold(life: Life) -> str:
    return life.do(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="wrong", source="test", placed_by="ana",
        now=life.clock(), visit_id=OLD).id)


def release(life: Life, hold_id: str) -> None:
    life.do(lambda s: holds.release(s, PRACTICE, hold_id, released_by="ana", reason="cleared", now=life.clock()))


def test_each_instalment_is_noticed_charged_once_and_the_plan_ends_paid(life: Life) -> None:
    plan_id = life.sign(count=3)
    life.through(date(2027, 2, 10))
    assert [entry for entry in life.news() if entry != "plan_agreed"] == ["plan_notice"] * 3 + ["plan_completed"]
    assert life.payments() == [("succeeded", 33_33, "autopay", 1), ("succeeded", 33_33, "autopay", 2),
                               ("succeeded", 33_34, "autopay", 3)]
    assert [s for *_, s in life.stands(plan_id)] == ["paid"] * 3
    assert (life.plan(plan_id).status, life.figures().patient_minor) == ("completed", 0)


def test_the_notice_names_the_amount_the_day_and_the_card_three_days_before(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST - timedelta(days=4))
    assert life.told("plan_notice") == []
    life.through(FIRST - timedelta(days=3))
    (notice,) = life.told("plan_notice")
    assert {name: notice[name] for name in ("amount_minor", "due_on", "charge_on", "last4", "instalment")} == {
        "amount_minor": 25_00, "due_on": "2026-12-03", "charge_on": "2026-12-03", "last4": "4242", "instalment": 1}


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


@pytest.mark.parametrize("road", ["withheld", "silent"])
def test_without_a_notice_that_left_there_is_no_charge(life: Life, road: str) -> None:
    """T-48; a person gives the notice another way, and then the charge goes on."""
    life.sign(count=4)
    life.tick()
    life.road = road
    life.through(FIRST + timedelta(days=2))
    assert life.payments() == []
    assert life.cases() == (["plan_notice"] if road == "withheld" else [])


def test_a_notice_that_left_late_moves_the_charge(life: Life) -> None:
    life.sign(count=4)
    life.tick()
    life.road = "silent"
    life.through(FIRST - timedelta(days=1))
    life.road = "sent"
    life.through(FIRST + timedelta(days=1))
    assert life.payments() == []
    life.through(FIRST + timedelta(days=2))
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_notice_that_did_not_arrive_after_all_stops_the_charge(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST - timedelta(days=1))

    def bounce(session: Any) -> None:
        session.scalars(select(Outbox).where(Outbox.template == "plan_notice")).one().status = "undelivered"

    life.do(bounce)
    life.through(FIRST)
    assert (life.payments(), life.cases()) == ([], ["plan_notice"])


def test_a_notice_given_on_paper_counts_from_its_own_day(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.tick()
    life.road = "withheld"
    life.through(FIRST)
    life.do(lambda s: plans.record_notice(s, PRACTICE, plan_id, 1, by="ana", how="letter", now=life.clock()))
    (first, *_) = life.parts(plan_id)
    assert (first.status, first.notice_id, first.noticed_minor) == ("noticed", "staff:ana", 25_00)
    assert [e.by for e in life.events(plan_id, "notice")] == ["system", "ana"]
    with pytest.raises(StaffRefused):
        life.do(lambda s: plans.record_notice(s, PRACTICE, plan_id, 1, by="x", how="letter", now=life.clock()))

    def ready() -> bool:
        rules = life.policy.plans
        assert rules is not None
        return life.do(lambda s: is_old_enough(s, s.get_one(Plan, plan_id), first, rules, life.policy, life.clock()))

    life.at(FIRST + timedelta(days=2), 23)
    assert not ready()
    life.at(FIRST + timedelta(days=3), 1)
    assert ready()


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


def test_a_soft_decline_is_tried_again_on_the_policys_days_and_then_missed(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "insufficient_funds"
    tried: list[date] = []
    for day in (FIRST + timedelta(days=n) for n in range(-5, 20)):
        before = len(life.payments())
        life.through(day)
        if len(life.payments()) > before:
            tried.append(day)
    assert tried == [FIRST, FIRST + timedelta(days=3), FIRST + timedelta(days=7)]
    assert [one["retry_on"] for one in life.told("plan_charge_failed")] == ["2026-12-06", "2026-12-10", None]
    assert life.plan(plan_id).status == "behind"
    assert life.stands(plan_id)[0] == ("2026-12-03", 25_00, 0, "missed")


def test_a_hard_decline_is_never_tried_again_and_the_patient_is_offered_a_way_on(life: Life) -> None:
    """T-50."""
    plan_id = life.sign(count=4)
    life.bank = "stolen_card"
    life.through(FIRST + timedelta(days=15))
    assert life.payments() == [("failed", 25_00, "autopay", 1)]
    assert (life.plan(plan_id).collects, life.plan(plan_id).method_id) == ("link", None)
    (failed,) = life.told("plan_charge_failed")
    assert (failed["reason"], failed["last4"], failed["retry_on"]) == ("hard", "4242", None)
    assert life.news().count("plan_changed") == 0


def test_a_new_card_cures_what_the_old_one_could_not_pay(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "stolen_card"
    life.through(FIRST + timedelta(days=8))
    assert life.plan(plan_id).status == "behind"
    life.bank = "paid"
    life.change(plan_id, "use_card", method_id=OTHER, wording="Yes, use the Visa ending in 1881")
    life.through(FIRST + timedelta(days=9))
    assert life.payments()[-1] == ("succeeded", 25_00, "autopay", 1)
    assert life.plan(plan_id).status == "cured"


def test_a_missed_instalment_puts_the_plan_behind_and_a_payment_cures_it(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(FIRST + timedelta(days=5))
    assert life.plan(plan_id).status == "active"
    life.through(FIRST + timedelta(days=6))
    assert (life.plan(plan_id).status, life.plan(plan_id).behind_since_on) == ("behind", date(2026, 12, 9))
    (behind,) = life.told("plan_behind")
    assert (behind["amount_minor"], behind["missed"], behind["ends_on"]) == (25_00, 1, None)
    life.pay(25_00)
    assert (life.plan(plan_id).status, life.plan(plan_id).behind_since_on) == ("cured", None)


def test_a_plan_ends_only_after_the_day_that_its_patient_was_told_of(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(date(2027, 1, 9))
    (_, last) = life.told("plan_behind")
    assert (last["missed"], last["amount_minor"], last["ends_on"]) == (2, 50_00, "2027-01-16")
    life.through(date(2027, 1, 16))
    assert life.plan(plan_id).status == "behind"
    life.through(date(2027, 1, 17))
    assert (life.plan(plan_id).status, life.figures().due_now_minor) == ("defaulted", 100_00)
    assert life.news()[-1] == "plan_defaulted"
    assert life.cases() == ["plan_defaulted"]
    life.through(date(2027, 3, 10))
    assert life.news()[-1] == "plan_defaulted"


def test_a_plan_that_caught_up_in_time_does_not_end(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(date(2027, 1, 12))
    life.pay(50_00)
    life.through(date(2027, 1, 25))
    assert life.plan(plan_id).status == "cured"


def test_a_plan_whose_patient_could_not_be_told_does_not_end_by_itself(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(date(2026, 12, 31))
    life.road = "withheld"
    life.through(date(2027, 1, 30))
    assert life.plan(plan_id).status == "behind"
    assert "plan_notice" in life.cases()


def test_a_dispute_in_the_middle_stops_charges_and_is_nobodys_miss(life: Life) -> None:
    """receivables.md D4: holds are read when the card is charged."""
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    held = hold(life)
    life.through(FIRST + timedelta(days=12))
    assert (life.payments(), life.plan(plan_id).status) == ([], "active")
    assert life.cases() == ["plan_withheld"]
    release(life, held)
    life.through(FIRST + timedelta(days=13))
    assert life.payments() == []  # its notice named a day that has long passed
    life.through(life.today + timedelta(days=3))
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_no_notice_is_sent_for_what_is_held(life: Life) -> None:
    life.sign(count=4)
    held = hold(life)
    life.through(FIRST)
    assert life.told("plan_notice") == []
    release(life, held)
    life.through(FIRST + timedelta(days=1))
    assert life.told("plan_notice")[0]["charge_on"] == "2026-12-06"


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


def test_a_first_instalment_within_the_notice_waits_for_the_signing_to_be_old_enough(life: Life) -> None:
    life.sign(count=4, first_on=date(2026, 11, 6))
    life.through(date(2026, 11, 5))
    assert life.payments() == []
    life.through(date(2026, 11, 6))
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


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


def test_a_card_that_went_without_a_word_is_not_charged(life: Life) -> None:
    """T-50: the card is looked at in the moment of charging."""
    life.sign(count=4)
    life.through(FIRST - timedelta(days=1))

    def lose(session: Any) -> None:
        session.get_one(PaymentMethod, VISA).status = "failed"

    life.do(lose)
    life.through(FIRST)
    assert life.payments() == []


def test_a_debit_that_takes_days_is_neither_repeated_nor_missed(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    life.happen(life.charges()[0], "processing")
    life.through(FIRST + timedelta(days=8))
    assert (len(life.payments()), life.plan(plan_id).status) == (1, "active")
    life.happen(life.charges()[0], "paid")
    assert life.stands(plan_id)[0] == ("2026-12-03", 25_00, 25_00, "paid")


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
