"""The plans' day: notices, charges, missed instalments; asked again every minute, worked plan by plan."""

from __future__ import annotations

from functools import partial

from billing import plan_days
from billing.store import plan_queries
from bot.road import Road

#: Steps to a transaction: one, so that the locks of two accounts never stand in each other's way.
AT_ONCE = 1

#: Transactions to a practice in one turn of the job; the next turn goes on.
MOST_TURNS = 1000


async def work_plans(road: Road) -> int:
    """Do what this moment asks of every practice's plans; return how many steps were done."""
    done = 0
    for practice_id in await road.store.aread(plan_queries.practices):
        for _ in range(MOST_TURNS):
            now = road.clock.now()
            step = partial(plan_days.work_due, practice_id=practice_id, now=now, limit=AT_ONCE)
            worked = await road.store.awrite(step)
            done += worked
            if worked < AT_ONCE:
                break
    if done:
        road.wake.inbox.set()
        road.wake.calls.set()
    return done
