"""With another system's ledger of record: every cent that changed a balance here leaves in the posting file, once."""

from __future__ import annotations

import csv
import io
from datetime import date
from functools import partial
from typing import Any

import pytest

from billing import closing, closing_matching, payments, postings, reallocation, reconciling
from billing.store.tables import BankLine, Payment
from bot.write import Store
from tests.conftest import Clock, maple_clinic, practice_row
from tests.payments.world import ANNA, NEW, OLD, PRACTICE, Event, anna
from tests.reconcile.books import entry

NORTHWIND = maple_clinic(ledger_of_record="northwind")


@pytest.fixture
def theirs(store: Store, clock: Clock) -> Store:
    """Anna paid $45.00 for January by card; the other system has been told of it."""
    store.write(practice_row(clock(), ledger_of_record="northwind"))
    store.write(partial(anna, now=clock()))
    store.write(lambda s: s.add(Payment(
        id="pay_1", practice_id=PRACTICE, guarantor_id=ANNA, amount_minor=4_500, currency="USD", processor="stripe",
        tender="card", status="pending", instruction=[[OLD, 4_500]], balance_version=0, language="en",
        idempotency_key="pay_1", recorded_by="patient", created_at=clock())))
    tell(store, clock, "paid", 4_500)
    assert file(store, clock) == [("payment", OLD, "-45.00")]
    return store


def tell(store: Store, clock: Clock, kind: str, amount: int, **more: Any) -> None:
    event = Event(kind, "pay_1", amount, **more)
    store.write(lambda s: payments.apply_event(s, PRACTICE, event, clock()))


def file(store: Store, clock: Clock) -> list[tuple[str, str, str]]:
    """(kind, visit, change) of what waits for the other system; it counts as told afterwards."""
    batch = store.write(lambda s: postings.gather(s, PRACTICE, NORTHWIND, by="ana", now=clock()))
    if batch is None:
        return []
    text = store.read(lambda s: postings.content(s, batch.batch_id))
    return sorted((row["kind"], row["visit_id"], row["change"]) for row in csv.DictReader(io.StringIO(text)))


def test_a_refund_leaves(theirs: Store, clock: Clock) -> None:
    tell(theirs, clock, "refunded", 1_000)
    assert file(theirs, clock) == [("refund", OLD, "10.00")]


def test_a_dispute_leaves_and_so_does_the_money_that_comes_back(theirs: Store, clock: Clock) -> None:
    tell(theirs, clock, "disputed", 4_500, dispute_ref="dp_1")
    assert file(theirs, clock) == [("refund", OLD, "45.00")]
    tell(theirs, clock, "dispute_won", 4_500, dispute_ref="dp_1")
    assert file(theirs, clock) == [("payment", OLD, "-45.00")]


def test_a_lost_dispute_leaves_once(theirs: Store, clock: Clock) -> None:
    """The loss of money that was taken when the dispute began is no second change."""
    tell(theirs, clock, "disputed", 4_500, dispute_ref="dp_1", fee_minor=1_500)
    tell(theirs, clock, "dispute_lost", 4_500, dispute_ref="dp_1", fee_minor=1_500)
    assert file(theirs, clock) == [("refund", OLD, "45.00")]


def test_money_put_to_another_visit_leaves_as_what_it_takes_back_and_what_it_gives(theirs: Store,
                                                                                  clock: Clock) -> None:
    theirs.write(lambda s: reallocation.reallocate(s, PRACTICE, "pay_1", [(NEW, 4_500)], by="ana", reason="June's",
                                                   now=clock()))
    assert file(theirs, clock) == [("payment", NEW, "-45.00"), ("reversal", OLD, "45.00")]


def test_fees_payouts_and_deposits_are_nobody_elses_business(theirs: Store, clock: Clock) -> None:
    """They change no patient's balance: the other system keeps none of them."""
    rows = [entry("txn_1", "charge", 4_500, clock(), payment_id="pay_1", fee_minor=161, processor_ref="pi_1"),
            entry("txn_2", "fee", -200, clock()), entry("txn_3", "payout", -4_000, clock())]
    theirs.write(lambda s: reconciling.take_entries(s, PRACTICE, "stripe", "rec_1", rows, clock()))
    theirs.write(lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=700, currency="USD", tender="cash", reference="R-1", recorded_by="ana",
        now=clock(), split=((NEW, 700),)))
    today = date(2026, 11, 3)
    theirs.write(lambda s: closing.count(s, PRACTICE, today, person="ana", tender="cash", counted_minor=700,
                                         now=clock()))
    theirs.write(lambda s: closing.sign(s, PRACTICE, today, by="mia", note="", today=today, now=clock()))
    theirs.write(lambda s: s.add(BankLine(id="bnk_1", practice_id=PRACTICE, import_ref="x", line=1,
                                          booked_on=date(2026, 11, 4), amount_minor=700, text="D", dedupe="d")))
    theirs.write(lambda s: closing_matching.match_all(s, PRACTICE, now=clock()))
    assert file(theirs, clock) == [("payment", NEW, "-7.00")]
    theirs.write(lambda s: closing_matching.unmatch(s, PRACTICE, "bnk_1", by="ana", reason="wrong", now=clock(),
                                                    today=today))
    assert file(theirs, clock) == []
