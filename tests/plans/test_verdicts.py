"""Every charge of a plan has its receipt: why it was made, put off or refused, under which rules and when."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing import charging, holds, processor_calls, verdicts
from billing.policy.replay import replay
from billing.store.tables import Authorization, Hold, Payment, Verdict
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import ANNA, PHONE, PRACTICE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def written_down(life: Life) -> tuple[str, str]:
    """A plan whose first charge was written down and not made yet: the plan's and the payment's id."""
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    return plan_id, charge


def hold(life: Life) -> None:
    life.do(lambda s: holds.place(s, practice_id=PRACTICE, guarantor_id=ANNA, kind="autopay_stop", reason="told",
                                  source="test", placed_by="ana", now=life.clock()))


def call(life: Life) -> None:
    """The road comes to the call, and the gate is asked once more."""
    def act(session: Session) -> None:
        for call_id in processor_calls.claim(session, "w", life.clock(), 5):
            charging.begin(session, call_id, "w", "https://pay.maple.example/back", life.clock())

    life.do(act)


def told(life: Life, subject_id: str) -> dict[str, Any]:
    return life.do(lambda s: verdicts.explain(s, subject_id))


def answers(story: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["stage"], one["outcome"], one["rule"]) for one in story["verdicts"]]


def test_a_charge_that_is_made_tells_both_times_it_was_asked_about_and_on_which_facts(life: Life) -> None:
    _, charge = written_down(life)
    call(life)
    story = told(life, charge)
    assert answers(story) == [("queueing", "send", "allowed"), ("sending", "send", "allowed")]
    facts = story["verdicts"][1]["facts"]
    assert (facts["charge"]["amount_minor"], facts["charge"]["practice_starts"]) == (story["amount_minor"], True)
    assert facts["charge"]["noticed_minor"] == story["amount_minor"]
    assert [one["what"] for one in story["life"]] == ["written down", "charge: asked"]
    said = json.dumps(story)
    assert PHONE not in said and "Anna" not in said


def test_a_charge_that_is_refused_before_the_call_tells_by_which_rule_and_when(life: Life) -> None:
    _, charge = written_down(life)
    hold(life)
    life.clock.advance(minutes=5)
    call(life)
    story = told(life, charge)
    assert story["status"] == "cancelled"
    assert answers(story) == [("queueing", "send", "allowed"), ("sending", "withhold", "hold:autopay_stop")]
    last = story["verdicts"][1]
    assert datetime.fromisoformat(last["at"]) == life.clock() and last["citation"]


def test_a_charge_that_was_put_off_tells_so_of_its_plan_and_of_the_payment_that_came_later(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST - timedelta(days=1))
    hold(life)
    life.through(FIRST)
    assert life.charges("created") == []
    story = told(life, plan_id)
    (refused,) = story["verdicts"]
    assert (refused["plan"], refused["instalment"], refused["outcome"]) == (plan_id, 1, "withhold")
    assert refused["rule"] in refused["facts"]["objections"][0]["rule"]
    assert any(one["what"].startswith("charge_withheld") for one in story["life"])

    def release(session: Session) -> None:
        for row in session.scalars(select(Hold).where(Hold.released_at.is_(None))):
            holds.release(session, PRACTICE, row.id, released_by="ana", reason="over", now=life.clock())

    life.do(release)
    life.through(FIRST + timedelta(days=1))
    (charge,) = life.charges("created")
    assert answers(told(life, charge)) == [("queueing", "withhold", refused["rule"]), ("queueing", "send", "allowed")]
    assert len(told(life, plan_id)["verdicts"]) == 2


def test_every_receipt_of_a_charge_can_be_ruled_on_again(life: Life) -> None:
    _, charge = written_down(life)
    hold(life)
    call(life)
    for one in told(life, charge)["verdicts"]:
        again = replay(one["facts"], life.today)
        assert (again.ruling.outcome, again.ruling.rule) == (one["outcome"], one["rule"])
        assert again.came_in == again.fell_away == ()


def test_a_verdict_is_about_exactly_one_thing(life: Life) -> None:
    plan_id, charge = written_down(life)

    def add(**about: str) -> None:
        life.do(lambda s: s.add(Verdict(practice_id=PRACTICE, stage="sending", outcome="send", rule="allowed",
                                        reason="", facts={}, at=life.clock(), **about)))

    add(payment_id=charge)
    for about in ({}, {"payment_id": charge, "plan_id": plan_id}):
        with pytest.raises(IntegrityError):
            add(**about)


def test_nothing_is_told_of_what_is_not_there(life: Life) -> None:
    for unknown in ("pay_none", "plan_none", "msg_none"):
        with pytest.raises(LookupError):
            told(life, unknown)
    assert life.do(lambda s: s.query(Payment).count()) == 0


def day_by_day(life: Life, plan_id: str) -> list[tuple[str, int, str, str]]:
    """(day, instalment, outcome, rule) of each verdict about the plan's charges when they were to be written down."""
    zone = ZoneInfo(life.policy.zone)
    return [(datetime.fromisoformat(one["at"]).astimezone(zone).date().isoformat(), one.get("instalment", 0),
             one["outcome"], one["rule"]) for one in told(life, plan_id)["verdicts"] if one["stage"] == "queueing"]


