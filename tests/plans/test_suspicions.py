"""What a sceptic asked of running plans: small rests, promises, stale notices (both databases)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from billing import (
    plan_schedule,
    plans,
)
from billing.plan_consents import PlanRefused
from billing.plan_terms import Part
from billing.store.tables import Plan
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import OLD, OTHER, PRACTICE, VISA, Life, begin

FIRST = date(2026, 12, 3)
SECOND = date(2027, 1, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def paid(life: Life, way: str = "autopay") -> list[tuple[int | None, int]]:
    return [(number, cents) for status, cents, how, number in life.payments() if how == way and status == "succeeded"]


# Amounts that no processor takes ----------------------------------------------------------------------------------

def test_thirty_cents_left_of_an_instalment_do_not_keep_the_next_one_from_being_charged(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.at(FIRST - timedelta(days=1))
    life.pay(24_70, (OLD, 24_70), plan_id=plan_id, number=1)
    life.through(date(2027, 3, 10))
    assert paid(life) == [(2, 25_00), (3, 25_00), (4, 25_00)]
    assert life.open(plan_id) == [30, 0, 0, 0]
    assert [told["amount_minor"] for told in life.told("plan_notice")] == [25_00, 25_00, 25_00]
    assert life.cases() == ["plan_rest"]  # once, however many days pass
    assert life.plan(plan_id).status == "active"


def test_a_plan_by_link_is_not_behind_for_cents_that_no_page_can_take(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.at(FIRST - timedelta(days=1))
    life.pay(24_70, (OLD, 24_70), plan_id=plan_id, number=1)
    life.through(FIRST + timedelta(days=20))
    assert (life.plan(plan_id).status, life.told("plan_behind")) == ("active", [])
    life.through(SECOND)
    assert life.told("plan_link_due")[-1]["amount_minor"] == 25_30  # asked for together with the next
    life.pay(75_00, plan_id=plan_id)
    life.through(date(2027, 4, 1))
    assert (life.plan(plan_id).status, life.cases()) == ("active", ["plan_rest"])
    life.pay(30)
    assert life.plan(plan_id).status == "completed"


def test_an_extra_payment_leaves_no_last_instalment_below_what_the_processor_takes() -> None:
    parts = [Part(n, date(2026, n, 1), 25_00) for n in (1, 2, 3)]
    assert [p.amount_minor for p in plan_schedule.shorten(parts, 50_01, 50)] == [25_00, 24_51, 50]
    assert [p.amount_minor for p in plan_schedule.shorten(parts, 25_49, 50)] == [24_99, 50]
    assert [p.amount_minor for p in plan_schedule.shorten(parts, 30, 50)] == [30]
    assert [p.amount_minor for p in plan_schedule.lower(parts, 1_20, 50)] == [1_20]


def test_an_extra_payment_that_would_leave_a_cent_leaves_fifty(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.pay(24_99)
    assert life.open(plan_id) == [25_00, 25_00, 24_51, 50]
    life.through(date(2027, 3, 10))
    assert (life.plan(plan_id).status, sum(cents for _, cents in paid(life))) == ("completed", 75_01)


def test_staff_cannot_sign_a_plan_with_an_instalment_that_no_processor_takes(life: Life) -> None:
    terms = life.terms(count=2)
    first, last = terms.parts
    odd = (Part(1, first.due_on, 99_51), Part(2, last.due_on, 49))
    with pytest.raises(PlanRefused):
        life.offer(terms.__class__(terms.interval, terms.days, odd, terms.visits, terms.collects, VISA),
                   exception_reason="asked", offered_by="ana")


# T-47 ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("before", [0, 20_00])
def test_t_47_four_instalments_of_which_one_was_skipped_are_still_four_and_all_are_charged(
        life: Life, before: int) -> None:
    plan_id = life.sign(count=4)
    if before:
        life.at(FIRST - timedelta(days=2))
        life.pay(before, plan_id=plan_id, number=1)
    life.change(plan_id, "skip", number=1)
    life.through(date(2027, 4, 10))
    assert (life.plan(plan_id).status, sum(cents for _, cents in paid(life))) == ("completed", 100_00 - before)
    assert life.cases() == []


# Promises -----------------------------------------------------------------------------------------------------------

def test_another_try_is_not_promised_to_somebody_who_pays_by_link_since(life: Life) -> None:
    """and the instalment is missed after its grace like any other"""
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges()
    life.change(plan_id, "pay_by_link")
    life.happen(charge, "failed", None, "insufficient_funds")
    (told,) = life.told("plan_charge_failed")
    assert told["retry_on"] is None
    assert life.parts(plan_id)[0].retry_on is None
    life.through(FIRST + timedelta(days=7))
    assert life.plan(plan_id).status == "behind"


def test_another_try_is_not_promised_while_the_plan_is_paused(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges()
    life.change(plan_id, "pause")
    life.happen(charge, "failed", None, "insufficient_funds")
    (told,) = life.told("plan_charge_failed")
    assert told["retry_on"] is None


def test_a_card_given_while_the_old_one_is_being_declined_is_the_one_that_is_tried_next(life: Life) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    life.change(life.do(lambda s: s.scalars(select(Plan.id)).one()), "use_card", method_id=OTHER,
                wording="Yes: charge my card ending in 1881.")
    life.happen(charge, "failed", None, "stolen_card")
    assert life.told("plan_charge_failed")[0]["retry_on"] == (FIRST + timedelta(days=1)).isoformat()
    life.bank = "paid"
    life.through(FIRST + timedelta(days=1))
    assert paid(life) == [(1, 25_00)]


def test_a_notice_that_is_weeks_old_is_given_anew_before_the_charge(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.at(FIRST - timedelta(days=3))
    life.tick()
    life.at(FIRST - timedelta(days=2))
    life.tick()
    back = FIRST + timedelta(days=21)
    life.at(back)
    for _ in range(5):
        life.tick()
    assert life.payments() == []
    assert life.told("plan_notice")[-1]["charge_on"] == (back + timedelta(days=3)).isoformat()
    life.through(back + timedelta(days=3))
    assert paid(life) == [(1, 25_00)]
    assert life.parts(plan_id)[0].status == "paid"


def test_a_retry_that_was_slept_through_for_weeks_is_told_of_anew(life: Life) -> None:
    life.sign(count=4)
    life.bank = "insufficient_funds"
    life.through(FIRST)
    life.bank = "paid"
    back = FIRST + timedelta(days=24)
    life.at(back)
    for _ in range(3):
        life.tick()
    assert paid(life) == []
    life.through(back + timedelta(days=3))
    assert paid(life) == [(1, 25_00)]


def test_a_letter_after_a_decline_that_needed_the_patient_lets_the_charge_go_on(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges()
    life.happen(charge, "cancelled")  # their bank asked, and they did not answer
    assert life.parts(plan_id)[0].retry_on is None
    life.at(FIRST + timedelta(days=1))
    life.do(lambda s: plans.record_notice(s, PRACTICE, plan_id, 1, by="ana", how="letter", now=life.clock()))
    life.bank = "paid"
    life.through(FIRST + timedelta(days=3))
    assert paid(life) == []
    life.through(FIRST + timedelta(days=4))
    assert paid(life) == [(1, 25_00)]


def test_a_letter_about_a_plan_that_has_ended_is_refused(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.change(plan_id, "cancel")
    with pytest.raises(PlanRefused):
        life.do(lambda s: plans.record_notice(s, PRACTICE, plan_id, 1, by="ana", how="letter", now=life.clock()))


def test_a_plan_that_was_paused_after_its_last_warning_does_not_end_on_the_day_it_goes_on(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(SECOND + timedelta(days=7))
    assert life.told("plan_behind")[-1]["ends_on"] is not None
    life.change(plan_id, "pause", on=life.today + timedelta(days=40))
    life.at(life.today + timedelta(days=40))
    life.tick()
    assert life.plan(plan_id).status == "behind"
    assert "plan_defaulted" not in life.news()
