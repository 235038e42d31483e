"""A payment becomes paid once, whoever says so and however often; no cent of it is dropped (both databases)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import holds, payments
from billing.commands import CancelPayment, RequestPayment
from billing.store.tables import Hold, Practice, Transfer
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.world import ANNA, NEW, NEW_MINOR, OLD, OLD_MINOR, PRACTICE, Event

ALL = OLD_MINOR + NEW_MINOR


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def ask(store: Store, now: datetime, split: tuple[tuple[str, int], ...] = ((OLD, OLD_MINOR),), yes: str = "77") -> str:
    def act(session: Session) -> str:
        command = RequestPayment(ANNA, sum(m for _, m in split), split, world.version(session), "en")
        context = payments.RequestContext(PRACTICE, maple_clinic(), now, world.TALK, yes)
        return payments.request(session, command, context).id

    return store.write(act)


def tell(store: Store, now: datetime, event: Event) -> str | None:
    def act(session: Session) -> str | None:
        found = payments.apply_event(session, PRACTICE, event, now)
        return found.status if found else None

    return store.write(act)


def paid(payment_id: str, amount: int = OLD_MINOR, **more: Any) -> Event:
    return Event("paid", payment_id, amount, **more)


def test_money_pays_what_the_patient_named_and_the_receipt_goes_out(anna: Store, now: datetime) -> None:
    one = ask(anna, now, ((NEW, NEW_MINOR),))
    assert tell(anna, now, paid(one, NEW_MINOR)) == "succeeded"
    assert anna.read(world.balances) == {"old": OLD_MINOR, "cash:stripe:card": NEW_MINOR}
    assert anna.read(world.news) == [("payment_paid", "")]
    assert anna.read(world.cases) == []
    row = anna.read(lambda s: world.payment(s, one))
    assert (row.paid_at, row.processor_ref) == (now, "pi_1")


def test_the_same_news_by_webhook_return_page_and_reconciliation_posts_once(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    for event in (paid(one, session_ref="cs_1"), paid(one, processor_ref="pi_1"), paid(one, session_ref="cs_1")):
        assert tell(anna, now, event) == "succeeded"
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert len(anna.read(world.news)) == 1


def test_the_payment_is_found_by_the_processors_ids_when_the_event_lacks_ours(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    assert tell(anna, now, Event("refunded", None, 500)) == "partly_refunded"


@pytest.mark.parametrize(("amount", "currency"), [(OLD_MINOR + 1, "USD"), (OLD_MINOR - 1, "USD"), (OLD_MINOR, "EUR")])
def test_another_amount_or_currency_makes_nothing_paid_and_calls_staff(
        anna: Store, now: datetime, amount: int, currency: str) -> None:
    one = ask(anna, now)
    assert tell(anna, now, paid(one, amount, currency=currency)) == "created"
    assert anna.read(world.cases) == ["payment_mismatch"]
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}


def test_what_the_visit_no_longer_needs_goes_to_the_oldest_due_and_then_to_credit(anna: Store, now: datetime) -> None:
    one = ask(anna, now, ((OLD, OLD_MINOR), (NEW, NEW_MINOR)))
    anna.write(lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=9_000, currency="USD", tender="cash", reference="R1", recorded_by="ana",
        now=now, split=((OLD, 9_000),)))
    tell(anna, now, paid(one, ALL))
    assert anna.read(world.balances) == {"credit": 9_000, "cash:stripe:card": ALL, "cash:manual:cash": 9_000}
    assert anna.read(world.cases) == ["unapplied_credit"]


@pytest.mark.parametrize("kind", ["bankruptcy", "qmb"])
def test_money_that_may_have_to_go_back_waits_as_credit(anna: Store, now: datetime, kind: str) -> None:
    one = ask(anna, now)
    anna.write(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, reason="told by post", source="staff", placed_by="ana",
        now=now))
    assert tell(anna, now, paid(one)) == "succeeded"
    assert anna.read(world.balances) == {
        "old": OLD_MINOR, "new": NEW_MINOR, "credit": OLD_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(world.cases) == ["unapplied_credit"]


def test_a_cancelled_payment_whose_open_page_is_paid_after_all_counts_and_staff_hear_of_it(
        anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    anna.write(lambda s: payments.cancel(s, PRACTICE, CancelPayment(one, "changed their mind")))
    assert tell(anna, now, paid(one)) == "succeeded"
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(world.cases) == ["payment_after_cancel"]


def test_two_pages_of_one_payment_both_paid_keep_both_sums(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    for ref in ("pi_1", "pi_2", "pi_2", "pi_1"):
        tell(anna, now, paid(one, processor_ref=ref))
    assert anna.read(world.balances) == {"new": NEW_MINOR, "credit": OLD_MINOR, "cash:stripe:card": 2 * OLD_MINOR}
    assert anna.read(world.cases) == ["payment_twice"]
    tell(anna, now, Event("refunded", one, OLD_MINOR, processor_ref="pi_2"))
    tell(anna, now, Event("refunded", one, OLD_MINOR, processor_ref="pi_2"))
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(lambda s: world.payment(s, one).status) == "succeeded"


def test_a_refund_leaves_the_cash_and_is_owed_again(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    assert tell(anna, now, Event("refunded", one, 2_500)) == "partly_refunded"
    assert anna.read(world.balances) == {"old": 2_500, "new": NEW_MINOR, "cash:stripe:card": 7_500}
    assert tell(anna, now, Event("refunded", one, OLD_MINOR)) == "refunded"
    assert tell(anna, now, Event("refunded", one, 2_500)) == "refunded"  # delivered late
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}


def test_a_refund_of_an_overpayment_takes_the_credit_and_no_visit(anna: Store, now: datetime) -> None:
    one = ask(anna, now, ((OLD, OLD_MINOR), (NEW, NEW_MINOR)))
    anna.write(lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=ALL, currency="USD", tender="check", reference="17", recorded_by="ana",
        now=now))
    tell(anna, now, paid(one, ALL))
    assert anna.read(world.balances)["credit"] == ALL
    tell(anna, now, Event("refunded", one, ALL))
    assert anna.read(world.balances) == {"cash:manual:check": ALL}


def test_a_refund_that_outruns_its_payment_loses_neither(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    assert tell(anna, now, Event("refunded", one, OLD_MINOR)) == "refunded"
    assert tell(anna, now, paid(one)) == "refunded"
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}


def test_a_chargeback_is_owed_again_but_held_and_winning_it_pays_again(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    for _ in range(2):
        assert tell(anna, now, Event("disputed", one, OLD_MINOR)) == "disputed"
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}
    assert anna.read(world.cases) == ["chargeback"]
    hold = anna.read(lambda s: s.scalars(select(Hold)).one())
    assert (hold.kind, hold.visit_id, hold.released_at) == ("dispute", OLD, None)
    assert tell(anna, now, Event("reinstated", one, OLD_MINOR)) == "succeeded"
    assert tell(anna, now, Event("disputed", one, OLD_MINOR)) == "succeeded"  # old news
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}


def test_a_declined_card_is_told_once_and_may_still_be_paid(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    for _ in range(2):
        assert tell(anna, now, Event("failed", one, reason="insufficient_funds")) == "failed"
    assert anna.read(world.news) == [("payment_failed", "insufficient_funds")]
    assert tell(anna, now, paid(one)) == "succeeded"
    assert tell(anna, now, Event("failed", one)) == "succeeded"
    assert tell(anna, now, Event("expired", one)) == "succeeded"
    assert [kind for kind, _ in anna.read(world.news)] == ["payment_failed", "payment_paid"]


def test_an_earlier_page_that_runs_out_does_not_end_the_present_one(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    anna.write(lambda s: setattr(world.payment(s, one), "session_ref", "cs_2"))
    assert tell(anna, now, Event("expired", one, session_ref="cs_1")) == "created"
    assert tell(anna, now, Event("expired", one, session_ref="cs_2")) == "expired"
    assert anna.read(world.news) == [("payment_failed", "expired")]


def test_a_strangers_event_touches_nothing_but_unknown_money_of_ours_calls_staff(anna: Store, now: datetime) -> None:
    for event in (Event("paid", None, 500, processor_ref="pi_stranger"), Event("ignored", None),
                  Event("failed", "pay_x"), Event("paid", None, 500, processor_ref="")):
        assert tell(anna, now, event) is None
    assert anna.read(world.cases) == []
    assert tell(anna, now, paid("pay_gone")) is None
    assert anna.read(world.cases) == ["payment_unmatched"]


def test_news_of_another_practice_does_not_reach_this_ones_payment(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    found = anna.write(lambda s: payments.apply_event(s, "prac_other", paid(one), now))
    assert found is None and anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}


def test_the_processors_clock_never_dates_a_payment_outside_its_life(anna: Store, now: datetime, clock: Clock) -> None:
    one, later = ask(anna, now), clock.advance(days=2)
    tell(anna, later, paid(one, occurred_at=now - timedelta(days=400)))
    assert anna.read(lambda s: world.payment(s, one).paid_at) == now
    two = ask(anna, later, ((NEW, NEW_MINOR),), "78")
    tell(anna, later, paid(two, NEW_MINOR, occurred_at=later + timedelta(days=400), processor_ref="pi_9"))
    assert anna.read(lambda s: world.payment(s, two).paid_at) == later


ORDERS = list(permutations(["paid", "paid", "refunded", "failed", "processing"], 5))[::12]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_any_order_of_the_same_events_ends_in_the_same_books(
        anna: Store, now: datetime, order: tuple[str, ...]) -> None:
    one = ask(anna, now)
    event = Event("", one, OLD_MINOR)
    for kind in order:
        tell(anna, now, replace(event, kind=kind, amount_minor=2_500 if kind == "refunded" else OLD_MINOR))
    assert anna.read(world.balances) == {"old": 2_500, "new": NEW_MINOR, "cash:stripe:card": 7_500}
    assert anna.read(lambda s: world.payment(s, one).status) == "partly_refunded"


def test_every_transfer_of_a_payment_names_it_and_its_account(anna: Store, now: datetime) -> None:
    one = ask(anna, now, ((OLD, OLD_MINOR), (NEW, NEW_MINOR)))
    tell(anna, now, paid(one, ALL))
    rows = anna.read(lambda s: s.scalars(select(Transfer).where(Transfer.source == "payment")).all())
    assert {(r.payment_id, r.guarantor_id, r.code, r.visit_id) for r in rows} == {
        (one, ANNA, "patient_payment", OLD), (one, ANNA, "patient_payment", NEW)}


def test_a_desk_payment_is_paid_at_once_and_recorded_once_per_reference(anna: Store, now: datetime) -> None:
    def record(session: Session) -> str:
        return payments.record_desk_payment(
            session, PRACTICE, ANNA, amount_minor=12_000, currency="USD", tender="cash", reference="R7",
            recorded_by="ana", now=now).id

    assert anna.write(record) == anna.write(record)
    assert anna.read(world.balances) == {"new": ALL - 12_000, "cash:manual:cash": 12_000}


@pytest.mark.parametrize("wrong", [{"amount_minor": 0}, {"amount_minor": -5}, {"tender": "bitcoin"}])
def test_a_desk_payment_that_cannot_be_is_refused(anna: Store, now: datetime, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"amount_minor": 100, "currency": "USD", "tender": "cash", "reference": "R", "now": now,
                             "recorded_by": "ana", **wrong}
    with pytest.raises(ValueError, match="desk payment"):
        anna.write(lambda s: payments.record_desk_payment(s, PRACTICE, ANNA, **given))
