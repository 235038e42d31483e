"""News of help and offers on its way: each piece in a transaction of its own, through the same door as any message."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from billing import collection_news
from billing.collection_news import News
from billing.store.practices import policy_in
from bot.demanding import Demand, queue_demand
from bot.road import Road

#: What the practice has set to let nothing leave is no news for staff.
_BY_WISH = frozenset({"sending-mode", "sent-before"})


async def tell_all(road: Road, practice_id: str) -> int:
    """Queue what nobody has been told yet; return how much. What no way leads to becomes a case."""
    now = road.clock.now()
    waiting = await road.store.aread(partial(collection_news.untold, practice_id=practice_id, now=now))
    return sum([await road.store.awrite(partial(tell, road=road, practice_id=practice_id, news=one, now=now))
                for one in waiting])


def tell(session: Session, road: Road, practice_id: str, news: News, now: datetime) -> bool:
    """Say one piece of news, or leave it to staff; tell whether a message was queued."""
    policy = policy_in(session, practice_id)
    line = queue_demand(session, road, policy, news.guarantor_id, Demand(
        "notice", news.template, news.key, news.ways, fresh_statement=False, about=news.about, opens=news.opens,
        letter=news.letter), now)
    if line.outcome in ("none", "withheld") and line.rule not in _BY_WISH:
        collection_news.leave_to_staff(session, practice_id, news, line.rule, now)
    return line.message_id is not None
