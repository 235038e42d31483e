"""Messages leave: claim, commit; ask the gate and mark as being sent, commit; send; record.

Nothing is sent inside a transaction, and nothing whose sending was once marked is sent again without evidence that
it did not leave. Every step may be the last one of this process: bot/failpoints.py kills it there in the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy.orm import Session

from billing import outbox, sending, statements, unknown_outcomes, unsubscribing
from billing.outbox import Order
from billing.sending import Begun
from bot import metrics
from bot.channels.base import Channel, Outbound, SendError, Sent
from bot.failpoints import hit
from bot.road import Road
from templates import statement

#: Channels whose provider can be asked what it sent. The others' unknown outcomes are for staff.
CAN_BE_ASKED = frozenset({"sms", "console"})

_log = structlog.get_logger(__name__)


async def deliver_due(road: Road, limit: int = 0) -> int:
    """Send what is due, ``limit`` messages or as many as the road carries at once; return how many were worked."""
    claimed = await claim_due(road, limit or road.sends_at_once)
    await asyncio.gather(*await deliver_all(road, claimed))
    return len(claimed)


async def deliver_all(road: Road, claimed: Sequence[str]) -> list[Coroutine[Any, Any, None]]:
    """Begin claimed messages together; return what takes each of them to its provider, to be awaited by the caller."""
    try:
        begun = await road.store.awrite(partial(_begin_all, road=road, claimed=claimed)) if claimed else _NONE
    except Exception as error:  # noqa: BLE001 - one message that cannot be judged must not stop the others
        _log.warning("not judged together", messages=len(claimed), error=type(error).__name__)
        begun = Begun((), tuple(claimed))
    return [*(_marked(road, order) for order in begun.orders), *(deliver_one(road, one) for one in begun.alone)]


_NONE = Begun((), ())


def _begin_all(session: Session, road: Road, claimed: Sequence[str]) -> Begun:
    begun = sending.begin_all(session, claimed, road.worker, road.clock.now(), lambda: hit("deliver.judged"))
    return replace(begun, orders=tuple(_with_stop_page(session, road, order) for order in begun.orders))


def _with_stop_page(session: Session, road: Road, order: Order) -> Order:
    """An e-mail says where to stop such e-mails; the page's token is nowhere stored, so it is made as it leaves."""
    if order.channel != "email" or order.guarantor_id is None:
        return order
    token = unsubscribing.make(session, order.practice_id, order.guarantor_id, order.outbox_id, road.clock.now())
    return replace(order, stop_url=road.stop_page(token))


async def _marked(road: Road, order: Order) -> None:
    hit("deliver.marked")
    await _send(road, order)


async def claim_due(road: Road, limit: int) -> list[str]:
    """Take what is due; each of it is then for ``deliver_one``."""
    now = road.clock.now()
    claimed = await road.store.awrite(lambda session: outbox.claim(session, road.worker, now, limit))
    if claimed:
        hit("deliver.claimed")
    return claimed


async def deliver_one(road: Road, outbox_id: str) -> None:
    """Take one claimed message to the provider, if the gate still lets it."""
    try:
        order = await road.store.awrite(partial(_begin, road=road, outbox_id=outbox_id))
    except Exception as error:  # noqa: BLE001 - one message that cannot be judged must not stop the others
        _log.error("not judged", outbox_id=outbox_id, error=type(error).__name__)
        await road.store.awrite(partial(outbox.give_back, outbox_id=outbox_id, worker=road.worker,
                                        error=type(error).__name__, now=road.clock.now()))
        return
    if order is not None:
        await _marked(road, order)


async def _send(road: Road, order: Order) -> None:
    outbox_id = order.outbox_id
    try:
        document = await _document(road, order)
        with metrics.SEND_SECONDS.labels(order.channel).time():
            sent = await _hand_over(road.channels.get(order.channel), order, document)
    except SendError as error:
        hit("deliver.refused")
        metrics.SENT.labels(order.channel, error.kind).inc()
        await road.store.awrite(partial(
            outbox.record_error, outbox_id=outbox_id, kind=error.kind, code=error.code, now=road.clock.now(),
            retry_after_seconds=error.retry_after_seconds))
        _log.warning("not sent", outbox_id=outbox_id, kind=error.kind, error_code=error.code)
    else:
        hit("deliver.posted")
        metrics.SENT.labels(order.channel, "sent").inc()
        await road.records.give(road.store, (outbox_id, sent.provider_id))
        hit("deliver.committed")


def _begin(session: Session, road: Road, outbox_id: str) -> Order | None:
    order = outbox.begin_sending(session, outbox_id, road.worker, road.clock.now())
    hit("deliver.judged")
    return _with_stop_page(session, road, order) if order is not None else None


async def _document(road: Road, order: Order) -> bytes | None:
    """The statement that goes along, made from its snapshot. A fault here means that nothing has left."""
    if not order.document:
        return None
    try:
        content = await road.store.aread(partial(statements.view, statement_id=order.document))
        return await asyncio.to_thread(statement.pdf, content)
    except Exception as error:
        raise SendError("retry", type(error).__name__) from error


async def _hand_over(channel: Channel | None, order: Order, document: bytes | None = None) -> Sent:
    if channel is None:
        raise SendError("configuration", "no_channel")
    try:
        if order.purpose == outbox.REDACTION:
            await channel.redact(order.provider_id or "", order.address)
            return Sent(order.provider_id or "")
        return await channel.send(outbound_of(order, document))
    except SendError:
        raise
    except Exception as error:
        # A fault of our own code, perhaps after the provider took the message.
        raise SendError("unknown", type(error).__name__) from error


def outbound_of(order: Order, document: bytes | None = None) -> Outbound:
    return Outbound(order.outbox_id, order.sender, order.address, order.body, order.buttons, document, order.subject,
                    order.reply_to, order.language, order.stop_url)


async def settle_unknown(road: Road) -> int:
    """Ask providers about messages of unknown outcome; return how many were asked about or given to staff."""
    now = road.clock.now()
    orders = await road.store.aread(lambda session: unknown_outcomes.due(session, now))
    for order in orders:
        await _look_up(road, order)
    return len(orders)


async def _look_up(road: Road, order: Order) -> None:
    channel = road.channels.get(order.channel)
    if channel is None or order.channel not in CAN_BE_ASKED or order.sending_at is None:
        await road.store.awrite(partial(unknown_outcomes.give_to_staff, outbox_id=order.outbox_id,
                                        why="this channel cannot be asked what it sent", now=road.clock.now()))
        return
    try:
        found = await channel.look_up(outbound_of(order), order.sending_at)
    except SendError as error:
        _log.warning("look-up failed", outbox_id=order.outbox_id, kind=error.kind, error_code=error.code)
        return
    hit("lookup.asked")
    await road.store.awrite(partial(unknown_outcomes.record_lookup, outbox_id=order.outbox_id,
                                    provider_ids=found.provider_ids, now=road.clock.now()))
    hit("lookup.recorded")
