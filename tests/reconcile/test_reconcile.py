"""A day's reconciliation: what never arrived is repaired and named, everything else is put before staff, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger
from billing.payments import apply_event
from billing.reconciling import OVERLAP, since_when
from billing.reconciling_differences import DifferenceRefused, explain
from billing.reconciling_verdicts import Summary, list_differences
from billing.store import reconcile_queries
from billing.store.tables import Case, Payment, Practice, Refund, Transfer
from billing.store.tables_money import Difference, Payout, ProcessorEntry, Reconciliation
from billing.verify import verify
from bot.processors.base import ProcessorError
from bot.reconcile import daily, reconcile
from bot.road import Road
from bot.write import Store
from tests.conftest import Clock
from tests.payments.world import ANNA, NEW, OLD, PRACTICE, Event, anna, payment
from tests.reconcile.books import Books, entry, payout, rows_in


def asked(session: Session, payment_id: str, amount_minor: int, now: datetime) -> None:
    """A payment whose page is open at the processor."""
    session.add(Payment(
        id=payment_id, practice_id=PRACTICE, guarantor_id=ANNA, amount_minor=amount_minor, currency="USD",
        processor="stripe", tender="card", status="pending", instruction=[], balance_version=0, language="en",
        idempotency_key=payment_id, session_ref=f"cs_{payment_id}", recorded_by="patient", created_at=now))
    session.flush()


@pytest.fixture
def road(store: Store, practice: Practice, clock: Clock) -> Road:
    store.write(partial(anna, now=clock()))
    for payment_id, amount in (("pay_1", 10_000), ("pay_2", 2_000)):
        store.write(partial(asked, payment_id=payment_id, amount_minor=amount, now=clock()))
    return Road(store, clock, "here", "https://pay.example")


def run(road: Road, books: Books) -> Summary:
    now = road.clock.now()
    return asyncio.run(reconcile(road, books, PRACTICE, since=now - timedelta(days=30),  # type: ignore[arg-type]  # only the books are asked
                                 until=now, by="ana"))


def tell(road: Road, kind: str, payment_id: str, amount: int, **more: Any) -> None:
    """News that did arrive."""
    event = Event(kind, payment_id, amount, processor_ref=f"pi_{payment_id}", occurred_at=road.clock.now(), **more)
    road.store.write(lambda s: apply_event(s, PRACTICE, event, road.clock.now()))


def charge(at: datetime, number: int, amount: int, fee: int = 0) -> Any:
    return entry(f"txn_{number}", "charge", amount, at, payment_id=f"pay_{number}", fee_minor=fee,
                 processor_ref=f"pi_pay_{number}", source_ref=f"ch_{number}")


def count(road: Road, *tables: type) -> list[int]:
    return [road.store.read(partial(rows_in, table=table)) for table in tables]


def balance(road: Road, key: str) -> int:
    return road.store.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide(key)))


def holds(road: Road) -> None:
    """The independent replay finds nothing wrong."""
    assert road.store.read(verify).problems == []


def test_a_payment_whose_event_never_arrived_is_found_and_made_paid(road: Road, clock: Clock) -> None:
    """It becomes paid in the one function, the row says what was done, and the balances agree to the cent."""
    books = Books([charge(clock(), 1, 10_000, 320)])
    summary = run(road, books)
    assert road.store.read(lambda s: payment(s, "pay_1").status) == "succeeded"
    assert [(d.kind, d.status) for d in summary.repaired] == [("missed_event", "repaired")]
    assert summary.clean
    assert summary.processor_minor == summary.ledger_minor == 9_680
    assert balance(road, "fees") == 320
    holds(road)


def test_a_second_run_finds_nothing_new(road: Road, clock: Clock) -> None:
    """Entries, fees, differences and cases stand once, however often it runs."""
    books = Books([charge(clock(), 1, 10_000, 320), entry("txn_x", "charge", 700, clock()),
                   entry("po_1", "payout", -5_000, clock())], [payout("po_1", 5_000, clock(), date(2026, 11, 5))])
    run(road, books)
    tables = (ProcessorEntry, Payout, Transfer, Difference, Case)
    before = count(road, *tables)
    again = run(road, books)
    assert count(road, *tables) == before
    assert again.repaired == ()
    assert [d.kind for d in again.open] == ["stranger"]
    assert count(road, Reconciliation) == [2]


def test_a_run_that_broke_off_ends_the_same_when_it_is_run_again(road: Road, clock: Clock) -> None:
    """A processor that stops answering in the middle loses nothing and doubles nothing."""
    books = Books([charge(clock(), 1, 10_000, 320), charge(clock(), 2, 2_000, 88)], broken_after=1)
    with pytest.raises(ProcessorError):
        run(road, books)
    books.broken_after = None
    assert run(road, books).processor_minor == 12_000 - 408
    assert balance(road, "fees") == 408
    holds(road)


def test_refund_and_dispute_that_never_arrived_are_repaired_from_the_books(road: Road, clock: Clock) -> None:
    """What the processor gave back or was taken is owed again, and its dispute fee is posted."""
    tell(road, "paid", "pay_1", 10_000)
    tell(road, "paid", "pay_2", 2_000)
    books = Books([charge(clock(), 1, 10_000, 320), charge(clock(), 2, 2_000, 88),
                   entry("txn_r", "refund", -4_000, clock(), payment_id="pay_1", processor_ref="pi_pay_1"),
                   entry("txn_d", "dispute", -2_000, clock(), payment_id="pay_2", fee_minor=1_500,
                         processor_ref="pi_pay_2", source_ref="dp_1")])
    summary = run(road, books)
    assert {d.kind for d in summary.repaired} == {"missed_event"}
    assert summary.open == ()
    assert road.store.read(lambda s: (payment(s, "pay_1").status, payment(s, "pay_2").status)) == (
        "partly_refunded", "disputed")
    assert summary.processor_minor == summary.ledger_minor == 12_000 - 6_000 - 320 - 88 - 1_500
    holds(road)


def test_a_refund_that_failed_unheard_does_not_hide_the_one_beside_it(road: Road, clock: Clock) -> None:
    """Of two refunds all news got lost but the first one's; it came back, and only the second one has gone."""
    tell(road, "paid", "pay_1", 10_000)
    tell(road, "refunded", "pay_1", 10_000)
    line = partial(entry, at=clock(), payment_id="pay_1", processor_ref="pi_pay_1")
    books = Books([charge(clock(), 1, 10_000, 320), line("txn_a", "refund", -10_000, source_ref="re_1"),
                   line("txn_b", "refund", 10_000, source_ref="re_1"),
                   line("txn_c", "refund", -4_000, source_ref="re_2")])
    summary = run(road, books)
    assert summary.open == ()
    assert summary.processor_minor == summary.ledger_minor == 10_000 - 4_000 - 320
    assert road.store.read(lambda s: payment(s, "pay_1").status) == "partly_refunded"
    holds(road)


