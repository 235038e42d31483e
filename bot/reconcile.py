"""Payment pages that ran out in silence: the webhook may be lost and the patient may never have come back.

The processor is asked and its answer goes where every other news of a payment goes.
"""

from __future__ import annotations

from functools import partial

import structlog
from sqlalchemy.orm import Session

from billing import payments
from billing.store import payment_queries
from bot.failpoints import hit
from bot.processors.base import PaymentEvent, Processor, ProcessorError
from bot.road import Road

AT_ONCE = 20

_log = structlog.get_logger(__name__)


async def reconcile_due(road: Road, processor: Processor, limit: int = AT_ONCE) -> int:
    """Ask about up to ``limit`` pages; return how many answers were applied. Calling it again does no harm."""
    now = road.clock.now()
    waiting = await road.store.aread(partial(payment_queries.uncertain, now=now, limit=limit))
    applied = 0
    for practice_id, session_ref in waiting:
        try:
            event = await processor.fetch_checkout(session_ref)
        except ProcessorError as error:
            _log.warning("no answer about a payment page", kind=error.kind, code=error.code)
            continue
        hit("reconcile.asked")
        applied += await road.store.awrite(partial(_apply, practice_id=practice_id, event=event, road=road))
    if applied:
        road.wake.inbox.set()
    return applied


def _apply(session: Session, practice_id: str, event: PaymentEvent, road: Road) -> bool:
    applied = payments.apply_event(session, practice_id, event, road.clock.now()) is not None
    hit("reconcile.applied")
    return applied
