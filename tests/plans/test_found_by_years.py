"""What the simulated years brought to light (tests/scenarios/plan_years.py), each as the short life that it was."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from billing import checkout, consents, holds, overpayments, payments, settlement
from billing.commands import RequestPayment
from billing.payment_requests import RequestContext
from billing.phones import address_hash
from billing.plan_changes import stop_if_opted_out
from billing.store.tables import PaymentMethod, Plan
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world
from tests.payments.world import ANNA, NEW, OLD, PRACTICE, TALK
from tests.plans.test_opt_out import resume, stop
from tests.plans.world import PHONE, VISA, Life, begin

FIRST = date(2026, 12, 3)
LAST_WORD = date(2027, 1, 16)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def by_bank(session: Session) -> None:
    session.get_one(PaymentMethod, VISA).kind = "bank"


def test_t_48_what_was_left_of_an_instalment_is_told_of_before_it_is_charged(life: Life) -> None:
    """A visit was held, so only a part was told of and charged; the hold goes, and the rest has a notice of its own."""
    plan_id = life.offer(life.terms(visits=(OLD, NEW), count=1))
    life.agree(plan_id)
    due_on = life.parts(plan_id)[0].due_on
    hold_id = life.do(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="no", source="test", placed_by="ana",
        now=life.clock(), visit_id=NEW, dedupe="1").id)
    life.through(due_on - timedelta(days=1))
    life.do(partial(holds.release, practice_id=PRACTICE, hold_id=hold_id, released_by="ana", reason="said",
                    now=life.clock()))
    life.through(due_on + timedelta(days=2))
    assert life.payments() == [("succeeded", 100_00, "autopay", 1)]
    assert [told["amount_minor"] for told in life.told("plan_notice")] == [100_00, 45_50]
    life.through(due_on + timedelta(days=5))
    assert life.payments()[1:] == [("succeeded", 45_50, "autopay", 1)]


def paying(session: Session, life: Life) -> str:
    """A page that the patient has in hand."""
    command = RequestPayment(ANNA, 50_00, ((OLD, 50_00),), world.version(session), "en", early=True)
    payment = payments.request(session, command, RequestContext(
        PRACTICE, life.policy, life.clock(), TALK, "inbox:5"))
    opening = checkout.begin(session, PRACTICE, payment.id, life.clock())
    assert isinstance(opening, checkout.Opening)
    checkout.opened(session, PRACTICE, payment.id, opening.attempt, "cs_1", "https://x.example", life.clock())
    return payment.id


def test_a_plan_does_not_end_over_a_payment_of_which_no_news_has_come(life: Life) -> None:
    """Paid on its last day, the event lost: by the processor's answer the plan goes on, or ends."""
    plan_id = life.sign(autopay=False, count=4)
    life.through(LAST_WORD)
    payment_id = life.do(lambda s: paying(s, life))
    life.through(LAST_WORD + timedelta(days=3))
    assert life.plan(plan_id).status == "behind"
    life.happen(payment_id, "paid")
    assert life.plan(plan_id).status == "cured"


def test_a_page_that_nobody_paid_puts_the_end_off_no_longer(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.through(LAST_WORD)
    payment_id = life.do(lambda s: paying(s, life))
    life.through(LAST_WORD + timedelta(days=1))
    life.happen(payment_id, "expired")
    life.through(LAST_WORD + timedelta(days=2))
    assert life.plan(plan_id).status == "defaulted"


def test_nobody_misses_an_instalment_that_their_own_credit_pays(life: Life) -> None:
    """No page takes money while credit is to be used first, so nothing of it is the patient's doing."""
    plan_id = life.sign(autopay=False, count=4)
    life.pay(45_50, (NEW, 45_50))
    life.insurer(NEW, -45_50)
    life.do(lambda s: settlement.settle(s, PRACTICE, {NEW}, now=life.clock(), today=life.today, currency="USD"))
    life.through(FIRST + timedelta(days=20))
    assert (life.plan(plan_id).status, "plan_behind" in life.news()) == ("active", False)


def test_t_48_a_second_stop_by_the_carrier_is_asked_about_as_the_first_was(life: Life) -> None:
    plan_id = life.sign(count=4)
    stop(life)
    life.at(life.today + timedelta(days=1))
    resume(life, plan_id)
    life.at(life.today + timedelta(days=1))
    life.do(lambda s: consents.record_revoked(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", PHONE), wording="refused by the provider (21610)",
        medium="text", recorded_by="provider", now=life.clock()))
    before = life.payments()
    plan = life.plan(plan_id)
    assert plan.status == "active"
    assert life.do(lambda s: stop_if_opted_out(s, s.get_one(Plan, plan_id), life.clock()))
    assert (life.payments(), life.plan(plan_id).pause_reason) == (before, "opt_out")


def test_t_49_a_debit_that_came_back_for_good_is_announced_no_more(life: Life) -> None:
    """Else a notice would go out each week of a charge that the rules withhold each time."""
    life.do(by_bank)
    plan_id = life.sign(count=4)
    life.through(FIRST)
    life.happen(life.charges()[0], "returned", None, "debit_not_authorized")
    plan = life.plan(plan_id)
    assert (plan.status, plan.collects, plan.pause_reason) == ("paused", "link", "returned")


def test_t_49_a_returned_debit_of_which_less_is_owed_now_waits_for_the_patient(life: Life) -> None:
    """It may be presented again for the same amount only: no debit, one word of how to pay, then as any other miss."""
    life.do(by_bank)
    life.bank = "insufficient_funds"
    life.sign(count=4)
    life.through(FIRST)
    assert life.payments() == [("failed", 25_00, "autopay", 1)]
    life.insurer(OLD, -85_00)
    life.through(FIRST + timedelta(days=60))
    assert life.payments() == [("failed", 25_00, "autopay", 1)]
    assert life.news().count("plan_charge_failed") == 2
    assert life.news().count("plan_notice") == 1
    assert "plan_behind" in life.news()


def test_money_moved_between_the_visits_of_a_plan_fills_its_instalments_once(life: Life) -> None:
    """Paid on a visit that is not billed after all, then used on the other one: 45.50 came, and 45.50 is paid."""
    plan_id = life.offer(life.terms(False, visits=(OLD, NEW), count=3))
    life.agree(plan_id, autopay=False)
    life.pay(45_50, (NEW, 45_50))
    life.insurer(NEW, -45_50)
    life.do(lambda s: settlement.settle(s, PRACTICE, {NEW}, now=life.clock(), today=life.today, currency="USD"))
    life.at(FIRST)
    assert life.do(lambda s: overpayments.apply_credit(s, PRACTICE, ANNA, "ana", life.clock())) > 0
    stands = life.stands(plan_id)
    assert sum(paid for _, _, paid, _ in stands) == 45_50
    assert sum(asks for _, asks, _, _ in stands) == 100_00
