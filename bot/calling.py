"""Calls to the payment processor: claim, commit; ask the gate again, commit; call; record.

No transaction is open while the processor is asked. Every step may be the last one of this process: a call whose
outcome is not known is repeated under the same key with the same content, and after 23 hours looked for by our id
(billing/processor_calls.py), so that it ends in exactly one charge.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from sqlalchemy.orm import Session

from billing import charging, processor_calls, saved_charges
from billing.processor_calls import Order
from bot import metrics
from bot.failpoints import hit
from bot.processors.base import ChargeRequest, PaymentEvent, Processor, ProcessorError, RefundRequest
from bot.road import Road

AT_ONCE = 20

_log = structlog.get_logger(__name__)


async def call_due(road: Road, processor: Processor, limit: int = AT_ONCE) -> int:
    """Make the calls that are due; return how many were worked. Calling it again does no harm."""
    claimed = await road.store.awrite(partial(_claim, road=road, limit=limit))
    if not claimed:
        return 0
    hit("call.claimed")
    await asyncio.gather(*(_make(road, processor, call_id) for call_id in claimed))
    road.wake.inbox.set()  # what the patient hears of it is news in their conversation
    return len(claimed)


def _claim(session: Session, road: Road, limit: int) -> list[str]:
    now = road.clock.now()
    saved_charges.give_up_waiting(session, now)
    return processor_calls.claim(session, road.worker, now, limit)


async def _make(road: Road, processor: Processor, call_id: str) -> None:
    """A fault of our own leaves the claim to run out, and the call to be repeated under its key."""
    try:
        order = await road.store.awrite(partial(
            charging.begin, call_id=call_id, worker=road.worker, return_url=road.back_page, now=road.clock.now()))
        if order is not None:
            await _ask_and_record(road, processor, order)
    except Exception as error:  # noqa: BLE001 - one call that cannot be made must not stop the others
        _log.error("call not worked", call_id=call_id, error=type(error).__name__)


async def _ask_and_record(road: Road, processor: Processor, order: Order) -> None:
    try:
        metrics.CALLED.labels(order.kind, "asked").inc()
        if order.act == "look_up":
            events = await _look_up(processor, order)
            hit("call.asked")
            await road.store.awrite(partial(_found, road=road, order=order, events=events))
        else:
            event = await _ask(processor, order)
            hit("call.asked")
            await road.store.awrite(partial(_answered, road=road, order=order, event=event))
    except ProcessorError as error:
        hit("call.refused")
        metrics.CALLED.labels(order.kind, error.kind).inc()
        _log.warning("call failed", call_id=order.call_id, what=order.kind, kind=error.kind, code=error.code)
        await road.store.awrite(partial(charging.failed, order=order, kind=error.kind, code=error.code,
                                        now=road.clock.now()))


def _answered(session: Session, road: Road, order: Order, event: PaymentEvent | None) -> None:
    charging.answered(session, order, event, road.clock.now())
    hit("call.recorded")


def _found(session: Session, road: Road, order: Order, events: tuple[PaymentEvent, ...]) -> None:
    charging.found(session, order, events, road.clock.now())
    hit("call.recorded")


async def _ask(processor: Processor, order: Order) -> PaymentEvent | None:
    asked, key = order.request, order.idempotency_key
    match order.kind:
        case "charge":
            return await processor.charge(_charge(order))
        case "refund":
            return await processor.refund(RefundRequest(
                refund_id=order.object_id, payment_id=asked["payment_id"], processor_ref=asked["processor_ref"],
                amount_minor=asked["amount_minor"], idempotency_key=key))
        case "expire_page":
            return await processor.expire_page(asked["session_ref"])
        case "cancel_charge":
            return await processor.cancel_charge(asked["processor_ref"], key)
        case "remove_method":
            await processor.remove_method(asked["method_ref"])
            return None
        case kind:
            raise ValueError(f"a call of kind {kind!r} has no road")


def _charge(order: Order) -> ChargeRequest:
    asked = order.request
    return ChargeRequest(
        payment_id=order.object_id, practice_id=order.practice_id, amount_minor=asked["amount_minor"],
        currency=asked["currency"], customer_ref=asked["customer_ref"], method_ref=asked["method_ref"],
        method_kind=asked["method_kind"], description=asked["description"], practice_starts=asked["practice_starts"],
        return_url=asked["return_url"], idempotency_key=order.idempotency_key)


async def _look_up(processor: Processor, order: Order) -> tuple[PaymentEvent, ...]:
    if order.kind == "charge":
        return await processor.find_charges(order.object_id, order.since)
    event = await processor.find_refund(order.object_id, order.request["processor_ref"])
    return (event,) if event is not None else ()
