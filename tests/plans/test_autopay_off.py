"""A practice that switches charges for plans off charges none that was signed before: they go on by link."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import saved_charges
from billing.store.tables import Payment, Practice
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.plans.world import PRACTICE, Life, begin

FIRST = date(2026, 12, 3)


@pytest.fixture
def life(sqlite_store: Store, clock: Clock) -> Life:
    return begin(sqlite_store, clock)


def switch(life: Life, **changes: Any) -> None:
    def write(session: Session) -> None:
        settings = maple_clinic(**changes).model_dump(mode="json")
        session.get_one(Practice, PRACTICE).settings = settings

    life.do(write)


@pytest.mark.parametrize("changes", [{"plans": {"minimum_balance_minor": 20_00, "autopay": False}},
                                     {"plans": {"minimum_balance_minor": 20_00}, "payments": {"saved_cards": False}}],
                         ids=["autopay", "saved_cards"])
def test_a_signed_plan_goes_on_by_link_with_a_notice_and_without_a_charge(life: Life, changes: dict[str, Any]) -> None:
    plan_id = life.sign(count=4)
    switch(life, **changes)
    life.through(FIRST)
    assert (life.payments(), life.plan(plan_id).collects, life.plan(plan_id).status) == ([], "link", "active")
    assert [told["change"] for told in life.told("plan_changed")] == ["autopay_ended"], "said once"
    assert life.told("plan_link_due"), "the patient is asked for the instalment instead"
    assert life.told("plan_notice") == []


def test_a_charge_that_was_written_down_before_is_withheld(life: Life) -> None:
    life.sign(count=4)
    life.bank = "silent"
    life.through(FIRST)
    (charge,) = life.charges("created")
    switch(life, plans={"minimum_balance_minor": 20_00, "autopay": False})
    ruling = life.do(lambda s: saved_charges.ask(s, s.get_one(Payment, charge), "sending", life.clock()).ruling)
    assert (ruling.sends, ruling.rule) == (False, "T-48")


def test_a_practice_that_offers_no_new_plans_lets_those_that_run_go_on(life: Life) -> None:
    life.sign(count=4)
    switch(life, plans=None)
    life.through(FIRST)
    assert [(status, way) for status, _, way, _ in life.payments()] == [("succeeded", "autopay")]
