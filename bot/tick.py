"""The tick: a few fixed jobs that ask the tables what is due. One process ticks, by a lease; twice does no harm.

APScheduler keeps nothing but the next moment, in memory: its job stores must not be shared, and its cron fires twice
in the hour when the clocks go back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from billing import cases, inbox, outbox, payments, policy_changes, silence
from billing.store import lease, practices
from bot import metrics, notices
from bot.campaign_looks import work_looks
from bot.campaigning import feed_campaigns
from bot.collection_days import work_collections
from bot.deliver import settle_unknown
from bot.dunning_days import work_dunning
from bot.failpoints import hit
from bot.importing.received import resume as resume_imports
from bot.monthly_summary import send_summaries
from bot.plan_days import work_plans
from bot.road import Road

LEASE_NAME = "tick"
LEASE = timedelta(seconds=90)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """``work`` returns how many rows it touched. Every job may run at any time, twice, or a day late. ``at_start``:
    also before the first tick; not what may take minutes, which would hold up all others.
    """

    name: str
    every_seconds: int
    work: Callable[[Road], Awaitable[int]]
    at_start: bool = True


async def wake_deferred(road: Road) -> int:
    """What waited for its hour goes back to the queue, and past the gate again."""
    woken = await road.store.awrite(lambda session: outbox.wake_deferred(session, road.clock.now()))
    if woken:
        road.wake.outbox.set()
    return woken


async def release_expired(road: Road) -> int:
    """What vanished workers held goes back; what they were sending is of unknown outcome."""
    now = road.clock.now()
    rows = await road.store.awrite(lambda session: inbox.release_expired(session, now))
    claims, lost = await road.store.awrite(lambda session: outbox.release_expired(session, now))
    hit("tick.released")
    if rows:
        road.wake.inbox.set()
    if claims:
        road.wake.outbox.set()
    return rows + claims + lost


async def escalate_cases(road: Road) -> int:
    """Overdue cases go to the deputy, then to the manager."""
    return len(await road.store.awrite(lambda session: cases.escalate(session, road.clock.now())))


async def notify_staff(road: Road) -> int:
    """Whoever has a patient's case now, and was not told of it yet, is told."""
    told = await road.store.awrite(lambda session: notices.queue_notices(session, road.clock.now()))
    if told:
        road.wake.outbox.set()
    return told


async def close_silent(road: Road) -> int:
    """Questions that nobody answered are put away, kindly."""
    closed = await road.store.awrite(lambda session: silence.accept_timeouts(session, road.clock.now()))
    if closed:
        road.wake.inbox.set()
    return closed


async def flag_overpayments(road: Road) -> int:
    """Credit that is a federal payer's concern has sixty days from when it was known (42 CFR 401.305)."""
    now = road.clock.now()
    flagged = 0
    for practice_id in await road.store.aread(practices.every):
        flagged += await road.store.awrite(partial(payments.flag_federal, practice_id=practice_id, now=now))
    return flagged


async def start_policies(road: Road) -> int:
    """Approved changes of a practice's policy are in force from their day."""
    now, begun = road.clock.now(), 0
    for practice_id in await road.store.aread(practices.every):
        begun += await road.store.awrite(partial(policy_changes.start_due, practice_id=practice_id, now=now))
    return begun


JOBS: tuple[Job, ...] = (
    Job("wake_deferred", 5, wake_deferred),
    Job("feed_campaigns", 2, feed_campaigns),
    Job("release_expired", 10, release_expired),
    Job("settle_unknown", 30, settle_unknown),
    Job("escalate_cases", 60, escalate_cases),
    Job("notify_staff", 5, notify_staff),
    Job("close_silent", 20, close_silent),
    Job("work_plans", 60, work_plans),
    Job("work_dunning", 300, work_dunning),
    Job("work_collections", 1800, work_collections),
    Job("flag_overpayments", 3600, flag_overpayments),
    Job("resume_imports", 60, resume_imports, at_start=False),
    Job("send_summaries", 3600, send_summaries, at_start=False),
    Job("start_policies", 30, start_policies),
    Job("work_looks", 2, work_looks, at_start=False),
)


async def tick(road: Road, job: Job) -> int:
    """Run one job if this process has the lease; return what it touched. A failing job is tried at its next turn."""
    now = road.clock.now()
    if not await road.store.awrite(lambda session: lease.acquire(session, LEASE_NAME, road.worker, now + LEASE, now)):
        return 0
    try:
        return await job.work(road)
    except Exception as error:  # noqa: BLE001 - the other jobs and the next tick go on
        metrics.FAILED.labels(job.name).inc()
        _log.error("tick failed", job=job.name, error=type(error).__name__)
        return 0


def make_scheduler(road: Road, jobs: tuple[Job, ...] = JOBS,
                   busy: set[asyncio.Task[Any] | None] | None = None) -> AsyncIOScheduler:
    """Return a scheduler to start inside a running loop. ``busy`` holds the ticks that run just now: whoever ends the
    scheduler waits for them, as it would cancel them.
    """
    running = set() if busy is None else busy

    async def noted(road: Road, job: Job) -> int:
        running.add(task := asyncio.current_task())
        try:
            return await tick(road, job)
        finally:
            running.discard(task)

    scheduler = AsyncIOScheduler(timezone=UTC)
    for job in jobs:
        scheduler.add_job(noted, "interval", seconds=job.every_seconds, args=(road, job), id=job.name, coalesce=True,
                          max_instances=1, misfire_grace_time=None)
    return scheduler
