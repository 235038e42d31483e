"""What patients have asked about being reached: recorded as they said it, the newest of a kind counts.

Kinds: ``hours`` (own_hours.OwnHours) and ``way`` ({"way": text, paper, email, call; "only": bool}) bind the number,
as STOP does. ``confidential`` ({"on": bool}) is about one account at one number: nothing about it goes there of our
own accord (45 CFR 164.522(b)). ``telegram`` ({"accepted": bool}) is the answer to the warning about that network.
``place`` ({}) is where staff shall not call, such as at work (12 CFR 1006.6(b)(1)); its words say which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from billing.own_hours import OwnHours
from billing.phones import line_of
from billing.store import preference_queries as store
from billing.store.tables import Preference

HOURS, WAY, CONFIDENTIAL, TELEGRAM, PLACE = "hours", "way", "confidential", "telegram", "place"
KINDS = frozenset({HOURS, WAY, CONFIDENTIAL, TELEGRAM, PLACE})
WAYS = frozenset({"text", "paper", "email", "call"})


class PreferenceRefused(ValueError):
    """A wish of a kind, or with a value, that is not kept. No PHI in the text."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What holds now at one number, for one account on it."""

    hours: OwnHours | None = None
    hours_id: int | None = None
    way: str = "text"
    only: bool = False  # no bills by text beside ``way``
    way_id: int | None = None
    confidential_id: int | None = None


class Wished(Protocol):
    """What of a recorded wish is read to tell what holds; the table's rows have it, and those read without them."""

    @property
    def id(self) -> int: ...
    @property
    def guarantor_id(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> Any: ...


def record(session: Session, practice_id: str, channel: str, address_hash: str, *, kind: str,
           value: Mapping[str, Any], wording: str, recorded_by: str, now: datetime, guarantor_id: str | None = None,
           message_id: str | None = None) -> int:
    """Add a wish; return its id. Raises PreferenceRefused."""
    if kind not in KINDS or (kind == WAY and value.get("way") not in WAYS):
        raise PreferenceRefused(f"{kind!r} is no kind of preference, or its way is none of {', '.join(WAYS)}")
    if not wording.strip() or not recorded_by.strip():
        raise PreferenceRefused("a preference needs the words in which it was given, and who took it down")
    return store.add(session, Preference(
        practice_id=practice_id, guarantor_id=guarantor_id, channel=line_of(channel), address_hash=address_hash,
        kind=kind, value=dict(value), wording=wording.strip(), recorded_by=recorded_by, message_id=message_id, at=now))


def standing(session: Session, practice_id: str, channel: str, address_hash: str,
             guarantor_id: str | None = None) -> Wishes:
    """Derive what holds now."""
    return derive(store.wishes_at(session, practice_id, line_of(channel), address_hash), guarantor_id)


def derive(events: Sequence[Wished], guarantor_id: str | None) -> Wishes:
    """What the wishes recorded for one number, oldest first, come to."""
    hours, way = _newest(events, HOURS), _newest(events, WAY)
    mine = _newest([e for e in events if e.guarantor_id == guarantor_id], CONFIDENTIAL) if guarantor_id else None
    return Wishes(
        hours=OwnHours.from_json(hours.value) if hours and hours.value.get("spans") else None,
        hours_id=hours.id if hours else None, way=way.value["way"] if way else "text",
        only=bool(way and way.value.get("only")), way_id=way.id if way else None,
        confidential_id=mine.id if mine is not None and mine.value.get("on") else None)


def _newest(events: Sequence[Wished], kind: str) -> Wished | None:
    return next((event for event in reversed(events) if event.kind == kind), None)


def lift_confidential(session: Session, practice_id: str, guarantor_id: str, *, by: str, reason: str,
                      now: datetime) -> int:
    """A person has agreed with the patient that these numbers are right again; return at how many."""
    events = store.of_account(session, practice_id, guarantor_id)
    places = dict.fromkeys((e.channel, e.address_hash) for e in events if e.kind == CONFIDENTIAL)
    kept = [place for place in places if standing(session, practice_id, *place, guarantor_id).confidential_id]
    for channel, address_hash in kept:
        record(session, practice_id, channel, address_hash, kind=CONFIDENTIAL, value={"on": False}, wording=reason,
               recorded_by=by, now=now, guarantor_id=guarantor_id)
    return len(kept)
