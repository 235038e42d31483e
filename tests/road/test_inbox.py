"""The inbox: accepted once, worked in order, one row of a thread at a time, and no poison stops a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing import inbox
from billing.store.tables import Case, Inbox, Practice
from bot.write import Store
from tests.conftest import Clock

CARD = "4242 4242 4242 4242"


def accept(store: Store, practice: Practice, external_id: str, now: datetime, thread: str = "t1",
           body: str = "hello") -> bool:
    payload = {"sender": "+12125550111", "body": body}
    return store.write(lambda session: inbox.accept(session, practice.id, "sms", external_id, "message", thread,
                                                    payload, now))


def claim(store: Store, worker: str, now: datetime, limit: int = 10) -> list[int]:
    return [one.inbox_id for one in store.write(lambda session: inbox.claim(session, worker, now, limit))]


def finish(store: Store, inbox_id: int, worker: str, now: datetime) -> bool:
    def fn(session: Session) -> bool:
        row = inbox.take(session, inbox_id, worker)
        if row is None:
            return False
        inbox.finish(row, now)
        return True

    return store.write(fn)


def fail(store: Store, inbox_id: int, worker: str, now: datetime) -> None:
    store.write(partial(inbox.fail, inbox_id=inbox_id, worker=worker, error="ValueError", now=now))


def column(store: Store, name: str) -> list[Any]:
    return store.read(lambda session: [getattr(row, name) for row in session.query(Inbox).order_by(Inbox.id)])


def test_the_same_message_is_accepted_once(store: Store, practice: Practice, now: datetime) -> None:
    assert accept(store, practice, "SM1", now)
    assert not accept(store, practice, "SM1", now)
    assert len(column(store, "id")) == 1


def test_twenty_deliveries_of_one_webhook_at_once_are_accepted_once(
        store: Store, practice: Practice, now: datetime) -> None:
    answers: list[bool] = []
    together(20, lambda _: answers.append(accept(store, practice, "SM1", now)))
    assert sorted(answers) == [False] * 19 + [True]


def together(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_card_number_is_gone_before_the_row_is_stored(store: Store, practice: Practice, now: datetime) -> None:
    """T-52: not in the payload, and not in the bytes of the column either, under any key."""
    accept(store, practice, "SM1", now, body=f"pay with {CARD} 12/28")
    (payload,) = column(store, "payload")
    assert payload["card_number"] is True
    assert "4242" not in payload["body"]


def test_message_bodies_are_sealed_at_rest(store: Store, practice: Practice, now: datetime) -> None:
    accept(store, practice, "SM1", now, body="why do I owe this")
    raw = store.read(lambda session: session.execute(text("SELECT payload FROM inbox")).scalar_one())
    assert b"owe" not in bytes(raw)


def test_a_thread_is_worked_in_order_one_row_at_a_time(store: Store, practice: Practice, now: datetime) -> None:
    for number in range(3):
        accept(store, practice, f"SM{number}", now)
    order = []
    for _ in range(3):
        (row,) = claim(store, "w1", now)
        assert claim(store, "w2", now) == []
        assert finish(store, row, "w1", now)
        order.append(row)
    assert order == sorted(order)
    assert claim(store, "w1", now) == []


def test_threads_do_not_wait_for_each_other(store: Store, practice: Practice, now: datetime) -> None:
    for thread in "abc":
        accept(store, practice, f"SM{thread}", now, thread)
    assert len(claim(store, "w1", now)) == 3


def test_no_row_is_claimed_twice_by_workers_in_parallel(store: Store, practice: Practice, now: datetime) -> None:
    for number in range(30):
        accept(store, practice, f"SM{number}", now, thread=f"t{number % 10}")
    taken: list[int] = []
    together(8, lambda n: taken.extend(claim(store, f"w{n}", now, limit=3)))
    assert len(taken) == len(set(taken))
    threads = store.read(lambda session: [row.thread for row in session.query(Inbox).where(Inbox.id.in_(taken))])
    assert len(threads) == len(set(threads)), "two rows of one thread were being worked at once"


def test_an_older_row_that_shows_up_late_does_not_join_a_thread_that_is_being_worked(
        store: Store, practice: Practice, now: datetime) -> None:
    accept(store, practice, "SM1", now)
    (first,) = claim(store, "w1", now)
    accept(store, practice, "SM0", now)
    store.write(lambda session: session.execute(text(f"UPDATE inbox SET id = {first - 1} WHERE id <> {first}")))
    assert claim(store, "w2", now) == []


def test_a_row_of_a_vanished_worker_comes_back_after_its_lease(store: Store, practice: Practice, clock: Clock) -> None:
    accept(store, practice, "SM1", clock())
    (row,) = claim(store, "w1", clock())
    assert store.write(lambda session: inbox.release_expired(session, clock())) == 0
    clock.advance(seconds=inbox.LEASE.total_seconds())
    assert store.write(lambda session: inbox.release_expired(session, clock())) == 1
    assert claim(store, "w2", clock()) == [row]
    assert not finish(store, row, "w1", clock()), "the first worker lost its claim"
    assert finish(store, row, "w2", clock())


def test_a_failing_row_is_tried_again_later_and_later(store: Store, practice: Practice, clock: Clock) -> None:
    accept(store, practice, "SM1", clock())
    waits = []
    for _ in range(inbox.MOST_ATTEMPTS - 1):
        (row,) = claim(store, "w1", clock())
        fail(store, row, "w1", clock())
        (due,) = column(store, "due_at")
        waits.append(due - clock())
        assert claim(store, "w1", due - timedelta(seconds=1)) == []
        clock.at = due
    assert waits == sorted(set(waits))


def test_a_row_that_never_works_becomes_a_case_and_its_thread_goes_on(
        store: Store, practice: Practice, clock: Clock) -> None:
    accept(store, practice, "SM1", clock())
    accept(store, practice, "SM2", clock())
    for _ in range(inbox.MOST_ATTEMPTS):
        (row,) = claim(store, "w1", clock())
        fail(store, row, "w1", clock())
        clock.advance(hours=1)
    assert column(store, "status") == ["failed", "accepted"]
    (case,) = store.read(lambda session: session.query(Case).all())
    assert case.kind == "inbox_failed"
    assert len(claim(store, "w1", clock())) == 1


def test_a_row_that_kills_its_worker_each_time_is_given_up_too(store: Store, practice: Practice, clock: Clock) -> None:
    """Nobody is left to say "failed": the claims themselves are counted."""
    accept(store, practice, "SM1", clock())
    for _ in range(inbox.MOST_ATTEMPTS):
        assert len(claim(store, "w1", clock())) == 1
        clock.advance(minutes=1)
        store.write(lambda session: inbox.release_expired(session, clock()))
    assert claim(store, "w1", clock()) == []
    assert column(store, "status") == ["failed"]
