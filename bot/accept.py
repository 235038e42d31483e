"""What a webhook or the console hands in becomes an inbox row; the caller answers once this is committed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from billing import inbox, threads
from billing.store import road_queries
from bot.channels.base import Inbound, Receipt
from bot.failpoints import hit
from bot.processors.base import PaymentEvent
from bot.road import Road


class UnknownNumber(ValueError):
    """A text to a number of no practice; the message names neither number."""


def practice_of(session: Session, called: str) -> str:
    """Return the id of the practice that has this number: ``To`` picks the practice. Raises UnknownNumber."""
    found = road_queries.practice_of_number(session, called)
    if found is None:
        raise UnknownNumber("no practice has the number that was written to; set its sms_number")
    return found


def accept_message(session: Session, channel: str, message: Inbound, now: datetime,
                   practice_id: str | None = None) -> bool:
    """Keep a patient's message; False if it was accepted before. Raises UnknownNumber.

    ``practice_id`` is given by channels that have no number of the practice's, such as the console.
    """
    practice = practice_id or practice_of(session, message.to)
    payload = dataclasses.asdict(message)
    accepted = inbox.accept(session, practice, channel, message.external_id, "message",
                            threads.of_address(practice, channel, message.sender), payload, now)
    hit("accept.stored")
    return accepted


def accept_receipt(session: Session, practice_id: str, channel: str, receipt: Receipt, error_kind: str,
                   now: datetime) -> bool:
    """Keep a delivery report; ``error_kind`` is the channel's verdict on its error code."""
    payload = {**dataclasses.asdict(receipt), "channel": channel, "error_kind": error_kind}
    thread = threads.of_message(receipt.outbox_id or f"{channel}:{receipt.provider_id}")
    accepted = inbox.accept(session, practice_id, f"{channel}-status", receipt.external_id, "receipt", thread, payload,
                            now)
    hit("accept.stored")
    return accepted


def accept_event(session: Session, practice_id: str, processor: str, event: PaymentEvent, now: datetime) -> bool:
    """Keep a processor's event about a payment."""
    thread = threads.of_payment(event.payment_id or event.session_ref or event.event_id)
    accepted = inbox.accept(session, practice_id, processor, event.event_id, "processor", thread, event_payload(event),
                            now)
    hit("accept.stored")
    return accepted


_EVENT = TypeAdapter(PaymentEvent)


def event_payload(event: PaymentEvent) -> dict[str, Any]:
    payload: dict[str, Any] = _EVENT.dump_python(event, mode="json")
    return payload


def event_of(payload: Mapping[str, Any]) -> PaymentEvent:
    """Return the event that ``event_payload`` wrote down."""
    return _EVENT.validate_python(payload)


async def keep(road: Road, fn: Callable[[Session], bool]) -> bool:
    """Run one of the functions above and commit; ring the bell of the receiving loop. Answer the sender after this."""
    accepted = await road.store.awrite(fn)
    hit("accept.committed")
    if accepted:
        road.wake.inbox.set()
    return accepted
