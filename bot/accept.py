"""What a webhook or the console hands in becomes an inbox row; the caller answers once this is committed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from bot import arrivals
from bot.arrivals import Arrival, Outcome
from bot.channels.base import Inbound, Receipt
from bot.failpoints import hit
from bot.processors.base import PaymentEvent
from bot.road import Road


class UnknownNumber(ValueError):
    """Something that came for no practice of ours; the message names no number."""


def accept_message(session: Session, channel: str, message: Inbound, now: datetime,
                   practice_id: str | None = None) -> bool:
    """Keep a patient's message; False if it was accepted before. Raises UnknownNumber.

    ``practice_id`` is given by channels that have no number of the practice's, such as the console.
    """
    return accept(session, arrivals.of_message(channel, message, now, practice_id))


def accept_receipt(session: Session, practice_id: str, channel: str, receipt: Receipt, error_kind: str,
                   now: datetime) -> bool:
    """Keep a delivery report; ``error_kind`` is the channel's verdict on its error code."""
    return accept(session, arrivals.of_receipt(channel, receipt, error_kind, now, practice_id=practice_id))


def accept_event(session: Session, practice_id: str, processor: str, event: PaymentEvent, now: datetime) -> bool:
    """Keep a processor's event about a payment."""
    return accept(session, arrivals.of_event(practice_id, processor, event, now))


def accept(session: Session, arrival: Arrival) -> bool:
    """Keep one thing in the caller's transaction; False if it was accepted before. Raises UnknownNumber."""
    return _is_new(arrivals.keep_one(session, arrival))


async def keep(road: Road, fn: Callable[[Session], bool]) -> bool:
    """Run one of the functions above and commit; ring the bell of the receiving loop. Answer the sender after this."""
    return _kept(road, await road.store.awrite(fn))


async def keep_soon(road: Road, arrival: Arrival) -> bool:
    """As ``keep`` with ``accept``, in one commit with whatever else arrives at this moment. Raises UnknownNumber."""
    outcome = await road.arrivals.give(road.store, arrival)
    if outcome == "busy":
        return await keep(road, partial(accept, arrival=arrival))
    return _kept(road, _is_new(outcome))


def _is_new(outcome: Outcome) -> bool:
    if outcome == "astray":
        raise UnknownNumber("no practice has the number that was written to; set its sms_number")
    return outcome == "kept"


def _kept(road: Road, new: bool) -> bool:
    hit("accept.committed")
    if new:
        road.wake.inbox.set()
    return new
