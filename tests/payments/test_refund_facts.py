"""What a conversation may say of a refund is what the books say: how much went back, and when; on both databases."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from billing import accounts
from billing.store.tables import Guarantor, Practice
from billing.views import PaymentView
from bot.write import Store
from tests.conftest import maple_clinic
from tests.payments import world
from tests.payments.test_events import ask, paid, tell
from tests.payments.world import ANNA, OLD_MINOR, Event


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def payment_of(store: Store, now: datetime) -> PaymentView:
    def read(session: Session) -> PaymentView:
        view = accounts.view_of(session, session.get_one(Guarantor, ANNA), "sms", "hash", now.date(), now,
                                maple_clinic(), full=True)
        return view.payments[0]

    return store.read(read)


def test_a_payment_without_a_refund_says_so(anna: Store, now: datetime) -> None:
    tell(anna, now, paid(ask(anna, now)))
    found = payment_of(anna, now)
    assert (found.status, found.refunded_minor, found.refunded_on) == ("succeeded", 0, None)


def test_money_sent_back_is_shown_in_all_with_its_last_day(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    tell(anna, now, Event("refunded", one, 2_500))
    assert (payment_of(anna, now).refunded_minor, payment_of(anna, now).refunded_on) == (2_500, date(2026, 11, 3))
    tell(anna, now, Event("refunded", one, OLD_MINOR))
    assert (payment_of(anna, now).status, payment_of(anna, now).refunded_minor) == ("refunded", OLD_MINOR)
