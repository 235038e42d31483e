"""Whatever takes a charge back is heard until the call is made, and no instalment is paid twice (both databases)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import (
    consents,
    contacts,
    holds,
    methods,
    payments,
    plan_changes,
    plan_money,
    plans,
    saved_charges,
)
from billing.commands import ChargeSavedCard, CommandRefused, RequestPayment
from billing.payment_requests import RequestContext
from billing.phones import address_hash
from billing.store.tables import ContactPoint, Hold, Payment, PaymentMethod, Plan
from bot.processors.base import PaymentEvent
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world
from tests.plans.test_suspicions import paid
from tests.plans.world import ANNA, OLD, PHONE, PRACTICE, TALK, VISA, ZONE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def allowed(life: Life, payment_id: str) -> str:
    """The gate's answer just before the call."""
    return life.do(lambda s: saved_charges.ask(s, s.get_one(Payment, payment_id), "sending", life.clock()).ruling.rule)


def mark_wrong(session: Session) -> None:
    """Somebody says that nobody of this name has the number."""
    for point in session.scalars(select(ContactPoint)):
        point.status = "wrong_number"


def test_t_48_a_notice_that_left_to_a_wrong_number_was_no_notice(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    assert life.told("plan_notice")

    life.do(mark_wrong)
    life.through(FIRST)
    assert (life.payments(), life.cases()) == ([], ["plan_notice"])


def test_t_48_a_wrong_number_marked_between_the_claim_and_the_call_stops_the_charge(life: Life) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    assert allowed(life, charge) == "allowed"
    life.do(mark_wrong)
    assert allowed(life, charge) == "T-48"


@pytest.mark.parametrize("kind", ["deceased", "bankruptcy", "dispute", "autopay_stop", "litigation"])
def test_a_hold_between_the_claim_and_the_call_stops_the_charge(life: Life, kind: str) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    life.do(lambda s: holds.place(s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, reason="told", source="test",
                                  placed_by="ana", now=life.clock()))
    assert allowed(life, charge) != "allowed"


def test_t_48_a_stop_by_the_carrier_is_not_forgotten_because_the_plan_fell_behind(life: Life) -> None:
    plan_id = life.sign(interval="week", count=4, first_on=date(2026, 11, 10))
    life.bank = "insufficient_funds"
    life.through(date(2026, 11, 16))
    life.bank = "silent"
    life.through(date(2026, 11, 17))
    (charge,) = life.charges("created")
    hashed = address_hash(PRACTICE, "sms", PHONE)
    life.do(lambda s: consents.record_revoked(s, PRACTICE, "sms", hashed, wording="refused by the provider (21610)",
                                              medium="text", recorded_by="provider", now=life.clock()))
    life.clock.advance(minutes=5)
    life.happen(charge, "failed", None, "insufficient_funds")
    life.tick()
    assert life.plan(plan_id).status == "behind"
    life.bank = "paid"
    life.through(date(2026, 11, 25))
    assert (paid(life), life.plan(plan_id).pause_reason) == ([], "opt_out")


def test_t_48_a_stop_from_another_number_of_the_account_stops_the_charge(life: Life) -> None:
    plan_id = life.sign(count=4)
    second = "+12125550177"
    life.do(lambda s: contacts.add_phone(s, PRACTICE, ANNA, second, source="desk", now=life.clock()))
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    assert life.do(lambda s: plan_changes.stop_for_opt_out(
        s, PRACTICE, address_hash(PRACTICE, "sms", second), life.clock(), "STOP")) == 1
    assert (allowed(life, charge) == "allowed", life.plan(plan_id).pause_reason) == (False, "opt_out")


def test_the_end_of_the_month_and_midnight_are_the_practices_own(life: Life) -> None:
    """Signed at 23:30 of the 31st in New York, which is the 1st in London."""
    life.clock.at = datetime(2027, 1, 31, 23, 30, tzinfo=ZONE)
    plan_id = life.sign(count=4, days=(31,))
    assert [day for day, *_ in life.stands(plan_id)] == ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    life.through(date(2027, 2, 27))
    life.at(date(2027, 2, 27), 23)  # the 28th in London
    life.tick()
    assert paid(life) == []
    life.at(date(2027, 2, 28), 9)
    life.tick()
    assert paid(life) == []
    life.at(date(2027, 2, 28), 10)
    life.tick()
    assert paid(life) == [(1, 25_00)]


def test_a_clock_that_steps_back_over_midnight_charges_nothing_twice(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST)
    assert paid(life) == [(1, 25_00)]
    for back in (timedelta(minutes=5), timedelta(hours=12), timedelta(days=1)):
        life.clock.at -= back
        life.tick()
    life.through(FIRST + timedelta(days=1))
    assert paid(life) == [(1, 25_00)]


def test_money_returned_after_the_plan_was_completed_is_asked_for_by_nobody_until_a_person_looked(life: Life) -> None:
    plan_id = life.sign(count=2)
    life.through(date(2027, 1, 10))
    assert life.plan(plan_id).status == "completed"
    last = life.charges("succeeded")[-1]
    life.happen(last, "returned", None, "insufficient_funds")
    life.through(date(2027, 3, 10))
    assert (life.plan(plan_id).status, life.open(plan_id), len(life.payments())) == ("paused", [0, 50_00], 2)
    assert sorted(life.cases()) == ["bank_return", "plan_paused"]


def test_a_dispute_won_after_the_plan_defaulted_pays_the_visit_and_wakes_no_plan(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    one = life.do(lambda s: by_page(s, life))
    life.happen(one, "paid")
    life.happen(one, "disputed")
    life.do(lambda s: plans.resume(s, PRACTICE, plan_id, by="sam", reason="asked", now=life.clock()))
    for hold in life.do(lambda s: list(s.scalars(select(Hold.id)))):
        life.do(partial(holds.release, practice_id=PRACTICE, hold_id=hold, released_by="ana", reason="said",
                        now=life.clock()))
    life.through(date(2027, 3, 10))
    assert life.plan(plan_id).status == "defaulted"
    life.happen(one, "dispute_won")
    assert (life.plan(plan_id).status, life.figures().patient_minor) == ("defaulted", 75_00)


def by_page(session: Session, life: Life) -> str:
    command = RequestPayment(ANNA, 25_00, ((OLD, 25_00),), world.version(session), "en", early=True)
    return payments.request(session, command, RequestContext(
        PRACTICE, life.policy, life.clock(), TALK, "inbox:5")).id


# Two at once --------------------------------------------------------------------------------------------------------

def charging(life: Life, plan_id: str, number: int) -> tuple[ChargeSavedCard, RequestContext]:
    """The patient's yes, in the thread, to an instalment's $25.00."""
    command = ChargeSavedCard(ANNA, VISA, 25_00, ((OLD, 25_00),), life.do(world.version), "en",
                              "Charge your Visa ending in 4242 $25.00 today?", "1", early=True, plan_id=plan_id,
                              instalment=number)
    return command, RequestContext(PRACTICE, life.policy, life.clock(), TALK, "inbox:99")


def yes(life: Life, plan_id: str, number: int) -> str:
    command, context = charging(life, plan_id, number)
    return life.do(lambda s: saved_charges.by_yes(s, command, context).id)


def test_an_instalment_that_is_being_charged_is_not_charged_again_by_a_yes(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    assert len(life.charges("created")) == 1
    with pytest.raises(CommandRefused) as caught:
        yes(life, plan_id, 1)
    assert caught.value.refused.reason == "paying"


def test_an_instalment_that_somebody_said_yes_to_is_not_charged_by_the_plan(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST - timedelta(days=1))
    one = yes(life, plan_id, 1)
    life.through(FIRST)
    assert life.charges() == [one]
    life.happen(one, "paid")
    life.bank = "paid"
    life.through(FIRST + timedelta(days=3))
    assert life.open(plan_id) == [0, 25_00, 25_00, 25_00]


def test_a_part_payment_on_a_page_leaves_the_charge_that_is_on_its_way_known(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    life.happen(charge, "processing")
    life.pay(5_00, plan_id=plan_id, number=1)
    assert life.parts(plan_id)[0].status == "charging"
    life.happen(charge, "paid")
    assert (life.open(plan_id), life.figures().patient_minor) == ([0, 25_00, 25_00, 20_00], 70_00)


def test_a_charge_withheld_for_an_instalment_that_nothing_is_owed_of_leaves_it_settled(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    life.insurer(OLD, -100_00)
    life.do(lambda s: plan_money.settle_to_balance(s, s.get_one(Plan, plan_id), life.clock()))
    life.do(lambda s: saved_charges.withhold(s, s.get_one(Payment, charge), "T-51", life.clock()))
    assert {p.status for p in life.parts(plan_id)} <= {"skipped", "paid"}


def test_a_card_that_two_accounts_keep_is_gone_for_both(life: Life) -> None:
    def share(session: Session) -> None:
        now = life.clock()
        world.account(session, "acct_ben", "B1", now)
        session.add(PaymentMethod(
            id="card_ben", practice_id=PRACTICE, guarantor_id="acct_ben", processor="stripe", customer_ref="cus_1",
            method_ref="pm_4242", kind="card", brand="visa", last4="4242", status="active", created_at=now))

    life.do(share)
    life.do(lambda s: methods.gone(s, PRACTICE, "pm_4242", life.clock()))
    assert life.do(lambda s: {row.status for row in s.scalars(select(PaymentMethod).where(
        PaymentMethod.method_ref == "pm_4242"))}) == {"removed"}


def test_late_news_of_another_amount_for_a_superseded_charge_is_a_case_and_changes_no_plan(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    life.do(lambda s: saved_charges.withhold(s, s.get_one(Payment, charge), "T-48", life.clock()))
    for amount, currency in ((24_00, "USD"), (25_00, "EUR")):
        event = PaymentEvent("evt_x", "paid", charge, amount, currency, "", "pi_x", "", life.clock(), tender="card")
        life.do(partial(payments.apply_event, practice_id=PRACTICE, event=event, now=life.clock()))
    assert life.open(plan_id) == [25_00] * 4
    assert set(life.cases()) == {"payment_mismatch"}
