"""Whatever a processor says, in any order, doubled or lost: the books foot, and no cent is dropped (both databases)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from billing import ledger, payments
from billing.store.seal import Keyring
from billing.store.tables import Payment, Practice
from billing.verify import verify
from bot.write import Store, open_store
from tests.conftest import TUESDAY, practice_row
from tests.databases import copy_sqlite
from tests.payments import world
from tests.payments.test_events import ask, tell
from tests.payments.world import NEW_MINOR, OLD_MINOR, PRACTICE, Event


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def cash(session: Session) -> int:
    return sum(minor for key, minor in world.balances(session).items() if key.startswith("cash:"))


def foot(session: Session) -> None:
    """The independent replay finds nothing, and what is owed, paid and kept as credit is what was ever charged."""
    found = verify(session, PRACTICE)
    assert [(p.check, p.object_id, p.difference_minor) for p in found.problems] == []
    books = world.balances(session)
    fees = ledger.balance(session, PRACTICE, ledger.wide("fees"))
    assert fees + books.get("old", 0) + books.get("new", 0) + cash(session) - books.get("credit", 0) + books.get(
        "payable", 0) == OLD_MINOR + NEW_MINOR


REFUNDS = [
    Event("paid", None, OLD_MINOR),
    Event("refund_made", None, 2_500, refund_ref="re_1"),
    Event("refund_made", None, 1_500, refund_ref="re_2"),
    Event("refunded", None, 2_500),
    Event("refunded", None, 4_000),
]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::17], ids=str)
def test_totals_and_single_refunds_in_any_order_give_back_the_same(
        anna: Store, now: datetime, order: tuple[int, ...]) -> None:
    one = ask(anna, now)
    for place in order * 2:  # and everything told again
        tell(anna, now, replace(REFUNDS[place], payment_id=one))
    assert anna.read(world.balances) == {"old": 4_000, "new": NEW_MINOR, "cash:stripe:card": 6_000}
    assert anna.read(lambda s: world.payment(s, one).refunded_minor) == 4_000
    anna.read(foot)


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5], ids=str)
def test_a_refund_that_failed_is_with_the_practice_again_in_whatever_order_it_is_told(
        anna: Store, now: datetime, order: tuple[int, ...]) -> None:
    one = ask(anna, now)
    told = [Event("paid", one, OLD_MINOR), Event("refund_made", one, 2_500, refund_ref="re_1"),
            Event("refunded", one, 2_500), Event("refund_failed", one, 2_500, refund_ref="re_1", reason="closed")]
    for place in order:
        tell(anna, now, told[place])
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    row = anna.read(lambda s: world.payment(s, one))
    assert (row.status, row.refunded_minor) == ("succeeded", 0)
    assert "refund_failed" in anna.read(world.cases)
    anna.read(foot)


DISPUTE = ["paid", "disputed", "dispute_won", "reinstated"]


@pytest.mark.parametrize("order", list(permutations(DISPUTE))[::5], ids="-".join)
def test_a_dispute_that_was_won_ends_in_a_paid_visit_in_any_order(
        anna: Store, now: datetime, order: tuple[str, ...]) -> None:
    one = ask(anna, now)
    for kind in order * 2:
        tell(anna, now, Event(kind, one, OLD_MINOR, dispute_ref="du_1" if kind != "paid" else ""))
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(lambda s: world.payment(s, one).status) == "succeeded"
    anna.read(foot)


@pytest.mark.parametrize("order", list(permutations(["paid", "disputed", "dispute_lost"])), ids="-".join)
def test_a_dispute_that_was_lost_is_owed_again_in_any_order(
        anna: Store, now: datetime, order: tuple[str, ...]) -> None:
    one = ask(anna, now)
    for kind in order * 2:
        tell(anna, now, Event(kind, one, OLD_MINOR, dispute_ref="du_1" if kind != "paid" else ""))
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}
    assert anna.read(lambda s: world.payment(s, one).status) == "dispute_lost"
    anna.read(foot)


kinds = st.sampled_from(["paid", "failed", "expired", "processing", "needs_patient", "cancelled", "refunded",
                         "refund_made", "refund_pending", "refund_failed", "disputed", "dispute_won", "dispute_lost",
                         "returned", "reinstated"])
events = st.builds(
    Event, kinds, st.none(), st.sampled_from([OLD_MINOR, 1, 2_500, 9_999]),
    processor_ref=st.sampled_from(["pi_1", "pi_1", "pi_1", "pi_2"]), refund_ref=st.sampled_from(["re_1", "re_2"]),
    dispute_ref=st.sampled_from(["du_1", "du_2"]), tender=st.sampled_from(["", "bank"]), reason=st.just("x"),
    fee_minor=st.sampled_from([0, 1_500]), inquiry=st.booleans())


@pytest.fixture(scope="module")
def sqlite_town(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, keyring: Keyring) -> Iterator[Store]:
    """One database for all examples: each of them is rolled back."""
    opened = open_store(copy_sqlite(sqlite_template, tmp_path_factory.mktemp("town")), keyring)
    opened.write(practice_row(TUESDAY))
    opened.write(lambda session: world.anna(session, TUESDAY))
    ask(opened, TUESDAY)
    yield opened
    opened.close()


class _Undo(Exception):
    """Rolls an example back."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(events, min_size=1, max_size=9))
def test_the_books_foot_after_every_event_whatever_it_is(sqlite_town: Store, told: list[Event]) -> None:
    def live(session: Session) -> None:
        one = session.query(Payment).one().id
        for event in told:
            payments.apply_event(session, PRACTICE, replace(event, payment_id=one), TUESDAY)
            session.flush()
            foot(session)
        raise _Undo

    with pytest.raises(_Undo):
        sqlite_town.write(live)
