"""What a channel or a processor brings, on its way into the inbox: whose it is, and in which lane it is worked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from billing import inbox, threads
from billing.store import road_queries
from bot.channels.base import Inbound, Receipt
from bot.failpoints import hit
from bot.processors.base import PaymentEvent

Outcome = Literal["kept", "known", "busy", "astray"]
"""As the inbox says; or astray: of no practice of ours."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that was brought. ``practice_id`` where it is known already; else the practice is the one that sent
    ``outbox_id``, or texts from ``number``.
    """

    source: str
    external_id: str
    kind: str
    payload: Mapping[str, Any] = field(repr=False)
    thread: Callable[[str], str] = field(repr=False)  # of the practice's id
    at: datetime
    practice_id: str = ""
    outbox_id: str = ""
    number: str = field(default="", repr=False)


def of_message(channel: str, message: Inbound, now: datetime, practice_id: str | None = None) -> Arrival:
    """A patient's message; ``practice_id`` is given by channels that have no number of the practice's."""
    return Arrival(channel, message.external_id, "message", _fields(message),
                   lambda practice: threads.of_address(practice, channel, message.sender), now, practice_id or "",
                   number=message.to)


def of_receipt(channel: str, receipt: Receipt, error_kind: str, now: datetime, *, practice_id: str = "",
               number: str = "") -> Arrival:
    """A delivery report; ``error_kind`` is the channel's verdict on its error code, ``number`` ours."""
    thread = threads.of_message(receipt.outbox_id or f"{channel}:{receipt.provider_id}")
    return Arrival(f"{channel}-status", receipt.external_id, "receipt",
                   {**_fields(receipt), "channel": channel, "error_kind": error_kind}, lambda _: thread, now,
                   practice_id, receipt.outbox_id, number)


def of_event(practice_id: str, processor: str, event: PaymentEvent, now: datetime) -> Arrival:
    """A processor's event about a payment."""
    thread = threads.of_payment(event.payment_id or event.session_ref or event.event_id)
    return Arrival(processor, event.event_id, "processor", event_payload(event), lambda _: thread, now, practice_id)


def _fields(given: Inbound | Receipt) -> dict[str, Any]:
    return {name: getattr(given, name) for name in given.__slots__}


_EVENT = TypeAdapter(PaymentEvent)


def event_payload(event: PaymentEvent) -> dict[str, Any]:
    payload: dict[str, Any] = _EVENT.dump_python(event, mode="json")
    return payload


def event_of(payload: Mapping[str, Any]) -> PaymentEvent:
    """Return the event that ``event_payload`` wrote down."""
    return _EVENT.validate_python(payload)


def keep_all(session: Session, arrivals: Sequence[Arrival]) -> list[Outcome]:
    """Put each into the inbox once, and say what became of it."""
    placed = [(one, practice) for one, practice in zip(arrivals, _practices(session, arrivals), strict=True)]
    found = iter(inbox.accept_all(session, [_entry(one, practice) for one, practice in placed if practice]))
    outcomes: list[Outcome] = [next(found) if practice else "astray" for _, practice in placed]
    for _ in arrivals:
        hit("accept.stored")
    return outcomes


def keep_one(session: Session, arrival: Arrival) -> Outcome:
    """As ``keep_all``, and wait where another transaction is adding to its thread."""
    practice, = _practices(session, (arrival,))
    outcome: Outcome = "astray"
    if practice:
        outcome = "kept" if inbox.accept_one(session, _entry(arrival, practice)) else "known"
    hit("accept.stored")
    return outcome


def _practices(session: Session, arrivals: Sequence[Arrival]) -> list[str | None]:
    senders = road_queries.practices_of_messages(
        session, {one.outbox_id for one in arrivals if one.outbox_id and not one.practice_id})
    homeless = [one for one in arrivals if not one.practice_id and one.outbox_id not in senders]
    numbers = road_queries.practices_of_numbers(session, {one.number for one in homeless if one.number})
    return [one.practice_id or senders.get(one.outbox_id) or numbers.get(one.number) for one in arrivals]


def _entry(one: Arrival, practice_id: str) -> inbox.Entry:
    return inbox.Entry(practice_id, one.source, one.external_id, one.kind, one.thread(practice_id), one.payload, one.at)
