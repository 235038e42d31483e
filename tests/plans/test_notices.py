"""Nothing is charged without a notice that left in time and names what will be charged (both databases)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing import plans
from billing.plan_notices import is_old_enough
from billing.staff import StaffRefused
from billing.store.tables import Outbox, Plan
from bot.write import Store
from tests.conftest import Clock
from tests.plans.world import PRACTICE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    return begin(store, clock)


def test_the_notice_names_the_amount_the_day_and_the_card_three_days_before(life: Life) -> None:
    life.sign(count=4)
    life.through(FIRST - timedelta(days=4))
    assert life.told("plan_notice") == []
    life.through(FIRST - timedelta(days=3))
    (notice,) = life.told("plan_notice")
    assert {name: notice[name] for name in ("amount_minor", "due_on", "charge_on", "last4", "instalment")} == {
        "amount_minor": 25_00, "due_on": "2026-12-03", "charge_on": "2026-12-03", "last4": "4242", "instalment": 1}


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


def test_a_first_instalment_within_the_notice_waits_for_the_signing_to_be_old_enough(life: Life) -> None:
    life.sign(count=4, first_on=date(2026, 11, 6))
    life.through(date(2026, 11, 5))
    assert life.payments() == []
    life.through(date(2026, 11, 6))
    assert life.payments() == [("succeeded", 25_00, "autopay", 1)]