def test_each_day_on_which_a_due_charge_waits_for_its_notice_has_one_receipt(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.road = "silent"
    for hour in (11, 15):
        life.through(FIRST, hour)
    life.through(FIRST + timedelta(days=1))
    life.through(FIRST + timedelta(days=1), 16)
    assert day_by_day(life, plan_id) == [("2026-12-03", 1, "withhold", "notice-waits"),
                                         ("2026-12-04", 1, "withhold", "notice-waits")]
    assert {one["reason"] for one in told(life, plan_id)["verdicts"]} == {"its notice has not left yet"}
    life.road = "withheld"
    life.through(FIRST + timedelta(days=2))
    assert told(life, plan_id)["verdicts"][-1]["reason"] == "its notice did not leave; staff give it another way"


def test_a_charge_that_waits_for_its_next_try_or_for_the_one_under_way_says_so_each_day(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST + timedelta(days=1))
    assert day_by_day(life, plan_id) == [("2026-12-03", 0, "send", "allowed"),
                                         ("2026-12-04", 1, "withhold", "under-way")]
    life.happen(life.charges("created")[0], "failed", reason="insufficient_funds")
    life.through(FIRST + timedelta(days=2))
    retry_on = life.parts(plan_id)[0].retry_on
    assert retry_on is not None
    last = told(life, plan_id)["verdicts"][-1]
    assert (last["rule"], last["reason"]) == ("try-later", f"it is tried again on {retry_on.isoformat()}")
    life.bank = "paid"
    life.through(retry_on)
    assert day_by_day(life, plan_id)[-1] == (retry_on.isoformat(), 0, "send", "allowed")


def test_a_rest_that_no_processor_takes_is_told_of(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))
    life.pay(24_80, plan_id=plan_id, number=1)
    life.through(FIRST)
    assert day_by_day(life, plan_id) == [("2026-12-03", 1, "withhold", "too-small")]


def test_a_charge_that_nothing_allows_any_more_is_told_of_by_its_rule(life: Life) -> None:
    plan_id = life.sign(count=4)
    life.through(FIRST - timedelta(days=1))

    def revoke(session: Session) -> None:
        given = session.scalars(select(Authorization).where(Authorization.plan_id == plan_id)).one()
        given.revoked_at = life.clock()

    life.do(revoke)
    life.through(FIRST)
    assert day_by_day(life, plan_id) == [("2026-12-03", 1, "withhold", "T-48")]


@pytest.mark.parametrize("cause", ["road", "bank"])
def test_a_receipt_of_what_did_not_come_to_the_gate_can_be_ruled_on_again(life: Life, cause: str) -> None:
    plan_id = life.sign(count=4)
    setattr(life, cause, "silent")
    life.through(FIRST + timedelta(days=1))
    found = [one for one in told(life, plan_id)["verdicts"] if one["outcome"] == "withhold"]
    assert found
    for one in found:
        again = replay(one["facts"], life.today)
        assert (again.ruling.outcome, again.ruling.rule) == (one["outcome"], one["rule"])
        assert again.came_in == again.fell_away == ()
