"""A plan from its offer to its end: what is refused, what is kept, what each ending means (both databases)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing import holds, plan_views, plans
from billing.lives import IllegalMove
from billing.plan_consents import PlanRefused
from billing.plan_status import move
from billing.staff import StaffRefused
from billing.store.tables import Authorization, Case, Plan
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world as money
from tests.plans.world import ANNA, NEW, OLD, PRACTICE, VISA, WORDS, Life, begin


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def refusal(life: Life, terms: Any, **how: Any) -> tuple[str, str]:
    with pytest.raises(PlanRefused) as caught:
        life.offer(terms, **how)
    return caught.value.reason, caught.value.why


def test_an_offer_changes_no_figure_and_the_same_key_makes_one_plan(life: Life) -> None:
    terms = life.terms(count=4)
    before = life.figures()
    first, again = life.offer(terms, key="k"), life.offer(terms, key="k")
    assert first == again
    assert life.figures() == before
    plan = life.plan(first)
    assert (plan.status, plan.number, plan.total_minor, plan.collects) == ("awaiting_authorization", 1, 100_00,
                                                                           "autopay")
    assert life.stands(first) == [("2026-12-03", 25_00, 0, "planned"), ("2027-01-03", 25_00, 0, "planned"),
                                  ("2027-02-03", 25_00, 0, "planned"), ("2027-03-03", 25_00, 0, "planned")]


def test_a_signed_plan_takes_its_visit_out_of_what_is_due(life: Life) -> None:
    plan_id = life.sign(count=4)
    figures = life.figures()
    assert (figures.due_now_minor, figures.on_plan_minor, figures.patient_minor) == (0, 100_00, 100_00)
    assert life.plan(plan_id).status == "active"
    life.at(date(2026, 12, 3))
    assert life.figures().due_now_minor == 25_00


def test_what_was_agreed_to_is_kept_word_for_word_with_its_schedule_and_a_copy_goes_out(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.tick()
    given = life.do(lambda s: s.scalars(select(Authorization)).one())
    assert (given.words, given.words_version, given.message_id, given.last4) == (WORDS, "plan_ask:en:1", "inbox:7",
                                                                                 "4242")
    assert given.schedule == [[1, "2026-12-03", 25_00], [2, "2027-01-03", 25_00], [3, "2027-02-03", 25_00],
                              [4, "2027-03-03", 25_00]]
    assert (given.most_minor, given.plan_id, given.method_id, given.at) == (25_00, plan_id, VISA, life.clock())
    assert life.news() == ["plan_agreed"]
    assert given.copy_message_id is not None and given.copy_message_id.startswith("msg_")


def test_a_copy_that_did_not_leave_is_mailed_by_a_person(life: Life) -> None:
    life.road = "withheld"
    life.sign(count=4)
    life.tick()
    assert life.cases() == ["plan_copy"]


def test_the_same_yes_again_is_one_authorization(life: Life) -> None:
    plan_id = life.offer(life.terms(count=4))
    assert life.agree(plan_id) == life.agree(plan_id)
    assert life.log(plan_id).count("active") == 1


def test_every_change_moves_the_balance_version_and_the_plans_own(life: Life) -> None:
    before = life.do(money.version)
    plan_id = life.sign(count=4)
    after = life.do(money.version)
    assert after > before
    life.change(plan_id, "on_extra", value="lower")
    assert life.do(money.version) > after
    assert life.plan(plan_id).version == 2


def test_a_stale_balance_a_hold_and_a_visit_on_a_plan_are_refused(life: Life) -> None:
    terms = life.terms(count=4)
    assert refusal(life, terms, version=999) == ("stale_balance", "")
    hold = life.do(lambda s: holds.place(s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="wrong",
                                         source="test", placed_by="ana", now=life.clock(), visit_id=OLD))
    assert refusal(life, terms) == ("hold", "")
    life.do(lambda s: holds.release(s, PRACTICE, hold.id, released_by="ana", reason="cleared", now=life.clock()))
    life.agree(life.offer(terms))
    assert refusal(life, terms) == ("on_plan", "")
    other = life.terms(visits=(NEW,), count=1)
    assert life.offer(other)  # the other visit is free


def test_outside_policy_is_refused_with_its_why(life: Life) -> None:
    terms = life.terms(count=4)
    small = replace(terms, parts=tuple(replace(part, amount_minor=10_00 if part.number < 4 else 70_00)
                                       for part in terms.parts))
    assert refusal(life, small) == ("outside_policy", "instalment_too_small")
    more = replace(terms, visits=((OLD, 120_00),),
                   parts=tuple(replace(part, amount_minor=30_00) for part in terms.parts))
    assert refusal(life, more) == ("stale_balance", "balance_moved")
    assert refusal(life, replace(terms, method_id="card_nobody")) == ("card_gone", "")


def test_an_exception_waits_for_another_person_with_the_policys_role(life: Life) -> None:
    terms = life.terms(autopay=False, count=4)
    late = replace(terms, parts=tuple(replace(part, due_on=part.due_on.replace(year=part.due_on.year + 1))
                                      for part in terms.parts))
    plan_id = life.offer(late, offered_by="ana", exception_reason="lost her job")
    assert life.plan(plan_id).status == "offered"
    assert life.cases() == ["plan_exception"]
    with pytest.raises(PlanRefused, match="stale_plan"):
        life.agree(plan_id, autopay=False)

    def approve(by: str, reason: str = "fair") -> None:
        life.do(lambda s: plans.approve(s, PRACTICE, plan_id, by=by, reason=reason, now=life.clock()))

    with pytest.raises(StaffRefused):
        approve("ana")  # a biller may not
    with pytest.raises(StaffRefused):
        approve("nobody")
    with pytest.raises(PlanRefused):
        approve("sam", " ")
    approve("sam")
    assert (life.plan(plan_id).approved_by, life.plan(plan_id).status) == ("sam", "awaiting_authorization")
    life.agree(plan_id, autopay=False)
    assert life.plan(plan_id).status == "active"


def test_nobody_approves_their_own_exception(life: Life) -> None:
    terms = life.terms(autopay=False, count=4)
    late = replace(terms, parts=tuple(replace(part, due_on=part.due_on.replace(year=part.due_on.year + 1))
                                      for part in terms.parts))
    plan_id = life.offer(late, offered_by="sam", exception_reason="lost her job")
    with pytest.raises(StaffRefused):
        life.do(lambda s: plans.approve(s, PRACTICE, plan_id, by="sam", reason="fair", now=life.clock()))


def test_five_instalments_are_not_agreed_to_without_disclosures_and_electronic_consent(store: Store,
                                                                                        clock: Clock) -> None:
    """T-47: 12 CFR 1026.2(a)(17), 1026.17(b); 15 USC 7001(c)."""
    life = begin(store, clock, minimum_instalment_minor=10_00)
    five = life.offer(life.terms(count=5))
    with pytest.raises(PlanRefused, match="disclosures"):
        life.agree(five)
    life.agree(five, disclosed=True)
    assert life.plan(five).status == "active"


def test_four_instalments_extended_to_five_need_the_disclosures_as_well(store: Store, clock: Clock) -> None:
    """T-47: what came before under the plan that is replaced counts with it."""
    life = begin(store, clock, minimum_instalment_minor=10_00)
    old = life.sign(count=4, autopay=False)
    life.at(date(2026, 12, 4))
    life.pay(25_00)
    longer = life.offer(life.terms(autopay=False, replaces=old, count=4))
    with pytest.raises(PlanRefused, match="disclosures"):
        life.agree(longer, autopay=False)
    life.agree(longer, autopay=False, disclosed=True)
    assert (life.plan(old).status, life.plan(longer).status) == ("superseded", "active")


def test_the_words_must_name_the_card_and_the_card_must_be_there(life: Life) -> None:
    """T-48, T-50."""
    plan_id = life.offer(life.terms(count=4))
    with pytest.raises(PlanRefused, match="words"):
        life.agree(plan_id, words="Yes, charge my card.")

    def lose(session: Any) -> None:
        from billing.store.tables import PaymentMethod
        session.get_one(PaymentMethod, VISA).status = "removed"

    life.do(lose)
    with pytest.raises(PlanRefused, match="card_gone"):
        life.agree(plan_id)
    life.agree(plan_id, autopay=False)  # a plan needs no card: 12 CFR 1005.10(e)(1)
    assert life.plan(plan_id).collects == "link"


def test_an_offer_ends(life: Life) -> None:
    plan_id = life.offer(life.terms(count=4))
    life.clock.advance(days=7, seconds=1)
    with pytest.raises(PlanRefused, match="offer_over"):
        life.agree(plan_id)
    life.tick()
    assert (life.plan(plan_id).status, life.plan(plan_id).end_reason) == ("cancelled", "offer_over")


def test_a_balance_that_fell_since_the_offer_is_not_agreed_to(life: Life) -> None:
    plan_id = life.offer(life.terms(count=4))
    life.insurer(OLD, -20_00)
    with pytest.raises(PlanRefused, match="stale_balance"):
        life.agree(plan_id)


def test_an_offer_whose_first_day_has_passed_is_not_agreed_to(life: Life) -> None:
    plan_id = life.offer(life.terms(count=4, first_on=date(2026, 11, 6)))
    life.at(date(2026, 11, 7))
    with pytest.raises(PlanRefused, match="first_too_soon"):
        life.agree(plan_id)


def test_a_newer_offer_takes_the_place_of_an_older_one(life: Life) -> None:
    first = life.offer(life.terms(count=4))
    second = life.offer(life.terms(count=3))
    assert (life.plan(first).status, life.plan(second).status) == ("cancelled", "awaiting_authorization")


def test_a_plan_that_replaces_another_begins_as_it_ends(life: Life) -> None:
    old = life.sign(count=4)
    new = life.offer(life.terms(replaces=old, count=3))
    assert life.plan(old).status == "active"
    life.agree(new)
    assert (life.plan(old).status, life.plan(new).status) == ("superseded", "active")
    assert life.figures().on_plan_minor == 100_00
    revoked = life.do(lambda s: s.scalars(select(Authorization).where(Authorization.plan_id == old)).one())
    assert revoked.revoked_by == "system"


def test_a_plan_by_link_is_paid_instalment_by_instalment_to_its_end(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=3)
    for due_on, cents in ((date(2026, 12, 3), 33_33), (date(2027, 1, 3), 33_33), (date(2027, 2, 3), 33_34)):
        life.through(due_on - timedelta(days=4))
        before = life.news().count("plan_link_due")
        life.through(due_on - timedelta(days=3))
        assert life.news().count("plan_link_due") == before + 1
        life.at(due_on)
        life.pay(cents)
    plan = life.plan(plan_id)
    assert (plan.status, plan.end_reason, life.figures().patient_minor) == ("completed", "paid", 0)
    assert [paid for _, _, paid, _ in life.stands(plan_id)] == [33_33, 33_33, 33_34]
    assert life.news()[-1] == "plan_completed"
    assert life.cases() == []


def test_staff_pause_resume_and_cancel_by_name_and_with_a_reason(life: Life) -> None:
    plan_id = life.sign(count=4)

    def staff(act: Callable[..., Plan], by: str = "ana", reason: str = "asked by phone") -> Plan:
        return life.do(lambda s: act(s, PRACTICE, plan_id, by=by, reason=reason, now=life.clock()))

    with pytest.raises(StaffRefused):
        staff(plans.pause, by="stranger")
    with pytest.raises(PlanRefused):
        staff(plans.pause, reason="")
    assert staff(plans.pause).status == "paused"
    with pytest.raises(PlanRefused):
        staff(plans.pause)
    assert staff(plans.resume).status == "active"
    assert staff(plans.cancel).status == "cancelled"
    with pytest.raises(PlanRefused):
        staff(plans.cancel)
    assert life.figures().due_now_minor == 100_00
    assert life.do(lambda s: s.scalars(select(Authorization)).one()).revoked_by == "ana"


@pytest.mark.parametrize("change", ["pause", "skip", "on_extra", "pay_by_link", "cancel"])
def test_a_plan_that_has_ended_changes_no_more(life: Life, change: Any) -> None:
    from billing.commands import CommandRefused
    plan_id = life.sign(count=4)
    life.change(plan_id, "cancel")
    with pytest.raises(CommandRefused) as caught:
        life.change(plan_id, change, value="lower")
    assert caught.value.refused.reason == "stale_plan"
    with pytest.raises(IllegalMove):
        life.do(lambda s: move(s.get_one(Plan, plan_id), "active"))


def test_the_view_shows_what_a_conversation_needs_and_no_ended_plan(life: Life) -> None:
    plan_id = life.sign(count=4)

    def views() -> Any:
        return life.do(lambda s: plan_views.of_account(s, ANNA, life.clock()))

    (view,) = views()
    assert (view.plan_id, view.number, view.runs, view.left_minor, view.skips_left) == (plan_id, 1, True, 100_00, 1)
    assert view.method is not None and view.method.last4 == "4242"
    assert view.next is not None and (view.next.number, view.next.open_minor) == (1, 25_00)
    assert view.visit_ids == (OLD,)
    life.change(plan_id, "cancel")
    assert views() == ()


def test_the_story_of_a_plan_is_json_and_complete(life: Life) -> None:
    plan_id = life.sign(autopay=False, count=4)
    life.pay(40_00)
    story = life.do(lambda s: plans.show(s, PRACTICE, "1"))
    assert json.loads(json.dumps(story)) == story
    assert (story["plan"], story["paid_minor"], story["left_minor"]) == (plan_id, 40_00, 60_00)
    assert [event["kind"] for event in story["events"]] == ["offered", "active", "extra", "extra"]
    assert life.do(lambda s: plans.listing(s, PRACTICE, "active"))[0]["plan"] == plan_id
    assert life.do(lambda s: plans.listing(s, PRACTICE, "completed")) == []
    with pytest.raises(LookupError):
        life.do(lambda s: plans.show(s, PRACTICE, "99"))


def test_cases_name_the_account(life: Life) -> None:
    life.road = "withheld"
    life.sign(count=4)
    life.tick()
    assert life.do(lambda s: s.scalars(select(Case)).one()).guarantor_id == ANNA