def test_our_own_refund_is_known_in_the_books_by_our_id(road: Road, clock: Clock) -> None:
    """The answer to our call got lost: the books tell of that refund, and the answer, found later, changes nothing."""
    tell(road, "paid", "pay_1", 10_000)
    road.store.write(lambda s: s.add(Refund(
        id="rf_1", practice_id=PRACTICE, payment_id="pay_1", guarantor_id=ANNA, amount_minor=4_000, currency="USD",
        tender="original", reason="overpaid", note="", status="approved", requested_by="ana", requested_at=clock(),
        dedupe="1")))
    gone = entry("txn_a", "refund", -4_000, clock(), payment_id="pay_1", processor_ref="pi_pay_1", source_ref="re_1")
    books = Books([charge(clock(), 1, 10_000, 320), replace(gone, refund_id="rf_1")])
    assert run(road, books).open == ()
    tell(road, "refund_made", "pay_1", 4_000, refund_id="rf_1", refund_ref="re_1")
    again = run(road, books)
    assert again.clean
    assert again.processor_minor == again.ledger_minor == 10_000 - 4_000 - 320
    assert road.store.read(lambda s: [row.status for row in s.scalars(select(Refund))]) == ["succeeded"]
    holds(road)


def test_fees_and_payouts_are_posted_once_and_a_failed_payout_comes_back(road: Road, clock: Clock) -> None:
    tell(road, "paid", "pay_1", 10_000)
    books = Books([charge(clock(), 1, 10_000, 320), entry("txn_p", "payout", -9_000, clock(), source_ref="po_1"),
                   entry("txn_f", "fee", -250, clock())],
                  [payout("po_1", 9_000, clock(), date(2026, 11, 5), "in_transit")])
    summary = run(road, books)
    assert (balance(road, "bank"), balance(road, "fees")) == (9_000, 570)
    assert summary.clean
    assert summary.ledger_minor == 430
    books.rows.append(entry("txn_pf", "payout_failure", 9_000, clock(), source_ref="po_1"))
    books.sent[0] = payout("po_1", 9_000, clock(), date(2026, 11, 5), "failed")
    assert run(road, books).ledger_minor == 9_430
    assert balance(road, "bank") == 0
    assert road.store.read(lambda s: s.get_one(Payout, (PRACTICE, "po_1")).status) == "failed"
    holds(road)


def _stranger(at: datetime) -> list[Any]:
    return [entry("txn_s", "charge", 700, at, payment_id="pay_nobody")]


def _other_amount(at: datetime) -> list[Any]:
    return [charge(at, 1, 9_900)]


def _other_currency(at: datetime) -> list[Any]:
    return [entry("txn_c", "charge", 700, at, payment_id="pay_1", currency="CAD", processor_ref="pi_pay_1")]


def _own_reason(at: datetime) -> list[Any]:
    return [entry("txn_o", "other", -333, at)]


@pytest.mark.parametrize(("rows", "kind"), [
    (_stranger, "stranger"), (_other_amount, "amount"), (_other_currency, "currency"), (_own_reason, "other")])
