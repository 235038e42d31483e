"""What money does to a plan: filled to the cent, taken off where it was put, never above what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from billing import plan_money, plans, refunds
from billing.store.tables import Inbox, Instalment, Payment, Plan
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import NEW, OLD, PRACTICE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def paid(life: Life, plan_id: str) -> list[int]:
    return [cents for _, _, cents, _ in life.stands(plan_id)]


def statuses(life: Life, plan_id: str) -> list[str]:
    return [status for *_, status in life.stands(plan_id)]


def test_an_extra_payment_shortens_the_plan_from_its_end(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.pay(40_00)
    assert paid(life, plan_id) == [0, 0, 15_00, 25_00]
    assert statuses(life, plan_id) == ["planned", "planned", "planned", "paid"]
    assert sum(life.open(plan_id)) == life.figures().patient_minor == 60_00


def test_an_extra_payment_lowers_the_instalments_for_who_chose_that(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.change(plan_id, "on_extra", value="lower")
    life.pay(40_01)
    assert life.open(plan_id) == [15_00, 15_00, 15_00, 14_99]
    assert sum(paid(life, plan_id)) == 40_01


def test_money_goes_to_its_instalment_then_to_what_is_due_then_to_the_next_that_was_told_of(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(date(2026, 12, 31))  # the first is due and missed, the notice of the second is out
    life.pay(30_00)
    assert paid(life, plan_id) == [25_00, 5_00, 0, 0]
    life.pay(10_00, plan_id=plan_id, number=3)
    assert paid(life, plan_id) == [25_00, 5_00, 10_00, 0]


def test_money_for_another_visit_is_not_the_plans(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.pay(45_50, (NEW, 45_50))
    assert paid(life, plan_id) == [0, 0, 0, 0]
    assert life.figures(NEW).patient_minor == 0


def test_paying_all_of_it_ends_the_plan(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.pay(100_00)
    assert (life.plan(plan_id).status, statuses(life, plan_id)) == ("completed", ["paid"] * 4)
    life.through(FIRST + timedelta(days=5))
    assert [way for _, _, way, _ in life.payments()] == ["desk"]


def test_the_insurer_pays_more_and_the_plan_asks_for_less(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.insurer(OLD, -30_00)
    life.through(FIRST - timedelta(days=3))
    assert life.open(plan_id) == [25_00, 25_00, 20_00, 0]
    assert statuses(life, plan_id) == ["noticed", "planned", "planned", "skipped"]
    (told,) = life.told("plan_changed")
    assert (told["change"], told["less_minor"], told["left_minor"]) == ("less_owed", 30_00, 70_00)
    assert life.plan(plan_id).total_minor == 100_00
    life.through(date(2027, 3, 5))
    assert [cents for _, cents, _, _ in life.payments()] == [25_00, 25_00, 20_00]
    assert life.plan(plan_id).status == "completed"


def test_the_insurer_takes_back_and_nothing_more_is_charged_without_consent(life: Life) -> None:
    """T-48: more needs new consent; a person hears of it once."""
    plan_id = life.sign(count=4)
    life.insurer(OLD, 20_00)
    life.through(date(2027, 3, 5))
    assert [cents for _, cents, _, _ in life.payments()] == [25_00] * 4
    assert life.cases() == ["plan_more_owed"]
    assert life.log(plan_id).count("more_owed") == 1
    assert life.news().count("plan_changed") == 0
    assert life.plan(plan_id).status == "completed"
    assert life.figures().due_now_minor == 20_00  # the rest is due like any other bill


def test_a_second_rise_is_news_again_and_a_fall_first_eats_the_rise(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)

    def settle() -> None:
        life.do(lambda s: plan_money.settle_to_balance(s, s.get_one(Plan, plan_id), life.clock()))

    for move, rises, left in ((20_00, 1, 100_00), (0, 1, 100_00), (5_00, 2, 100_00), (-25_00, 2, 100_00),
                              (-10_00, 2, 90_00)):
        if move:
            life.insurer(OLD, move)
        settle()
        assert (life.log(plan_id).count("more_owed"), sum(life.open(plan_id))) == (rises, left)


def test_what_was_owed_beside_the_plan_at_signing_is_no_news(life: Life) -> None:
    """A plan over part of a visit's balance: the rest is known."""
    terms = life.terms(autopay=False, count=4)
    part = replace(terms, visits=((OLD, 80_00),), parts=tuple(replace(p, amount_minor=20_00) for p in terms.parts))
    plan_id = life.offer(part, exception_reason="part of it is with her lawyer", offered_by="ana")
    life.do(lambda s: plans.approve(s, PRACTICE, plan_id, by="sam", reason="fine", now=life.clock()))
    life.agree(plan_id, autopay=False)
    life.do(lambda s: plan_money.settle_to_balance(s, s.get_one(Plan, plan_id), life.clock()))
    assert life.cases() == ["plan_exception"]
    assert sum(life.open(plan_id)) == 80_00


