"""What must hold of plans and cards on file whatever was said before; each branch is a transcript beside this file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.commands import AgreePlan, ChangePlan, ChargeSavedCard, OfferPlan, OpenCase
from billing.plan_terms import DISCLOSED_FROM
from config.payment_policy import PaymentPolicy, PlanPolicy
from handlers.core import Happened
from tests.conversations.people import NOW
from tests.conversations.play import Stage, stage

BEFORE = ((), ("pay",), ("pay", "1"), ("pay $60",), ("pay $60", "yes"), ("my plan",), ("my plan", "2"),
          ("my plan", "3"), ("why do i owe this",), ("hello",), ("change language",), ("this is wrong",),
          ("i already paid",),
          ("i have new insurance",), ("i can't pay",), ("remove my card",), ("preferences",), ("balance",),
          ("can i pay 30 a month instead",), ("can i pay 30 a month instead", "1"), ("this is ridiculous",))
WORDS = ("don't charge my card", "HOLD", "stop taking money from my account", "no me cobren", "NO COBRAR",
         "I no longer authorize this.", "turn off autopay please")
NOTICE = Happened("plan_notice", {"account_id": "on_plan", "plan_id": "plan_1", "instalment": 4, "amount_minor": 5000,
                                  "due_on": "2026-11-15", "last4": "4242", "method_kind": "card", "left_minor": 45000})


def at(account: str, *lines: str, state: str = "plans") -> Stage:
    on = stage({"account": account, "verified": "yes", "state": state}, "en")
    for line in lines:
        on.hear(line)
    return on


def with_policy(on: Stage, **changes: object) -> Stage:
    policy = on.practice.policy
    plans = (policy.plans or PlanPolicy()).model_copy(update=changes)
    on.practice = replace(on.practice, policy=policy.model_copy(update={"plans": plans}))
    return on


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("before", BEFORE, ids=lambda lines: "; ".join(lines) or "at once")
def test_t_48_taking_back_the_permission_to_charge_is_done_at_once_wherever_the_conversation_stands(
        before: tuple[str, ...], words: str) -> None:
    on = at("on_plan", *before)
    on.hear(words)
    (change,) = (one for one in on.last.commands if isinstance(one, ChangePlan))
    assert (change.change, change.plan_id, change.wording) == ("pay_by_link", "plan_1", words)
    assert on.last.replies[0].template == "plan_no_charges"


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("account", ["on_plan", "on_plan_link", "one_visit", "nobody"])
def test_t_34_before_identity_the_same_is_said_and_done_plan_or_no_plan(account: str, words: str) -> None:
    told = []
    for crowd in ("on_plan", account):
        on = stage({"account": crowd, "state": "plans"}, "en")
        on.hear(words)
        (case,) = (one for one in on.last.commands if isinstance(one, OpenCase))
        told.append((on.said, case.kind, case.hold, case.account_id, on.talk.state.step))
    assert told[0] == told[1] and told[0][2] == "autopay_stop"


@pytest.mark.parametrize("count", range(1, 13))
def test_t_47_from_the_fifth_instalment_on_a_plan_is_signed_on_its_page_and_never_in_the_thread(count: int) -> None:
    on = at("owing_card", f"in {count} payments", "1", "1", "yes")
    made = [one for one in on.last.commands if isinstance(one, AgreePlan | OfferPlan)]
    instalments = len(made[0].terms.instalments)
    assert isinstance(made[0], OfferPlan) == (instalments >= DISCLOSED_FROM)
    assert made[0].terms.total_minor == 60000


def test_t_48_autopay_is_never_a_condition_and_is_not_offered_where_the_practice_has_none() -> None:
    on = with_policy(at("owing_card"), autopay=False)
    for line in ("in 4 payments", "1"):
        on.hear(line)
    assert on.talk.state.step == "confirm" and "link" in on.said[-1] and "4242" not in on.said[-1]
    asked = at("owing_card", "in 4 payments", "1")
    assert "3) We text you a link each time" in asked.said[-1]


def test_the_words_agreed_to_name_the_card_the_most_and_every_day_and_amount() -> None:
    on = at("owing_card", "in 4 payments", "1", "1")
    said = on.said[-1]
    assert all(word in said for word in ("4242", "never more than $150.00", "3 days before", "in any words", "No fee"))
    assert said.count("$150.00") == 5 and all(day in said for day in ("Dec 3", "Jan 3", "Feb 3", "Mar 3"))


def test_a_deposit_is_said_with_the_offer_and_stands_in_the_schedule() -> None:
    on = with_policy(at("owing_card"), deposit_percent=10)
    on.hear("in 4 payments")
    assert "$60.00 today" in on.said[-1]
    for line in ("1", "3"):
        on.hear(line)
    assert "Nov 3, 2026: $60.00" in on.said[-1]


@pytest.mark.parametrize("yes", ["i guess", "yes but not today", "ok thanks", "maybe", "sure whatever you say i think"])
@pytest.mark.parametrize(("account", "lines"), [
    ("owing_card", ("in 4 payments", "1", "1")), ("on_plan", ("skip this month",)), ("on_plan", ("cancel my plan",)),
    ("card", ("pay all",)), ("on_plan", ("pay off my plan",)), ("card", ("remove my card",)),
    ("on_plan_two_cards", ("my plan", "4", "1"))])
def test_what_is_no_plain_yes_agrees_to_nothing(account: str, lines: tuple[str, ...], yes: str) -> None:
    on = at(account, *lines)
    on.hear(yes)
    assert not any(isinstance(one, AgreePlan | OfferPlan | ChangePlan | ChargeSavedCard) for one in on.last.commands)


def test_a_card_that_went_between_question_and_yes_is_not_charged() -> None:
    for account, lines in (("card", ("pay all",)), ("owing_card", ("in 4 payments", "1", "1"))):
        on = at(account, *lines)
        on.candidates = tuple(replace(one, methods=()) for one in on.candidates)
        on.hear("yes")
        assert not any(isinstance(one, ChargeSavedCard | AgreePlan) for one in on.last.commands)
        assert on.said


@pytest.mark.parametrize(("days", "named"), [(1, False), (6, False), (8, True)])
def test_t_34_news_name_an_amount_to_the_verified_or_when_a_text_counts_as_begun_by_us(days: int, named: bool) -> None:
    on = stage({"account": "on_plan", "state": "plans"}, "en")
    on.talk = replace(on.talk, last_text_at=NOW - timedelta(days=days))
    on.happen(NOTICE)
    assert ("$50.00" in on.said[0]) == named and "HOLD" in on.said[0]


def test_t_54_new_york_is_told_what_paying_by_card_gives_up_and_others_are_not() -> None:
    for region, told in (("NY", True), ("TX", False)):
        for account, lines in (("owing_card", ("in 4 payments", "1")), ("one_visit", ("my card",)),
                               ("card", ("pay all",)), ("on_plan", ("change my card",))):
            on = at(account)
            on.practice = replace(on.practice, policy=on.practice.policy.model_copy(update={"region": region}))
            for line in lines:
                on.hear(line)
            assert ("New York" in on.said[-1]) == told, (region, account)


def test_where_no_cards_are_kept_nothing_asks_for_one() -> None:
    on = at("owing_card")
    off = on.practice.policy.model_copy(update={"payments": PaymentPolicy(saved_cards=False)})
    on.practice = replace(on.practice, policy=off)
    for line in ("in 4 payments", "1"):
        on.hear(line)
    assert on.talk.state.step == "confirm" and "4242" not in on.said[-1]
    on.hear("back")
    on.hear("pay all")
    assert on.last.replies[-1].template == "pay_confirm"


def test_an_offer_that_the_policy_has_changed_meanwhile_is_not_agreed_to() -> None:
    on = at("owing_card", "in 4 payments", "1", "1")
    with_policy(on, minimum_instalment_minor=20000)
    on.hear("yes")
    assert not on.last.commands and on.last.replies[0].template == "plan_changed_meanwhile"
