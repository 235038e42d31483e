"""Nothing is asked for that is not due in this moment, and one yes makes one payment (both databases)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import checkout, holds, payments
from billing.checkout import AlreadyOpen, NotNow, Opening
from billing.commands import CancelPayment, CommandRefused, RequestPayment
from billing.payment_requests import amount_fault
from billing.store.tables import Payment, Practice
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.world import ANNA, NEW, NEW_MINOR, OLD, OLD_MINOR, PRACTICE

DUE = {OLD: OLD_MINOR, NEW: NEW_MINOR}


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def ask(now: datetime, split: tuple[tuple[str, int], ...] = ((OLD, OLD_MINOR),), *, yes: str | None = "1",
        behind: int = 0, account: str = ANNA) -> Callable[[Session], str]:
    def act(session: Session) -> str:
        version = world.version(session, account) - behind
        command = RequestPayment(account, sum(m for _, m in split), split, version, "es")
        return payments.request(session, command, payments.RequestContext(
            PRACTICE, maple_clinic(), now, world.TALK, yes)).id

    return act


@pytest.mark.parametrize(("amount", "split", "fault"), [
    (OLD_MINOR, ((OLD, OLD_MINOR),), ""),
    (OLD_MINOR + NEW_MINOR, ((OLD, OLD_MINOR), (NEW, NEW_MINOR)), ""),
    (500, ((OLD, 500),), ""),
    (OLD_MINOR + 1, ((OLD, OLD_MINOR + 1),), "too_much"),
    (500, ((OLD, 250), (OLD, 250)), "too_much"),
    (500, (("elsewhere", 500),), "too_much"),
    (500, ((OLD, 400),), "too_much"),
    (400, ((OLD, 500),), "too_little"),
    (99, ((OLD, 99),), "too_little"),
    (0, (), "too_little"),
    (500, ((OLD, 600), (NEW, -100)), "too_little"),
])
def test_an_amount_and_its_split_must_fit_what_is_due(
        amount: int, split: tuple[tuple[str, int], ...], fault: str) -> None:
    assert amount_fault(amount, split, DUE, 100) == fault


def test_less_than_the_minimum_is_fine_when_it_is_all_but_never_below_what_a_card_takes() -> None:
    assert amount_fault(80, ((OLD, 80),), {OLD: 80}, 100) == ""
    assert amount_fault(49, ((OLD, 49),), {OLD: 49}, 100) == "too_little"
    assert amount_fault(80, ((OLD, 80),), {}, 100) == "nothing_due"


def test_one_yes_is_one_payment_even_if_its_turn_is_worked_again(anna: Store, now: datetime) -> None:
    assert anna.write(ask(now)) == anna.write(ask(now))
    row = anna.read(lambda s: s.scalars(select(Payment)).one())
    assert (row.status, row.amount_minor, row.instruction, row.language) == ("created", OLD_MINOR, [[OLD, OLD_MINOR]],
                                                                            "es")


def test_a_balance_that_moved_since_the_yes_is_refused(anna: Store, now: datetime) -> None:
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, behind=1))
    assert caught.value.refused.reason == "stale_balance"


@pytest.mark.parametrize(("kind", "reason"), [("dispute", "nothing_due"), ("takeback", "nothing_due")])
def test_held_money_is_not_taken(anna: Store, now: datetime, kind: str, reason: str) -> None:
    for visit in (OLD, NEW):
        anna.write(lambda s, v=visit: holds.place(  # type: ignore[misc]  # a lambda with a default
            s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, reason="r", source="staff", placed_by="ana",
            now=now, visit_id=v))
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now))
    assert caught.value.refused.reason == reason


def test_a_stop_on_the_account_that_leaves_the_amount_due_still_stops_the_charge(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now, ((NEW, NEW_MINOR),)))

    def at_the_bank(session: Session) -> None:
        row = world.payment(session, one)
        row.status, row.processor_ref = "pending", "pi_1"

    anna.write(at_the_bank)
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, yes="2"))
    assert caught.value.refused.reason == "hold"


def test_an_unconfirmed_or_unknown_account_is_not_charged(anna: Store, now: datetime) -> None:
    anna.write(lambda s: world.account(s, "acct_new", "N1", now, confirmed=False))
    with pytest.raises(CommandRefused) as caught:
        anna.write(ask(now, account="acct_new"))
    assert caught.value.refused.reason == "not_confirmed"


def test_another_wish_ends_the_earlier_one_and_the_same_wish_is_reused(anna: Store, now: datetime) -> None:
    first = anna.write(ask(now))
    assert anna.write(ask(now, yes="2")) == first
    second = anna.write(ask(now, ((NEW, NEW_MINOR),), yes="3"))
    statuses = anna.read(lambda s: {row.id: row.status for row in s.scalars(select(Payment))})
    assert statuses == {first: "cancelled", second: "created"}


def test_cancelling_what_was_paid_changes_nothing(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now))
    anna.write(lambda s: setattr(world.payment(s, one), "status", "succeeded"))
    anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "late")))
    assert anna.read(lambda s: world.payment(s, one).status) == "succeeded"
    assert anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment("pay_none", "x"))) is None


# The press --------------------------------------------------------------------------------------------------------

def press(store: Store, payment_id: str, now: datetime) -> Any:
    return store.write(lambda s: checkout.begin(s, PRACTICE, payment_id, now))


def test_a_press_writes_the_attempt_down_first_and_its_repeat_is_the_same_attempt(
        anna: Store, now: datetime, clock: Clock) -> None:
    one = anna.write(ask(now))
    first = press(anna, one, now)
    assert isinstance(first, Opening)
    assert (first.idempotency_key, first.amount_minor, first.language) == (f"{one}:1", OLD_MINOR, "es")
    assert press(anna, one, clock.advance(minutes=10)) == first
    anna.write(lambda s: checkout.opened(s, PRACTICE, one, 1, "cs_1", "https://pay.example/1"))
    assert press(anna, one, clock()) == AlreadyOpen("https://pay.example/1")
    later = press(anna, one, clock.advance(hours=1))
    assert later.idempotency_key == f"{one}:2" and later.expires_at == clock() + timedelta(hours=1)


def test_a_refused_attempt_is_followed_by_a_new_key_and_late_answers_change_nothing(
        anna: Store, now: datetime) -> None:
    one = anna.write(ask(now))
    press(anna, one, now)
    anna.write(lambda s: checkout.refused(s, PRACTICE, one, 1, "idempotency", now))
    assert press(anna, one, now).attempt == 2
    anna.write(lambda s: checkout.opened(s, PRACTICE, one, 1, "cs_old", "https://pay.example/old"))
    anna.write(lambda s: checkout.refused(s, PRACTICE, one, 1, "late", now))
    assert press(anna, one, now).attempt == 2
    assert anna.read(lambda s: world.payment(s, one).session_ref) is None


def test_after_a_declined_bank_debit_the_patient_may_try_again(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now))
    press(anna, one, now)
    anna.write(lambda s: checkout.opened(s, PRACTICE, one, 1, "cs_1", "https://pay.example/1"))
    for kind in ("processing", "failed"):
        anna.write(lambda s, k=kind: payments.apply_event(  # type: ignore[misc]  # a lambda with a default
            s, PRACTICE, world.Event(k, one, OLD_MINOR, session_ref="cs_1"), now))
    assert isinstance(press(anna, one, now + timedelta(hours=2)), Opening)


def test_what_cannot_be_paid_is_said_by_its_reason(anna: Store, now: datetime) -> None:
    one = anna.write(ask(now))
    assert press(anna, "pay_none", now) == NotNow("not_found")
    for status, reason in (("succeeded", "paid"), ("refunded", "paid"), ("cancelled", "cancelled")):
        anna.write(lambda s, w=status: setattr(world.payment(s, one), "status", w))  # type: ignore[misc]  # a lambda with a default
        assert press(anna, one, now) == NotNow(reason)
