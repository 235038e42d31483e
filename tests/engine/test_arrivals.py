"""What arrives at one moment is kept in one commit, and each sender is answered as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from billing import inbox, threads
from billing.store import inbox_queries
from billing.store.tables import Inbox, Outbox, Practice
from bot import arrivals
from bot.accept import UnknownNumber, accept, keep, keep_soon
from bot.arrivals import Arrival
from bot.channels.base import Inbound, Receipt
from bot.road import Road
from bot.together import Together
from bot.write import Store, StoreClosed
from tests.conftest import Clock, practice_row

OURS = "+12125550100"


@pytest.fixture
def road(store: Store, practice: Practice, clock: Clock) -> Road:
    return Road(store, clock, "w1", "https://pay.example")


def a_text(number: int, now: datetime, sender: int = 0, to: str = OURS) -> Arrival:
    return arrivals.of_message("sms", Inbound(f"SM{number}", f"+12125550{sender or number:03}", to, "hello"), now)


def rows(road: Road) -> list[Inbox]:
    return road.store.read(lambda session: session.query(Inbox).order_by(Inbox.id).all())


async def give(road: Road, *given: Arrival) -> list[Any]:
    return await asyncio.gather(*(keep_soon(road, one) for one in given), return_exceptions=True)


def count_writes(road: Road, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the groups that are written from now on."""
    sizes: list[int] = []
    write = road.arrivals._write

    def counted(session: Session, group: Sequence[Arrival]) -> Sequence[arrivals.Outcome]:
        sizes.append(len(group))
        return write(session, group)

    monkeypatch.setattr(road.arrivals, "_write", counted)
    return sizes


