"""What was accepted is worked: one transaction per inbox row, one row of a thread at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.orm import Session

from billing import inbox, outbox, payments
from billing.inbox import Claimed
from billing.store.tables import Inbox
from bot import metrics
from bot.arrivals import event_of
from bot.failpoints import hit
from bot.processors.base import PaymentEvent, ProcessorError
from bot.road import Road
from handlers import understanding

AT_ONCE = 10

_log = structlog.get_logger(__name__)


async def receive_due(road: Road, limit: int = AT_ONCE) -> int:
    """Work the oldest row of each waiting thread; return how many were worked."""
    now = road.clock.now()
    claimed = await road.store.awrite(lambda session: inbox.claim(session, road.worker, now, limit))
    if claimed:
        hit("receive.claimed")
        await asyncio.gather(*(receive_one(road, one) for one in claimed))
    return len(claimed)


async def receive_one(road: Road, claimed: Claimed) -> None:
    """Work one claimed row; whatever goes wrong, the row waits for another attempt or for staff."""
    try:
        if claimed.kind == "message":
            await asyncio.to_thread(understanding.prepare, claimed.text)  # before the transaction: no model inside one
        event = await _completed(road, claimed) if claimed.kind == "processor" else None
        await road.store.awrite(partial(work, road=road, inbox_id=claimed.inbox_id, event=event))
    except Exception as error:  # noqa: BLE001 - any fault of one row must leave the others' road free
        metrics.WORKED.labels(claimed.kind, "failed").inc()
        _log.error("inbox row failed", inbox_id=claimed.inbox_id, kind=claimed.kind, error=type(error).__name__,
                   where=_place(error))
        await road.store.awrite(partial(inbox.fail, inbox_id=claimed.inbox_id, worker=road.worker,
                                        error=type(error).__name__, now=road.clock.now()))
        hit("receive.failed")
    else:
        metrics.WORKED.labels(claimed.kind, "done").inc()
        hit("receive.committed")


async def _completed(road: Road, claimed: Claimed) -> PaymentEvent:
    """Events name a card by its id alone; what a patient knows it by is asked for before the transaction. Where that
    cannot be had now, money is booked all the same, and a card that was only given waits.
    """
    event = event_of(claimed.payload)
    if road.processor is None:
        return event
    try:
        return await road.processor.complete(event)
    except ProcessorError:
        if event.kind == "method_saved":
            raise
        return event


def work(session: Session, road: Road, inbox_id: int, event: PaymentEvent | None = None) -> None:
    """Do all that follows from one row, and mark it done, in the caller's transaction. ``event`` is a processor's, with
    what it left out filled in.
    """
    row = inbox.take(session, inbox_id, road.worker)
    if row is None:
        return
    now = road.clock.now()
    inbox.finish(row, now, _work(session, road, row, now, event))
    metrics.WAITED.observe(max((road.clock.now() - row.received_at).total_seconds(), 0))
    session.flush()
    hit("receive.finished")


def _work(session: Session, road: Road, row: Inbox, now: datetime, event: PaymentEvent | None) -> str:
    match row.kind:
        case "message" | "event":
            from bot.turns import take_turn

            take_turn(session, road, row, now)
            return ""
        case "processor":
            payments.apply_event(session, row.practice_id, event or event_of(row.payload), now)
            return ""
        case "receipt":
            return _apply_receipt(session, row, now)
        case kind:
            raise ValueError(f"an inbox row of kind {kind!r} has no road")


def _apply_receipt(session: Session, row: Inbox, now: datetime) -> str:
    given = row.payload
    report = outbox.DeliveryReport(given["channel"], given["provider_id"], given["status"], given["error_code"],
                                   given["error_kind"], given["outbox_id"])
    try:
        return "" if outbox.apply_receipt(session, report, now) else "changes nothing"
    except outbox.UnknownMessage:
        if row.attempts < inbox.MOST_ATTEMPTS:
            raise
        return "about no message of ours"


def _place(error: BaseException) -> str:
    """Return file and line of the fault: enough to find it, and nothing of the message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
