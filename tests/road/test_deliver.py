"""Delivery, look-ups, ticks and the loops, with channels that fail in each way that a provider can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy.orm import Session

from billing import outbox
from billing.store.tables import Lease, Outbox
from bot.accept import accept_message, accept_receipt
from bot.channels.base import Inbound, Lookup, Outbound, Receipt, SendError, Sent
from bot.channels.console import ConsoleChannel
from bot.deliver import deliver_due, settle_unknown
from bot.receive import receive_due
from bot.road import Road
from bot.tick import JOBS, LEASE, LEASE_NAME, Job, make_scheduler, tick
from bot.worker import run
from bot.write import Store
from tests.conftest import Clock
from tests.road.desk import Desk


class Line(ConsoleChannel):
    """A console whose line fails as told: before or after the message was taken, or with a fault of our own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.fault: Exception | None = None
        self.taken_before_fault = False
        self.sent: list[str] = []
        self.rang = asyncio.Event()

    async def send(self, message: Outbound) -> Sent:
        if self.fault is None or self.taken_before_fault:
            sent = await super().send(message)
            self.sent.append(message.outbox_id)
            self.rang.set()
            if self.fault is None:
                return sent
        raise self.fault


@pytest.fixture
def line(clock: Clock) -> Line:
    return Line(clock)


@pytest.fixture
def road(store: Store, clock: Clock, line: Line) -> Road:
    return Road(store, clock, "w1", "https://bills.example", {"console": line})


async def test_what_is_due_is_sent_and_recorded(desk: Desk, road: Road, line: Line) -> None:
    outbox_id = desk.put("k1")
    assert await deliver_due(road) == 1
    assert (line.sent, desk.status(outbox_id)) == ([outbox_id], "sent")
    assert await deliver_due(road) == 0


@pytest.mark.parametrize(("fault", "status"), [
    (SendError("retry", "30001"), "queued"), (SendError("unknown", "TimeoutError"), "unknown"),
    (SendError("opted_out", "21610"), "failed"), (SendError("unreachable", "30005"), "failed"),
    (SendError("configuration", "20003"), "queued"), (RuntimeError("our own fault"), "unknown"),
])
async def test_each_kind_of_error_has_its_consequence(
        desk: Desk, road: Road, line: Line, fault: Exception, status: str) -> None:
    outbox_id = desk.put("k1")
    line.fault = fault
    await deliver_due(road)
    assert desk.status(outbox_id) == status


async def test_a_channel_that_is_not_set_up_is_paused_and_its_messages_wait(desk: Desk, road: Road) -> None:
    outbox_id = desk.put("k1")
    bare = Road(road.store, road.clock, "w1", road.public_url)
    await deliver_due(bare)
    assert (desk.status(outbox_id), desk.cases()) == ("queued", ["channel_paused"])
    assert await deliver_due(bare) == 0


@pytest.mark.parametrize("taken", [True, False])
async def test_an_answer_that_was_lost_is_looked_up_and_the_message_leaves_exactly_once(
        desk: Desk, road: Road, line: Line, taken: bool) -> None:
    outbox_id = desk.put("k1")
    line.fault, line.taken_before_fault = SendError("unknown", "TimeoutError"), taken
    await deliver_due(road)
    line.fault = None
    for _ in range(3):
        desk.clock.advance(minutes=10)
        await settle_unknown(road)
        await deliver_due(road)
    assert desk.status(outbox_id) == "sent"
    assert line.sent == [outbox_id]


async def test_a_provider_that_cannot_be_asked_just_now_is_asked_again(
        desk: Desk, road: Road, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox_id = desk.put("k1")
    line.fault, line.taken_before_fault = SendError("unknown", "TimeoutError"), True
    await deliver_due(road)
    desk.clock.advance(minutes=10)

    async def away(_message: Outbound, _after: datetime) -> Lookup:
        raise SendError("retry", "503")

    with monkeypatch.context() as patched:
        patched.setattr(line, "look_up", away)
        await settle_unknown(road)
        assert desk.status(outbox_id) == "unknown"
    await settle_unknown(road)
    assert desk.status(outbox_id) == "sent"


async def test_a_redaction_goes_to_the_provider_and_says_nothing_to_the_patient(
        desk: Desk, road: Road, line: Line) -> None:
    outbox_id = desk.put("r", purpose=outbox.REDACTION, body="", provider_id="SM1")
    await deliver_due(road)
    assert (desk.status(outbox_id), line.sent) == ("sent", [])


async def test_a_delivery_report_travels_the_road_and_one_that_is_too_early_is_tried_again(
        desk: Desk, road: Road) -> None:
    outbox_id = desk.put("k1")
    early = Receipt("SM1:delivered", "SM1", "delivered")
    desk.store.write(partial(accept_receipt, practice_id=desk.practice.id, channel="console", receipt=early,
                             error_kind="", now=desk.clock()))
    await receive_due(road)
    desk.claim()
    desk.begin(outbox_id)
    desk.store.write(partial(outbox.record_sent, sent=[(outbox_id, "SM1")]))
    desk.clock.advance(minutes=1)
    await receive_due(road)
    assert desk.status(outbox_id) == "delivered"


# --- ticks and loops


async def test_one_process_ticks_at_a_time_and_another_takes_over(road: Road, clock: Clock) -> None:
    ran: list[str] = []

    def job(name: str) -> Job:
        async def work(_road: Road) -> int:
            ran.append(name)
            return 1

        return Job(name, 1, work)

    other = Road(road.store, clock, "w2", road.public_url)
    assert await tick(road, job("a")) == 1
    assert await tick(other, job("b")) == 0
    clock.at += LEASE
    assert await tick(other, job("b")) == 1
    assert await tick(road, job("a")) == 0
    assert ran == ["a", "b"]


async def test_a_failing_job_leaves_the_next_one_alone(road: Road) -> None:
    async def broken(_road: Road) -> int:
        raise LookupError

    assert await tick(road, Job("broken", 1, broken)) == 0
    assert await tick(road, JOBS[0]) == 0


async def test_the_tick_wakes_what_waited_for_its_hour(desk: Desk, road: Road, clock: Clock) -> None:
    outbox_id = desk.put("k1")

    def defer(session: Session) -> None:
        row = session.get_one(Outbox, outbox_id)
        row.status, row.due_at = "deferred", clock()

    desk.store.write(defer)
    assert await tick(road, JOBS[0]) == 1
    assert road.wake.outbox.is_set()
    assert await tick(road, JOBS[0]) == 0


async def test_the_scheduler_has_the_fixed_jobs_and_never_two_of_one(road: Road) -> None:
    scheduler = make_scheduler(road)
    scheduler.start()
    try:
        jobs = {job.id: (job.coalesce, job.max_instances) for job in scheduler.get_jobs()}
    finally:
        scheduler.shutdown(wait=False)
    assert jobs == {job.name: (True, 1) for job in JOBS}


async def test_the_loops_answer_by_themselves_and_stop_when_told(desk: Desk, road: Road, line: Line) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run(road, stop))
    message = Inbound("C99", "+12125550111", "", "HELP")
    await road.store.awrite(partial(accept_message, channel="console", message=message, now=road.clock.now(),
                                    practice_id=desk.practice.id))
    road.wake.inbox.set()

    await asyncio.wait_for(line.rang.wait(), 20)
    stop.set()
    await asyncio.wait_for(running, 10)
    assert road.store.read(lambda s: s.get_one(Lease, LEASE_NAME).owner) == "w1"
