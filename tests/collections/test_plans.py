"""A plan asks for no more than assistance has left, and nothing on a plan goes to an agency."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from billing import assistance, placements, verify
from billing.store.practices import save_policy
from bot.write import Store
from tests.collections.office import COLLECTING
from tests.conftest import Clock, maple_clinic
from tests.payments.world import ANNA, OLD, OLD_MINOR, PRACTICE
from tests.plans.world import Life, begin

WRITTEN = {"since": "2026-01-01", "covers_months_back": 12, "tiers": [{"fpl_percent": 300, "discount_percent": 50}]}


@pytest.fixture
def life(store: Store, clock: Clock) -> Life:
    made = begin(store, clock)
    rules = maple_clinic(**{**made.policy.model_dump(mode="json"), "assistance": [WRITTEN],
                            "collections": COLLECTING["collections"]})
    made.do(lambda s: save_policy(s, PRACTICE, rules, True, clock()))
    return made


def test_half_of_the_bill_is_given_and_the_plan_asks_for_half(life: Life) -> None:
    plan_id = life.sign(count=4)
    now = life.clock()

    def help_anna(session: Session) -> int:
        row = assistance.ask(session, practice_id=PRACTICE, guarantor_id=ANNA, by="bill", now=now)
        household = {"people": 4, "income_minor": 6_000_000, "fpl_percent": 280, "source": "desk"}
        assistance.receive(session, PRACTICE, str(row.number), household=household, by="bill", now=now)
        return assistance.approve(session, PRACTICE, str(row.number), by="mia", now=now).forgiven_minor

    assert life.do(help_anna) >= OLD_MINOR // 2
    assert sum(life.open(plan_id)) == OLD_MINOR // 2
    assert "less_owed" in life.log(plan_id)
    assert life.do(lambda s: verify.verify(s, PRACTICE)).problems == []


def test_nothing_on_a_plan_is_placed(life: Life) -> None:
    life.sign(count=4)
    made = life.do(lambda s: placements.propose(s, practice_id=PRACTICE, guarantor_id=ANNA, agency="acme", by="bill",
                                                now=life.clock(), visits=[OLD]))
    assert [one.placement_id for one in made] == [""]
    assert "plan" in [o.code for o in made[0].obstacles]