async def test_what_comes_at_one_moment_is_one_commit_and_every_row_of_it_is_whole(
        road: Road, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = count_writes(road, monkeypatch)
    assert await give(road, *(a_text(n, clock() + timedelta(seconds=n)) for n in range(1, 21))) == [True] * 20
    assert sum(sizes) == 20 and len(sizes) <= 2
    for n, row in enumerate(rows(road), 1):
        assert (row.external_id, row.source, row.kind, row.status, row.attempts) == (
            f"SM{n}", "sms", "message", "accepted", 0)
        assert row.payload["body"] == "hello" and row.payload["sender"] == f"+12125550{n:03}"
        assert row.received_at == row.due_at == clock() + timedelta(seconds=n)
        assert row.thread == threads.of_address("prac_maple", "sms", f"+12125550{n:03}")
    assert road.wake.inbox.is_set()


async def test_a_text_delivered_twice_at_one_moment_or_later_is_kept_once(road: Road, clock: Clock) -> None:
    assert sorted(await give(road, *(a_text(1, clock()) for _ in range(5)))) == [False] * 4 + [True]
    assert await give(road, a_text(1, clock()), a_text(2, clock())) == [False, True]
    assert [row.external_id for row in rows(road)] == ["SM1", "SM2"]


async def test_texts_of_one_person_keep_the_order_in_which_they_came(road: Road, clock: Clock) -> None:
    assert all(await give(road, *(a_text(n, clock(), sender=7) for n in (3, 1, 2))))
    assert [row.external_id for row in rows(road)] == ["SM3", "SM1", "SM2"]


async def test_a_card_number_is_cut_out_of_a_text_in_a_group_too(road: Road, clock: Clock) -> None:
    card = arrivals.of_message("sms", Inbound("SM9", "+12125550009", OURS, "use 4242 4242 4242 4242"), clock())
    await give(road, a_text(1, clock()), card)
    assert "4242" not in rows(road)[1].payload["body"] and rows(road)[1].payload["card_number"] is True


async def test_a_text_for_no_practice_is_refused_and_the_others_are_kept(road: Road, clock: Clock) -> None:
    first, lost, last = await give(
        road, a_text(1, clock()), a_text(2, clock(), to="+12125559999"), a_text(3, clock()))
    assert (first, last) == (True, True)
    assert isinstance(lost, UnknownNumber) and "9999" not in str(lost)


async def test_a_row_that_the_database_refuses_spoils_no_other(postgresql_store: Store, clock: Clock) -> None:
    """PostgreSQL keeps no NUL in a text."""
    postgresql_store.write(practice_row(clock()))
    road = Road(postgresql_store, clock, "w1", "https://pay.example")
    bad = arrivals.of_message("sms", Inbound("SM\x00", "+12125550009", OURS, "hello"), clock())
    first, refused, last = await give(road, a_text(1, clock()), bad, a_text(2, clock()))
    assert (first, last) == (True, True) and isinstance(refused, DBAPIError)
    assert [row.external_id for row in rows(road)] == ["SM1", "SM2"]


async def test_a_thread_that_somebody_else_is_adding_to_holds_up_nobody_but_itself(
        postgresql_store: Store, clock: Clock) -> None:
    """Its text waits for that transaction, alone, and is kept behind it."""
    postgresql_store.write(practice_row(clock()))
    road = Road(postgresql_store, clock, "w1", "https://pay.example")
    locked, go_on, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()

    def hold(session: Session) -> None:
        inbox_queries.lock_thread(session, a_text(1, clock()).thread("prac_maple"))
        loop.call_soon_threadsafe(locked.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)
        accept(session, a_text(8, clock(), sender=1))

    holding = asyncio.create_task(postgresql_store.awrite(hold))
    await locked.wait()
    waiting = asyncio.create_task(keep_soon(road, a_text(1, clock())))
    assert await asyncio.wait_for(give(road, a_text(2, clock()), a_text(3, clock())), 20) == [True, True]
    assert not waiting.done()
    go_on.set()
    await holding
    assert await waiting
    assert [row.external_id for row in rows(road)] == ["SM2", "SM3", "SM8", "SM1"]


async def test_a_delivery_report_finds_its_practice_by_the_message_or_by_the_number_that_sent_it(
        road: Road, practice: Practice, clock: Clock) -> None:
    road.store.write(partial(_queue, practice_id=practice.id, now=clock()))

    def report(n: int, outbox_id: str, number: str) -> Arrival:
        return arrivals.of_receipt("sms", Receipt(f"SM{n}:sent", f"SM{n}", "sent", outbox_id=outbox_id), "", clock(),
                                   number=number)

    told = await give(road, report(1, "msg_1", "+12125559999"), report(2, "msg_gone", OURS), report(3, "msg_gone", ""))
    assert told[:2] == [True, True] and isinstance(told[2], UnknownNumber)
    assert [(row.practice_id, row.thread, row.source) for row in rows(road)] == [
        (practice.id, "report:msg_1", "sms-status"), (practice.id, "report:msg_gone", "sms-status")]


def _queue(session: Session, practice_id: str, now: datetime) -> None:
    session.add(Outbox(
        id="msg_1", practice_id=practice_id, channel="sms", address="+12125550123", address_hash="h", purpose="reply",
        template="t", template_version="1", language="en", privacy="open", arguments={}, body="b", segments=1,
        status="sent", due_at=now, idempotency_key="k", created_at=now))


async def test_kept_alone_or_together_it_is_the_same_row(road: Road, practice: Practice, clock: Clock) -> None:
    await give(road, a_text(1, clock()))
    await keep(road, partial(accept, arrival=a_text(2, clock(), sender=1)))
    together, alone = (
        {name: value for name, value in vars(row).items() if name not in ("_sa_instance_state", "id", "external_id")}
        for row in rows(road))
    assert together.pop("payload") == {**alone.pop("payload"), "external_id": "SM1"}
    assert together == alone


async def test_nobody_hears_of_success_before_the_commit(road: Road, clock: Clock) -> None:
    assert await keep_soon(road, a_text(1, clock()))
    with road.store.engine.connect() as other:
        assert other.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 1


async def test_a_store_that_is_away_is_away_for_the_whole_group_at_once(store: Store) -> None:
    """Nobody is answered with success, nobody waits for ever, and it is not tried once for each."""
    tried: list[int] = []

    def write(session: Session, group: Sequence[int]) -> Sequence[int]:
        tried.append(len(group))
        raise OperationalError("SELECT 1", None, Exception())

    together = Together[int, int](write)
    told = await asyncio.gather(*(together.give(store, n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(one, OperationalError) for one in told) and tried == [5]
    store.close()
    with pytest.raises(StoreClosed):
        await together.give(store, 1)


async def test_work_that_answers_for_too_few_leaves_nobody_waiting(sqlite_store: Store) -> None:
    together = Together[int, int](lambda session, group: list(group)[1:])
    told = await asyncio.gather(together.give(sqlite_store, 1), together.give(sqlite_store, 2), return_exceptions=True)
    assert all(isinstance(one, ValueError) for one in told)


async def test_a_sender_that_hangs_up_takes_nobody_elses_text_along(road: Road, clock: Clock) -> None:
    gone = asyncio.create_task(keep_soon(road, a_text(1, clock())))
    here = asyncio.create_task(keep_soon(road, a_text(2, clock())))
    await asyncio.sleep(0)
    gone.cancel()
    assert await here
    assert "SM2" in [row.external_id for row in rows(road)]


def test_what_was_accepted_twice_in_one_set_is_told_so(store: Store, practice: Practice, now: datetime) -> None:
    entries = [inbox.Entry(practice.id, "sms", one, "message", "t1", {"body": ""}, now) for one in ("A", "B", "A")]
    assert store.write(lambda session: inbox.accept_all(session, entries)) == ["kept", "kept", "known"]
    assert store.write(lambda session: inbox.accept_all(session, entries)) == ["known"] * 3
