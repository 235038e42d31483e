"""Where money goes: D3's order at the desk and on the page, early payments on a plan, and putting it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import checkout, closing, holds, payments, reallocation
from billing.checkout import NotNow, Opening
from billing.commands import CommandRefused, RequestPayment
from billing.store.tables import DayClose, Instalment, Payment, Plan, PlanVisit, Practice, Statement, Transfer
from bot.write import Store
from tests.conftest import maple_clinic
from tests.payments import world
from tests.payments.test_events import paid, tell
from tests.payments.test_orders import foot
from tests.payments.world import ANNA, NEW, NEW_MINOR, OLD, OLD_MINOR, PRACTICE, TALK, Event


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def desk(now: datetime, amount: int, ref: str = "R1", **more: Any) -> Callable[[Session], str]:
    return lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=amount, currency="USD", tender="check", reference=ref, recorded_by="ana",
        now=now, **more).id


def plan(session: Session, now: datetime, first_on: date = date(2026, 12, 1)) -> None:
    """Anna pays the new visit in two instalments, the first in December."""
    session.add(Plan(
        id="plan_1", practice_id=PRACTICE, number=1, guarantor_id=ANNA, status="active", currency="USD",
        total_minor=NEW_MINOR, interval="month", days=[], first_on=first_on, collects="link", balance_version=1,
        language="en", offered_by="patient", offered_at=now, offer_ends_at=now, agreed_at=now, idempotency_key="p"))
    session.flush()
    session.add(PlanVisit(plan_id="plan_1", visit_id=NEW, practice_id=PRACTICE, agreed_minor=NEW_MINOR))
    for number, on, minor in ((1, first_on, 2_275), (2, first_on + timedelta(days=31), 2_275)):
        session.add(Instalment(plan_id="plan_1", number=number, practice_id=PRACTICE, due_on=on, amount_minor=minor,
                               agreed_minor=minor, status="planned"))
    session.flush()


def statement(session: Session, now: datetime, visits: tuple[str, ...]) -> None:
    session.add(Statement(
        id="st_1", practice_id=PRACTICE, guarantor_id=ANNA, number=1, statement_on=now.date(), due_on=now.date(),
        language="en", currency="USD", total_minor=1, balance_version=1, created_at=now,
        content={"visits": [{"visit_id": visit} for visit in visits]}))
    session.flush()


def test_at_the_desk_the_statement_comes_before_the_oldest_visit(anna: Store, now: datetime) -> None:
    anna.write(lambda s: statement(s, now, (NEW,)))
    anna.write(desk(now, 5_000, statement_id="st_1"))
    assert anna.read(world.balances) == {"old": OLD_MINOR - 450, "cash:manual:check": 5_000}


def test_at_the_desk_the_plan_comes_before_the_oldest_visit(anna: Store, now: datetime) -> None:
    anna.write(lambda s: plan(s, now))
    anna.write(desk(now, 5_000, plan_id="plan_1"))
    assert anna.read(world.balances) == {"old": OLD_MINOR - 450, "cash:manual:check": 5_000}
    anna.read(foot)


def test_money_that_is_more_than_is_due_pays_a_plan_ahead_before_it_becomes_credit(anna: Store, now: datetime) -> None:
    anna.write(lambda s: plan(s, now))
    anna.write(desk(now, OLD_MINOR + NEW_MINOR + 100))
    assert anna.read(world.balances) == {"credit": 100, "cash:manual:check": OLD_MINOR + NEW_MINOR + 100}
    assert anna.read(world.cases) == ["unapplied_credit"]


def test_no_money_goes_to_a_visit_that_is_disputed_meanwhile(anna: Store, now: datetime) -> None:
    one = anna.write(lambda s: payments.request(s, RequestPayment(
        ANNA, OLD_MINOR, ((OLD, OLD_MINOR),), world.version(s), "en"),
        payments.RequestContext(PRACTICE, maple_clinic(), now, TALK, "1")).id)
    anna.write(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="r", source="staff", placed_by="ana",
        now=now, visit_id=OLD))
    tell(anna, now, paid(one))
    assert anna.read(world.balances) == {"old": OLD_MINOR, "credit": OLD_MINOR - NEW_MINOR,
                                         "cash:stripe:card": OLD_MINOR}


def test_what_is_recorded_on_a_closed_day_is_booked_on_the_next_open_one(anna: Store, now: datetime) -> None:
    anna.write(lambda s: s.add(DayClose(practice_id=PRACTICE, day_on=date(2026, 11, 3), totals={}, over_short_minor=0,
                                        note="", signed_by="max", signed_at=now)))
    assert anna.read(lambda s: closing.is_locked(s, PRACTICE, date(2026, 11, 3)))
    one = anna.write(desk(now, 500))
    assert anna.read(lambda s: s.scalars(select(Transfer.effective_on).where(
        Transfer.payment_id == one)).all()) == [date(2026, 11, 4)]


# Early ---------------------------------------------------------------------------------------------------------------

def ask(now: datetime, minor: int, *, early: bool, yes: str = "1") -> Callable[[Session], str]:
    def act(session: Session) -> str:
        command = RequestPayment(ANNA, minor, ((NEW, minor),), world.version(session), "en", early=early,
                                 plan_id="plan_1", instalment=1)
        return payments.request(session, command, payments.RequestContext(
            PRACTICE, maple_clinic(), now, TALK, yes)).id

    return act


def test_what_is_on_a_plan_may_be_paid_before_its_day_when_the_patient_wants_to(anna: Store, now: datetime) -> None:
    anna.write(lambda s: plan(s, now))
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, 2_275, early=False))
    assert caught.value.refused.reason == "too_much"
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, NEW_MINOR + 1, early=True))
    assert caught.value.refused.reason == "too_much"
    one = anna.write(ask(now, 2_275, early=True))
    row = anna.read(lambda s: world.payment(s, one))
    assert (row.early, row.plan_id, row.instalment) == (True, "plan_1", 1)
    assert isinstance(anna.write(lambda s: checkout.begin(s, PRACTICE, one, now)), Opening)
    tell(anna, now, paid(one, 2_275))
    assert anna.read(world.balances)["new"] == NEW_MINOR - 2_275
    assert anna.read(lambda s: s.get_one(Instalment, ("plan_1", 1)).paid_minor) == 2_275
    anna.read(foot)


def test_an_early_link_is_judged_again_when_it_is_pressed(anna: Store, now: datetime) -> None:
    anna.write(lambda s: plan(s, now))
    one = anna.write(ask(now, NEW_MINOR, early=True))
    anna.write(desk(now, 100, split=((NEW, 100),)))
    assert anna.write(lambda s: checkout.begin(s, PRACTICE, one, now)) == NotNow("moved")


# Elsewhere -----------------------------------------------------------------------------------------------------------

def move(store: Store, payment_id: str, now: datetime, *parts: tuple[str | None, int], reason: str = "wrong visit",
         ) -> Payment:
    return store.write(lambda s: payments.reallocate(s, PRACTICE, payment_id, parts, by="ana", reason=reason, now=now))


def test_a_payment_is_put_on_another_visit_by_reversing_entries(anna: Store, now: datetime) -> None:
    one = anna.write(desk(now, 4_000))
    before = anna.read(world.transfers)
    move(anna, one, now, (NEW, 3_000), (OLD, 1_000))
    assert anna.read(world.balances) == {"old": OLD_MINOR - 1_000, "new": NEW_MINOR - 3_000,
                                         "cash:manual:check": 4_000}
    after = anna.read(world.transfers)
    assert after == before + 3  # one row taken back, two new
    move(anna, one, now, (NEW, 3_000), (OLD, 1_000))
    assert anna.read(world.transfers) == after
    move(anna, one, now, (OLD, 4_000))
    assert anna.read(world.balances) == {"old": OLD_MINOR - 4_000, "new": NEW_MINOR, "cash:manual:check": 4_000}
    anna.read(foot)


def test_what_was_given_back_of_a_visit_stays_given_back_when_the_rest_moves(anna: Store, now: datetime) -> None:
    one = anna.write(lambda s: payments.request(s, RequestPayment(
        ANNA, 4_000, ((OLD, 4_000),), world.version(s), "en"),
        payments.RequestContext(PRACTICE, maple_clinic(), now, TALK, "1")).id)
    tell(anna, now, paid(one, 4_000))
    tell(anna, now, Event("refunded", one, 1_500))
    move(anna, one, now, (NEW, 2_500))
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR - 2_500, "cash:stripe:card": 2_500}
    anna.read(foot)


@pytest.mark.parametrize(("parts", "why"), [
    (((OLD, 3_000),), "this payment stands at"), (((OLD, 2_000), (OLD, 2_000)), "named once"),
    (((OLD, 4_000), (NEW, 0)), "above nothing"), ((("visit_x", 4_000),), "its own account"),
])
def test_money_is_not_put_where_it_cannot_be(
        anna: Store, now: datetime, parts: tuple[tuple[str, int], ...], why: str) -> None:
    one = anna.write(desk(now, 4_000))
    with pytest.raises(reallocation.ReallocationRefused, match=why):
        move(anna, one, now, *parts)
    with pytest.raises(reallocation.ReallocationRefused, match="its reason"):
        move(anna, one, now, (OLD, 4_000), reason=" ")
