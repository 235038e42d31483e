"""The daily work on what is past due: deadlines of assistance, offers that lapse, news for agencies and for patients.
Derived from the tables and today's date; any number of times.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from billing import assistance, placements, settlement_offers
from billing.store import practices
from bot import collection_news
from bot.road import Road


async def work_collections(road: Road) -> int:
    """Work every practice; return how much there was to do."""
    now, done = road.clock.now(), 0
    for practice_id in await road.store.aread(practices.every):
        done += await road.store.awrite(partial(work_practice, practice_id=practice_id, now=now))
        done += await collection_news.tell_all(road, practice_id)
    return done


def work_practice(session: Session, practice_id: str, now: datetime) -> int:
    """One practice, in one transaction: few accounts are at these steps at a time."""
    return (assistance.work_day(session, practice_id, now) + settlement_offers.lapse(session, practice_id, now)
            + placements.note_changes(session, practice_id, now))