def test_what_cannot_be_right_is_put_before_staff_and_never_repaired(
        road: Road, clock: Clock, rows: Callable[[datetime], list[Any]], kind: str) -> None:
    """One open difference, one case; no payment and no balance is touched, and the balances differ by just that."""
    summary = run(road, Books(rows(clock())))
    assert [d.kind for d in summary.open] == [kind]
    assert summary.repaired == ()
    assert road.store.read(lambda s: list(s.scalars(select(Case.kind)))) == ["reconciliation"]
    assert road.store.read(lambda s: payment(s, "pay_1").status) == "pending"
    assert road.store.read(lambda s: ledger.balance(s, PRACTICE, ledger.patient(OLD))) == 10_000


def test_what_the_ledger_has_and_the_processor_does_not_know_is_named_after_an_hour(road: Road, clock: Clock) -> None:
    """Within the hour its books may only be slow; afterwards it is a difference, until they do show it."""
    tell(road, "paid", "pay_1", 10_000)
    books = Books()
    assert run(road, books).clean
    paid_at = clock()
    clock.advance(hours=2)
    summary = run(road, books)
    assert [d.kind for d in summary.open] == ["unknown_there"]
    books.rows.append(charge(paid_at, 1, 10_000))
    assert run(road, books).clean
    assert road.store.read(lambda s: [d.status for d in list_differences(s, PRACTICE, settled=True)]) == ["repaired"]


def test_a_balance_that_nothing_explains_is_a_difference_of_its_own(road: Road, clock: Clock) -> None:
    """It is named once, follows what is found later, and is gone when the balances agree again."""
    tell(road, "paid", "pay_1", 10_000)
    books = Books([charge(clock(), 1, 10_000)], extra_minor=55)
    found = run(road, books).open
    assert [(d.kind, d.processor_minor, d.ledger_minor) for d in found] == [("balance", 10_055, 10_000)]
    books.extra_minor = 60
    assert [d.processor_minor for d in run(road, books).open] == [10_060]
    books.extra_minor = 0
    assert run(road, books).clean


def test_a_person_explains_a_difference_with_words(road: Road, clock: Clock) -> None:
    """Explained, it is open no more, its case is closed, and its cents go on explaining the balance."""
    books = Books([entry("txn_s", "charge", 700, clock())])
    found = run(road, books).open[0]
    with pytest.raises(DifferenceRefused):
        road.store.write(lambda s: explain(s, PRACTICE, found.difference_id, by="ana", note=" ", now=clock()))
    road.store.write(lambda s: explain(s, PRACTICE, found.difference_id, by="ana", note="the shop's card reader",
                                       now=clock()))
    assert run(road, books).clean
    assert road.store.read(lambda s: list(s.scalars(select(Case.status)))) == ["closed"]


def test_a_processor_that_does_not_answer_leaves_the_payment_for_the_next_run(road: Road, clock: Clock) -> None:
    """Nothing is guessed: the difference stands without a case, and the next run makes it good."""
    books = Books([charge(clock(), 1, 10_000)], silent=True)
    summary = run(road, books)
    assert (summary.unanswered, [d.kind for d in summary.open]) == (1, ["amount"])
    assert count(road, Case) == [0]
    books.silent = False
    assert run(road, books).clean
    assert road.store.read(lambda s: payment(s, "pay_1").status) == "succeeded"


def test_the_day_is_reconciled_once(road: Road, clock: Clock) -> None:
    """The daily job runs on each practice-local day, wherever the clock stands when it ticks."""
    books: Any = Books([charge(clock(), 1, 10_000)])
    assert asyncio.run(daily(road, books)) == 1
    assert asyncio.run(daily(road, books)) == 0
    clock.advance(hours=13, minutes=55)  # 23:55 in New York
    assert asyncio.run(daily(road, books)) == 0
    clock.advance(minutes=10)
    assert asyncio.run(daily(road, books)) == 1


def test_a_run_of_one_day_leaves_no_gap_behind_it(road: Road, clock: Clock) -> None:
    """After days without a run somebody reconciles today alone: the next run still begins where the last one ended."""
    books: Any = Books([charge(clock(), 1, 10_000)])
    asyncio.run(daily(road, books))
    ended = clock()
    clock.advance(days=7)
    asyncio.run(reconcile(road, books, PRACTICE, since=clock() - timedelta(hours=4), until=clock(), by="ana"))
    assert road.store.read(lambda s: since_when(s, PRACTICE, "stripe", clock())) == ended - OVERLAP
    assert asyncio.run(daily(road, books)) == 1
    assert road.store.read(lambda s: since_when(s, PRACTICE, "stripe", clock())) == clock() - OVERLAP


def test_nothing_of_a_patient_stands_in_a_difference(road: Road, clock: Clock) -> None:
    """Differences and their cases name refs and amounts, no person and no visit."""
    summary = run(road, Books([charge(clock(), 1, 9_900), entry("txn_s", "refund", -700, clock())]))
    words = " ".join(d.sentence for d in summary.open) + str(road.store.read(
        lambda s: [(c.title, c.detail, c.guarantor_id) for c in s.scalars(select(Case))]))
    assert not any(name in words for name in ("Rivera", "Anna", OLD, NEW, ANNA))
    assert road.store.write(lambda s: reconcile_queries.find_difference(
        s, "prac_other", summary.open[0].difference_id)) is None
