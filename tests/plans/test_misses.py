"""Charges that fail: tried again on the policy's days, then missed, then behind, then the end (both databases)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing import holds
from billing.store.tables import PaymentMethod
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import ANNA, OLD, OTHER, PRACTICE, VISA, Life, begin

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
