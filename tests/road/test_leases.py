"""Leases: one owner at a time, whoever asks first; time comes in as an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

from billing.store import lease
from bot.write import Store
from tests.road.test_inbox import together

MINUTE = timedelta(minutes=1)


def acquire(store: Store, owner: str, now: datetime) -> bool:
    return store.write(lambda session: lease.acquire(session, "tick", owner, now + MINUTE, now))


def test_a_lease_has_one_owner_until_it_runs_out(store: Store, now: datetime) -> None:
    assert acquire(store, "a", now)
    assert not acquire(store, "b", now)
    assert not acquire(store, "b", now + MINUTE - timedelta(seconds=1))
    assert acquire(store, "b", now + MINUTE)
    assert not acquire(store, "a", now + MINUTE)


def test_its_owner_renews_a_lease(store: Store, now: datetime) -> None:
    acquire(store, "a", now)
    assert acquire(store, "a", now + MINUTE / 2)
    assert not acquire(store, "b", now + MINUTE)


def test_of_ten_that_ask_at_once_one_gets_the_lease(store: Store, now: datetime) -> None:
    answers: list[bool] = []
    together(10, lambda n: answers.append(acquire(store, f"w{n}", now)))
    assert answers.count(True) == 1


def test_a_lease_given_up_is_free_and_only_its_owner_gives_it_up(store: Store, now: datetime) -> None:
    acquire(store, "a", now)
    assert not store.write(lambda session: lease.drop(session, "tick", "b"))
    assert store.write(lambda session: lease.drop(session, "tick", "a"))
    assert acquire(store, "b", now)
