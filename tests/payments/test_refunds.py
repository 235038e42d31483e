"""A refund has a reason, above a limit two people, and leaves once; what is not there cannot be given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import payments, refund_news, refunds, staff
from billing.refunds import RefundRefused
from billing.store import practices
from billing.store.tables import Audit, Practice, ProcessorCall, Refund
from bot.write import Store
from tests.conftest import maple_clinic
from tests.payments import world
from tests.payments.test_events import ask, paid, tell
from tests.payments.test_orders import foot
from tests.payments.world import ANNA, NEW_MINOR, OLD_MINOR, PRACTICE, Event

SMALL = maple_clinic(payments={"refund_approval_above_minor": 2_000})


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    for login, role in (("ana", "biller"), ("sam", "supervisor"), ("max", "manager")):
        store.write(lambda s, who=login, what=role: staff.add(  # type: ignore[misc]  # a lambda with a default
            s, PRACTICE, login=who, name=who, role=what, actor="max", now=now))
    return store


@pytest.fixture
def bought(anna: Store, now: datetime) -> str:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    return one


def give(payment_id: str, now: datetime, **changes: Any) -> Callable[[Session], str]:
    asked: dict[str, Any] = {"amount_minor": 1_500, "tender": "original", "reason": "billing_error", "note": "n",
                             "by": "ana", "dedupe": "R-1", "policy": SMALL, **changes}
    return lambda s: refunds.ask(s, practice_id=PRACTICE, payment_id=payment_id, now=now, **asked).id


def calls(store: Store) -> list[tuple[str, str]]:
    return store.read(lambda s: [(row.kind, row.idempotency_key) for row in s.scalars(select(ProcessorCall))])


def test_up_to_the_limit_it_is_on_its_way_at_once_and_the_same_request_again_is_the_same_refund(
        anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now))
    assert anna.write(give(bought, now)) == one
    assert calls(anna) == [("refund", f"{one}:1")]
    assert anna.read(lambda s: s.get_one(Refund, one).status) == "approved"
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}  # the bank has not said


def test_above_the_limit_another_person_approves(anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now, amount_minor=5_000, by="sam"))
    assert (calls(anna), anna.read(world.cases)) == ([], ["refund_approval"])
    for by, why in (("sam", "own request"), ("ana", "needs"), ("nobody", "nobody on")):
        with pytest.raises(staff.StaffRefused, match=why):
            anna.write(lambda s, who=by: refunds.approve(s, PRACTICE, one, by=who, now=now))  # type: ignore[misc]  # a lambda with a default
    anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="max", now=now))
    assert calls(anna) == [("refund", f"{one}:1")]
    with pytest.raises(RefundRefused, match="waits for nobody"):
        anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="max", now=now))
    row = anna.read(lambda s: s.get_one(Refund, one))
    assert (row.requested_by, row.approved_by, row.status) == ("sam", "max", "approved")


def test_a_declined_refund_sends_nothing_and_frees_the_money(anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now, amount_minor=OLD_MINOR))
    with pytest.raises(RefundRefused, match=r"at most \$0\.00"):
        anna.write(give(bought, now, dedupe="R-2"))
    with pytest.raises(RefundRefused, match="reason"):
        anna.write(lambda s: refunds.decline(s, PRACTICE, one, by="sam", reason=" ", now=now))
    anna.write(lambda s: refunds.decline(s, PRACTICE, one, by="sam", reason="the bill was right", now=now))
    anna.write(give(bought, now, dedupe="R-2"))
    assert len(calls(anna)) == 1


@pytest.mark.parametrize(("wrong", "why"), [
    ({"amount_minor": OLD_MINOR + 1}, r"at most \$100\.00"), ({"amount_minor": 0}, "at most"),
    ({"amount_minor": -5}, "at most"), ({"tender": "gold"}, "goes out as"), ({"reason": "because"}, "reason is one of"),
])
def test_a_refund_that_cannot_be_is_refused(
        anna: Store, now: datetime, bought: str, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(RefundRefused, match=why):
        anna.write(give(bought, now, **wrong))


def test_what_is_not_paid_or_is_disputed_is_not_refunded(anna: Store, now: datetime, bought: str) -> None:
    tell(anna, now, Event("disputed", bought, OLD_MINOR))
    with pytest.raises(RefundRefused, match="answered at the bank"):
        anna.write(give(bought, now))
    with pytest.raises(RefundRefused, match="no such payment"):
        anna.write(give("pay_none", now, dedupe="R-3"))


def test_a_check_leaves_by_the_check_account_and_the_visit_owes_again(anna: Store, now: datetime, bought: str) -> None:
    anna.write(give(bought, now, tender="check"))
    assert anna.read(world.balances) == {
        "old": 1_500, "new": NEW_MINOR, "cash:stripe:card": OLD_MINOR, "cash:manual:check": -1_500}
    row = anna.read(lambda s: world.payment(s, bought))
    assert (row.status, row.refunded_minor, calls(anna)) == ("partly_refunded", 1_500, [])
    tell(anna, now, Event("refund_made", bought, 2_000, refund_ref="re_1"))  # and some at the processor itself
    assert anna.read(lambda s: world.payment(s, bought).refunded_minor) == 3_500
    anna.read(foot)


def test_a_desk_payment_is_given_back_out_of_its_own_drawer(anna: Store, now: datetime) -> None:
    one = anna.write(lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=OLD_MINOR, currency="USD", tender="cash", reference="1", recorded_by="ana",
        now=now).id)
    anna.write(give(one, now))
    assert anna.read(world.balances) == {"old": 1_500, "new": NEW_MINOR, "cash:manual:cash": 8_500}
    anna.read(foot)


def test_of_a_payment_that_was_paid_twice_the_second_charge_is_given_back(
        anna: Store, now: datetime, bought: str) -> None:
    tell(anna, now, paid(bought, processor_ref="pi_2"))
    one = anna.write(give(bought, now, amount_minor=OLD_MINOR, reason="duplicate", policy=maple_clinic()))
    request = anna.read(lambda s: s.scalars(select(ProcessorCall)).one().request)
    assert (request["processor_ref"], request["amount_minor"]) == ("pi_2", OLD_MINOR)
    for kind in ("refund_pending", "refund_made", "refund_made"):
        tell(anna, now, Event(kind, bought, OLD_MINOR, processor_ref="pi_2", refund_id=one, refund_ref="re_1"))
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    row = anna.read(lambda s: world.payment(s, bought))
    assert (row.status, row.refunded_minor) == ("succeeded", 0)
    anna.read(foot)


def test_our_own_refund_is_believed_when_the_bank_has_said(anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now))
    for kind, status in (("refund_pending", "sent"), ("refund_made", "succeeded"), ("refund_pending", "succeeded")):
        tell(anna, now, Event(kind, bought, 1_500, refund_id=one, refund_ref="re_1"))
        assert anna.read(lambda s: s.get_one(Refund, one).status) == status
    assert anna.read(world.balances) == {"old": 1_500, "new": NEW_MINOR, "cash:stripe:card": 8_500}
    assert len(anna.read(lambda s: refunds.listing(s, PRACTICE))) == 1


def test_a_managers_own_policy_lets_managers_alone_approve(anna: Store, now: datetime, bought: str) -> None:
    def strict(session: Session) -> None:
        row = session.get_one(Practice, PRACTICE)
        row.settings = maple_clinic(payments={"refund_approver": "manager"}).model_dump(mode="json")

    anna.write(strict)
    one = anna.write(give(bought, now, amount_minor=5_000))
    with pytest.raises(staff.StaffRefused, match="manager alone"):
        anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="sam", now=now))
    anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="max", now=now))


def test_another_amount_than_was_asked_for_is_booked_as_told_and_a_person_hears_of_the_difference(
        anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now))
    for _ in range(2):
        tell(anna, now, Event("refund_made", bought, 900, refund_id=one, refund_ref="re_1"))
    assert anna.read(world.balances) == {"old": 900, "new": NEW_MINOR, "cash:stripe:card": OLD_MINOR - 900}
    row = anna.read(lambda s: s.get_one(Refund, one))
    assert (row.status, row.amount_minor, anna.read(world.cases)) == ("succeeded", 900, ["refund_mismatch"])
    anna.read(foot)


def test_the_patient_hears_once_of_each_refund_that_went_back(anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now))
    assert ("payment_refunded", "") not in anna.read(world.news), "nothing has left yet"
    for _ in range(2):
        tell(anna, now, Event("refund_pending", bought, 1_500, refund_id=one, refund_ref="re_1"))
        tell(anna, now, Event("refund_made", bought, 1_500, refund_id=one, refund_ref="re_1"))
        tell(anna, now, Event("refunded", bought, 1_500))
    assert [kind for kind, _ in anna.read(world.news)] == ["payment_paid", "payment_refunded"]
    tell(anna, now, Event("refund_made", bought, 500, refund_ref="re_2"))  # made at the processor itself
    assert [kind for kind, _ in anna.read(world.news)].count("payment_refunded") == 2


def test_a_total_told_after_a_failure_does_not_count_it_and_one_told_before_does(
        anna: Store, now: datetime, bought: str) -> None:
    """The processor takes a refund that failed off its own total; only an older total still has it in it."""
    def at(minutes: int) -> datetime:
        return now + timedelta(minutes=minutes)

    late = at(60)
    tell(anna, late, Event("refund_made", bought, 2_500, refund_ref="re_1", occurred_at=at(5)))
    tell(anna, late, Event("refund_failed", bought, 2_500, refund_ref="re_1", reason="closed", occurred_at=at(20)))
    tell(anna, late, Event("refunded", bought, 2_500, occurred_at=at(5)))  # delivered late
    assert anna.read(lambda s: world.payment(s, bought).refunded_minor) == 0
    tell(anna, late, Event("refunded", bought, 1_000, occurred_at=at(40)))  # another one, of which only this is heard
    assert anna.read(lambda s: world.payment(s, bought).refunded_minor) == 1_000
    anna.read(foot)


def test_a_refund_that_never_reached_the_processor_is_in_none_of_its_totals(
        anna: Store, now: datetime, bought: str) -> None:
    one = anna.write(give(bought, now))
    refused = anna.write(lambda s: s.get_one(Refund, one))
    anna.write(lambda s: refund_news.end(s, world.payment(s, bought), s.get_one(Refund, refused.id), "refused", now))
    tell(anna, now, Event("refunded", bought, 2_000))
    assert anna.read(lambda s: world.payment(s, bought).refunded_minor) == 2_000
    anna.read(foot)


def test_where_nobody_else_may_approve_a_refund_a_night_stands_for_the_second_person(
        anna: Store, now: datetime, bought: str) -> None:
    def alone(session: Session) -> None:
        for one in practices.list_staff(session, PRACTICE):
            one.active = one.login == "max"

    anna.write(alone)
    one = anna.write(give(bought, now, amount_minor=5_000, by="max"))
    with pytest.raises(staff.StaffRefused, match="a night has to pass"):
        anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="max", now=now))
    anna.write(lambda s: refunds.approve(s, PRACTICE, one, by="max", now=now + timedelta(days=1)))
    said = anna.read(lambda s: s.scalars(select(Audit.reason).where(Audit.action == "refund_approved")).one())
    assert said.endswith("alone, overnight")
