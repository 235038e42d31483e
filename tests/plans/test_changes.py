"""What patients change in a running plan, inside the policy and never against their own consent (both databases)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing import methods, plans, saved_charges, setups
from billing.commands import CommandRefused
from billing.store.tables import Authorization, Payment, SetupRequest
from bot.processors.base import PaymentEvent, SavedMethod
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import ANNA, OLD, OTHER, PRACTICE, TALK, VISA, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def refused(life: Life, plan_id: str, change: Any, **values: Any) -> str:
    with pytest.raises(CommandRefused) as caught:
        life.change(plan_id, change, **values)
    return caught.value.refused.reason


def days(life: Life, plan_id: str) -> list[str]:
    return [day for day, *_ in life.stands(plan_id)]


def given(life: Life) -> list[Authorization]:
    return life.do(lambda s: list(s.scalars(select(Authorization).order_by(Authorization.at, Authorization.id))))


def test_a_skipped_month_goes_to_the_end_and_no_amount_rises(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.change(plan_id, "skip", number=2)
    assert life.stands(plan_id) == [
        ("2026-12-03", 25_00, 0, "planned"), ("2027-01-03", 0, 0, "skipped"), ("2027-02-03", 25_00, 0, "planned"),
        ("2027-03-03", 25_00, 0, "planned"), ("2027-04-03", 25_00, 0, "planned")]
    assert sum(life.open(plan_id)) == 100_00
    assert sum(part.agreed_minor for part in life.parts(plan_id)) == 100_00
    assert refused(life, plan_id, "skip") == "outside_policy"  # one a year
    life.at(date(2027, 11, 5))
    assert refused(life, plan_id, "skip", version=0) == "stale_plan"


def test_what_was_missed_or_declined_cannot_be_skipped_away(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "insufficient_funds"
    life.through(FIRST)
    assert refused(life, plan_id, "skip", number=1) == "outside_policy"


def test_the_day_moves_from_the_next_instalment_on_and_the_notice_is_given_anew(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=2))
    assert life.parts(plan_id)[0].status == "noticed"
    life.change(plan_id, "move_day", days=(15,))
    assert days(life, plan_id) == ["2026-12-15", "2027-01-15", "2027-02-15", "2027-03-15"]
    assert life.parts(plan_id)[0].status == "planned"
    assert life.plan(plan_id).days == [15]
    life.through(date(2026, 12, 15))
    assert [notice["charge_on"] for notice in life.told("plan_notice")] == ["2026-12-03", "2026-12-15"]
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_plan_by_weeks_moves_to_a_weekday(life: Life) -> None:
    plan_id = life.sign(count=4, interval="week", first_on=date(2026, 11, 12))
    life.change(plan_id, "move_day", on=date(2026, 11, 13))  # Fridays
    assert days(life, plan_id) == ["2026-11-13", "2026-11-20", "2026-11-27", "2026-12-04"]
    assert refused(life, plan_id, "move_day", days=(15,)) == "outside_policy"


def test_a_pause_asks_for_nothing_and_goes_on_from_the_next_day_of_the_plan(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.change(plan_id, "pause", on=date(2026, 12, 20))
    life.through(date(2026, 12, 19))
    assert (life.payments(), life.told("plan_notice"), life.figures().due_now_minor) == ([], [], 0)
    life.through(date(2026, 12, 20))
    assert life.plan(plan_id).status == "active"
    assert days(life, plan_id) == ["2027-01-03", "2027-02-03", "2027-03-03", "2027-04-03"]
    life.through(date(2027, 1, 3))
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_pause_that_ends_before_the_next_instalment_moves_no_day(life: Life) -> None:
    plan_id = life.sign(count=4)
    before = days(life, plan_id)
    life.change(plan_id, "pause")
    assert life.plan(plan_id).paused_until_on == date(2027, 1, 2)  # the policy's 60 days
    life.change(plan_id, "resume")
    assert (days(life, plan_id), life.plan(plan_id).status) == (before, "active")


def test_a_pause_is_no_longer_than_the_policy_allows(life: Life) -> None:
    plan_id = life.sign(count=4)
    assert refused(life, plan_id, "pause", on=date(2027, 1, 3)) == "outside_policy"
    assert refused(life, plan_id, "pause", on=life.today) == "outside_policy"
    assert refused(life, plan_id, "resume") == "stale_plan"


def test_a_plan_that_staff_paused_is_not_resumed_by_the_patient(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.do(lambda s: plans.pause(s, PRACTICE, plan_id, by="ana", reason="checks the bill", now=life.clock()))
    assert refused(life, plan_id, "resume") == "hold"


def test_a_change_decided_on_an_older_plan_is_refused_but_a_revocation_is_always_heard(life: Life) -> None:
    """T-48."""
    plan_id = life.sign(count=4)
    for change in ("skip", "move_day", "on_extra", "use_card"):
        assert refused(life, plan_id, change, version=0, days=(15,), value="lower", method_id=OTHER) == "stale_plan"
    life.change(plan_id, "pay_by_link", version=0, wording="stop charging me")
    assert (life.plan(plan_id).collects, life.plan(plan_id).method_id) == ("link", None)
    assert [(one.revoked_by, one.revoked_words) for one in given(life)] == [("patient", "stop charging me")]


def test_a_revocation_stops_a_charge_that_was_written_down_and_not_made(life: Life) -> None:
    """T-48: until the moment of charging."""
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (payment_id,) = life.charges("created")
    life.change(plan_id, "pay_by_link", wording="no more")
    ruling = life.do(lambda s: saved_charges.ask(s, s.get_one(Payment, payment_id), "sending", life.clock()).ruling)
    assert (ruling.sends, ruling.rule) == (False, "T-48")
    life.do(lambda s: saved_charges.withhold(s, s.get_one(Payment, payment_id), ruling.rule, life.clock()))
    assert life.payments()[0][0] == "cancelled"
    assert life.open(plan_id) == [25_00] * 4
    life.through(FIRST + timedelta(days=1))
    assert len(life.payments()) == 1
    assert life.told("plan_link_due")[0]["amount_minor"] == 25_00


@pytest.mark.parametrize("change", ["cancel", "pause"])
def test_ending_or_pausing_stops_it_as_well(life: Life, change: Any) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (payment_id,) = life.charges("created")
    life.change(plan_id, change)
    asked = life.do(lambda s: saved_charges.ask(s, s.get_one(Payment, payment_id), "sending", life.clock()))
    assert not asked.ruling.sends


def test_an_instalment_that_is_being_charged_is_not_skipped_or_moved(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    assert refused(life, plan_id, "skip", number=1) == "charging"
    assert refused(life, plan_id, "move_day", days=(20,)) == "charging"


def test_cancelling_leaves_what_is_left_due_as_before_the_plan(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST)
    life.change(plan_id, "cancel")
    assert (life.plan(plan_id).status, life.figures().due_now_minor) == ("cancelled", 75_00)
    life.through(date(2027, 2, 1))
    assert len(life.payments()) == 1


def test_another_card_is_agreed_to_with_a_record_of_its_own(life: Life) -> None:
    """T-50."""
    plan_id = life.sign(count=4)
    life.clock.advance(hours=1)
    life.change(plan_id, "use_card", method_id=OTHER, wording="Yes, use my Visa ending in 1881")
    first, second = given(life)
    assert (first.last4, first.revoked_by) == ("4242", "patient")
    assert (second.last4, second.words, second.words_version, second.revoked_at) == (
        "1881", "Yes, use my Visa ending in 1881", "thread", None)
    assert life.plan(plan_id).authorization_id == second.id
    assert life.news().count("plan_agreed") == 2
    assert refused(life, plan_id, "use_card", method_id="card_x") == "card_gone"
    life.through(FIRST)
    assert life.do(lambda s: s.scalars(select(Payment)).one().method_id) == OTHER


def test_a_card_that_is_removed_ends_the_charges_and_the_plan_goes_on_by_link(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.do(lambda s: methods.remove(s, PRACTICE, VISA, "patient", life.clock()))
    assert life.plan(plan_id).collects == "link"
    assert life.told("plan_changed")[0]["change"] == "card_gone"
    life.through(FIRST)
    assert life.payments() == []
    assert life.news().count("plan_link_due") == 1


def give_card(life: Life, plan_id: str, purpose: str, last4: str) -> None:
    """The patient gives a card on a page for the plan."""
    setup_id = life.do(lambda s: setups.make(
        s, practice_id=PRACTICE, guarantor_id=ANNA, purpose=purpose, plan_id=plan_id, conversation_id=TALK,
        language="en", now=life.clock()).id)
    event = PaymentEvent("evt_1", "method_saved", None, 0, "USD", "", "", "", life.clock(), setup_id=setup_id,
                         method=SavedMethod("cus_1", f"pm_{last4}", "card", "visa", last4, None))
    life.do(lambda s: setups.finish(s, PRACTICE, event, life.clock()))
    life.do(lambda s: setups.finish(s, PRACTICE, event, life.clock()))  # told twice
    assert life.do(lambda s: s.get_one(SetupRequest, setup_id).status) == "done"


def test_a_card_given_on_the_plans_page_takes_over_with_its_own_consent(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.clock.advance(hours=1)
    give_card(life, plan_id, "plan_card", "0055")
    _, second = given(life)
    assert second.last4 == "0055" and "0055" in second.words and second.given_by == "page"
    life.through(FIRST)
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]


def test_a_card_given_for_a_plan_by_link_is_asked_about_first(life: Life) -> None:
    plan_id = life.sign(count=4, autopay=False)
    give_card(life, plan_id, "plan_card", "0055")
    assert life.plan(plan_id).collects == "link"
    assert life.told("plan_changed")[0]["change"] == "card_given"


def test_a_card_given_after_charges_were_stopped_does_not_start_them_again(life: Life) -> None:
    """T-48: whoever took it back says so anew."""
    plan_id = life.sign(count=4)
    life.change(plan_id, "pay_by_link", wording="stop")
    life.clock.advance(hours=1)
    give_card(life, plan_id, "plan_card", "0055")
    assert life.plan(plan_id).collects == "link"


def test_a_card_given_for_an_offer_waits_for_the_words(life: Life) -> None:
    plan_id = life.offer(life.terms(count=4))
    give_card(life, plan_id, "plan", "0055")
    assert (life.plan(plan_id).status, given(life)) == ("awaiting_authorization", [])


def test_a_new_card_is_charged_for_what_the_refused_one_left_open(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "expired_card"
    life.through(FIRST)
    assert life.plan(plan_id).collects == "link"
    life.bank = "paid"
    life.at(FIRST, 15)
    give_card(life, plan_id, "plan_card", "0055")
    life.through(FIRST + timedelta(days=1))
    assert [(status, cents) for status, cents, *_ in life.payments()] == [("failed", 25_00), ("succeeded", 25_00)]
    assert life.figures(OLD).patient_minor == 75_00