def test_a_refund_is_taken_off_the_instalment_that_the_payment_filled(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.at(FIRST)
    life.pay(25_00)
    second = life.pay(30_00)  # the tail and a part of the one before
    assert paid(life, plan_id) == [25_00, 0, 5_00, 25_00]
    refund(life, second, 10_00)
    assert paid(life, plan_id) == [25_00, 0, 5_00, 15_00]
    refund(life, second, 10_00)  # the same request again
    assert paid(life, plan_id) == [25_00, 0, 5_00, 15_00]
    assert sum(life.open(plan_id)) == life.figures().patient_minor == 55_00
    refund(life, second, 20_00, "2")
    assert statuses(life, plan_id) == ["paid", "planned", "planned", "planned"]


def refund(life: Life, payment_id: str, minor: int, dedupe: str = "1") -> None:
    """Cash out of the drawer, by staff."""
    life.do(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=payment_id, amount_minor=minor, tender="cash", reason="other",
        note="asked for it back", by="ana", dedupe=dedupe, policy=life.policy, now=life.clock()))


def test_a_chargeback_opens_the_instalment_again_and_pauses_the_plan(life: Life) -> None:
    """receivables.md D3: chargeback is a debit, and the plan pauses."""
    plan_id = life.sign(count=4)
    life.through(FIRST)
    life.happen(life.charges()[0], "disputed")
    plan = life.plan(plan_id)
    assert (plan.status, plan.pause_reason, plan.paused_until_on) == ("paused", "disputed", None)
    assert paid(life, plan_id) == [0, 0, 0, 0]
    assert "plan_paused" in life.cases() and "plan_paused" in life.news()
    life.through(FIRST + timedelta(days=70))
    assert len(life.payments()) == 1


def test_a_dispute_that_was_won_fills_the_instalment_again(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST)
    life.happen(life.charges()[0], "disputed")
    life.happen(life.charges()[0], "dispute_won")
    assert paid(life, plan_id) == [25_00, 0, 0, 0]
    assert life.plan(plan_id).status == "paused"  # until a person has looked


def test_the_last_payment_taken_back_makes_a_finished_plan_one_that_is_behind_and_rests(life: Life) -> None:
    plan_id = life.sign(count=1)
    life.through(FIRST)
    assert life.plan(plan_id).status == "completed"
    life.happen(life.charges()[0], "disputed")
    plan = life.plan(plan_id)
    assert (plan.status, plan.ended_at) == ("paused", None)
    assert life.open(plan_id) == [100_00]


def test_a_payment_while_the_charge_is_on_its_way_is_not_taken_twice(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    life.pay(100_00)
    assert life.plan(plan_id).status == "completed"
    life.happen(life.charges()[0], "paid")  # made already: it pays what else is due
    assert sum(paid(life, plan_id)) == 100_00
    assert life.figures(NEW).patient_minor == 45_50 - 25_00


def test_credit_money_never_fills_a_plan(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.pay(130_00, (OLD, 130_00))
    assert sum(paid(life, plan_id)) == 100_00


def rows(amounts: Sequence[tuple[int, int]], today: date) -> list[Instalment]:
    return [Instalment(plan_id="p", number=n, practice_id=PRACTICE, due_on=today + timedelta(days=30 * n - 45),
                       amount_minor=amount, agreed_minor=amount, paid_minor=min(done, amount), status="planned",
                       tries=0)
            for n, (amount, done) in enumerate(amounts, start=1)]


@given(st.lists(st.tuples(st.integers(1, 500_00), st.integers(0, 500_00)), min_size=1, max_size=12),
       st.integers(0, 7_000_00), st.sampled_from(["shorten", "lower"]))
def test_what_falls_on_the_instalments_is_what_there_is_to_the_cent(
        amounts: list[tuple[int, int]], minor: int, choice: str) -> None:
    today = date(2026, 11, 3)
    parts = rows(amounts, today)
    less = plan_money.spread(Plan(on_extra=choice), parts, minor, today)
    open_minor = {part.number: plan_money.open_of(part) for part in parts}
    assert sum(less.values()) == min(minor, sum(open_minor.values()))
    assert all(0 < cents <= open_minor[number] for number, cents in less.items())


def test_what_money_does_twice_it_does_once(life: Life) -> None:
    """Whoever tells of it again changes nothing."""
    plan_id = life.sign(count=4)
    life.through(FIRST)
    payment_id = life.charges()[0]
    before = (life.stands(plan_id), life.log(plan_id))
    life.happen(payment_id, "paid")
    life.do(lambda s: plan_money.note_back(s, s.get_one(Payment, payment_id), life.clock()))
    life.do(lambda s: plan_money.note_failed(s, s.get_one(Payment, payment_id), life.clock()))
    assert (life.stands(plan_id), life.log(plan_id)) == before


def test_a_debit_that_came_back_is_told_once_with_what_becomes_of_the_plan(life: Life) -> None:
    life.sign(count=4)
    life.through(date(2026, 12, 3))
    (charge,) = life.charges("succeeded")
    for _ in range(2):
        life.happen(charge, "returned", None, "insufficient_funds")
    kinds = life.do(lambda s: [row.payload["kind"] for row in s.scalars(select(Inbox).where(
        Inbox.source == "event", Inbox.status == "accepted"))])
    assert [kind for kind in kinds if kind in ("payment_failed", "plan_paused")] == ["plan_paused"]
    assert life.told("plan_paused")[0]["reason"] == "returned"
