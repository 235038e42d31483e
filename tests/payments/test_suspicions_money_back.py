"""Money that went back twice over comes in again once: disputes and refunds of one payment, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from billing import ledger, payments
from billing.refunds import RefundRefused
from billing.store.tables import Practice
from bot.write import Store
from tests.payments import world
from tests.payments.test_events import ask, paid, tell
from tests.payments.test_orders import foot
from tests.payments.test_refunds import give
from tests.payments.world import ANNA, NEW_MINOR, OLD_MINOR, PRACTICE, Event

__all__ = ["anna"]

REFUND = Event("refund_made", None, 4_000, refund_ref="re_1")
DISPUTE = Event("disputed", None, OLD_MINOR, dispute_ref="du_1")
WON = Event("dispute_won", None, OLD_MINOR, dispute_ref="du_1")


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


@pytest.mark.parametrize("told", [(REFUND, DISPUTE, WON), (DISPUTE, REFUND, WON), (DISPUTE, WON, REFUND)])
def test_a_dispute_won_on_a_partly_refunded_payment_pays_no_cent_more_than_the_patient_paid(
        anna: Store, now: datetime, told: tuple[Event, ...]) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    for event in told:
        tell(anna, now, replace(event, payment_id=one))
    assert anna.read(world.balances) == {"old": 4_000, "new": NEW_MINOR, "cash:stripe:card": 6_000}
    assert anna.read(lambda s: world.payment(s, one).status) == "partly_refunded"
    anna.read(foot)


@pytest.mark.parametrize("told", [(REFUND, DISPUTE), (DISPUTE, REFUND)])
def test_a_refund_that_fails_while_the_bank_has_the_money_pays_nothing(
        anna: Store, now: datetime, told: tuple[Event, ...]) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    for event in (*told, replace(REFUND, kind="refund_failed")):
        tell(anna, now, replace(event, payment_id=one))
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}
    anna.read(foot)


def test_news_of_a_lost_dispute_in_another_currency_moves_no_money_and_calls_staff(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    tell(anna, now, replace(DISPUTE, kind="dispute_lost", payment_id=one, currency="EUR"))
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(world.cases) == ["payment_mismatch"]


@pytest.mark.parametrize("amount", [0, -500])
def test_nothing_or_less_is_not_refunded_of_a_payment_that_was_paid_twice(
        anna: Store, now: datetime, amount: int) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    tell(anna, now, paid(one, processor_ref="pi_2"))
    with pytest.raises(RefundRefused):
        anna.write(give(one, now, amount_minor=amount))


def test_a_check_number_that_another_account_used_is_refused_and_no_payment_is_swallowed(
        anna: Store, now: datetime) -> None:
    anna.write(lambda s: world.account(s, "acct_ben", "B1", now))

    def take(guarantor_id: str, amount: int) -> str:
        return anna.write(lambda s: payments.record_desk_payment(
            s, PRACTICE, guarantor_id, amount_minor=amount, currency="USD", tender="check", reference="1042",
            recorded_by="ana", now=now).id)

    assert take(ANNA, 5_000) == take(ANNA, 5_000)
    with pytest.raises(ValueError, match="used"):
        take("acct_ben", 5_000)
    with pytest.raises(ValueError, match="used"):
        take(ANNA, 4_000)
    assert anna.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide("cash:manual:check"))) == 5_000
