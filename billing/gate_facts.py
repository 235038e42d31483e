"""What the gate reads about whom a message reaches and in which capacity we write: small readings, one fact each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import taken_as_left
from billing.policy.collector import capacity_of
from billing.policy.core import DEMANDS
from billing.policy.household import WEEK
from billing.store import household_queries as store
from billing.store import road_queries
from billing.store.tables import Outbox
from config.practice import PracticePolicy


def recipient_facts(session: Session, row: Outbox, policy: PracticePolicy, now: datetime) -> dict[str, Any]:
    """The fields of core.RecipientFacts that are about capacity, household, contact points and pilot."""
    collector = capacity(session, row) == "collector"
    points = store.points(session, row.practice_id, row.address_hash, row.guarantor_id)
    return {
        "capacity": "collector" if collector else "creditor",
        "household_at": household_at(session, row, now),
        "demanded_at": demanded_at(session, row, now),
        "contact_status": _contact_status(points), "at_work": any(one.at_work for one in points),
        "reassigned_age": _reassigned_age(points, policy, now), "texted_age": _texted_age(session, row, now),
        "pilot": is_pilot(session, row, policy),
        "contacted": collector and row.guarantor_id is not None and store.left_before(
            session, row.guarantor_id, row.id),
        "validated_at": store.validated_at(session, row.guarantor_id, row.id)
        if collector and row.guarantor_id is not None else None,
    }


def capacity(session: Session, row: Outbox) -> str:
    """The account's; where none is named, collector only if every account at the address is a collector's."""
    found = store.debtors(session, row.practice_id, row.guarantor_id, row.address_hash)
    each = {capacity_of(one.capacity, one.defaulted_on, one.obtained_on) for one in found}
    return "collector" if each == {"collector"} else "creditor"


def is_capped(row: Outbox) -> bool:
    """Whether the household's caps hold this message back: they are read for no other."""
    return row.purpose in DEMANDS or row.campaign_id is not None


def lock_households(session: Session, rows: Sequence[Outbox]) -> None:
    """No two workers weigh messages to one household at once: both would find that none has left yet."""
    own = store.hashes_of(session, {row.guarantor_id for row in rows if row.guarantor_id is not None})
    road_queries.lock_household(session, sorted({*own, *(row.address_hash for row in rows)}))


def household_at(session: Session, row: Outbox, now: datetime) -> tuple[datetime, ...]:
    if not is_capped(row):
        return ()
    hashes = store.household(session, row.practice_id, row.guarantor_id, row.address_hash)
    left = store.unasked_since(session, row.practice_id, hashes, row.id, now)
    return with_unseen(left, _heard(session, row.practice_id, hashes), now)


def demanded_at(session: Session, row: Outbox, now: datetime) -> datetime | None:
    if not is_capped(row) or row.guarantor_id is None:
        return None
    heard = _heard(session, row.practice_id, None, row.guarantor_id)
    return newest(store.demanded_at(session, row.guarantor_id, row.id), heard, now)


def _heard(session: Session, practice_id: str, hashes: Sequence[str] | None, guarantor_id: str = "",
           ) -> tuple[datetime, ...]:
    """When these addresses, or the account's, count as told by messages that no row tells of."""
    said = taken_as_left.moments(session, practice_id)
    if not said:
        return ()
    here = store.hashes_of(session, {guarantor_id}) if hashes is None else hashes
    return taken_as_left.heard(said, set().union(*store.channels_at(session, practice_id, here).values()))


def with_unseen(left: Sequence[datetime], heard: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """When a household heard from us in the last seven days; ``heard``: when it counts as told."""
    return tuple(sorted([*left, *(at for at in heard if now - WEEK < at <= now)]))


def newest(demanded: datetime | None, heard: Sequence[datetime], now: datetime) -> datetime | None:
    """When the newest demand left; ``heard``: when the account counts as told. Another day's now knows no later moment.
    """
    moments = [at for at in heard if at <= now]
    return max([*moments, demanded] if demanded is not None else moments, default=None)


def is_pilot(session: Session, row: Outbox, policy: PracticePolicy) -> bool:
    if policy.sending != "pilot" or not policy.pilot_accounts:
        return False
    named = set(policy.pilot_accounts)
    return bool(named & set(store.externals(session, row.practice_id, row.guarantor_id, row.address_hash)))


def _texted_age(session: Session, row: Outbox, now: datetime) -> timedelta | None:
    at = store.last_inbound_at(session, row.practice_id, row.address_hash)
    return now - at if at is not None else None


def _contact_status(points: Sequence[store.PointFacts]) -> str:
    """A number may be wrong for one account and right for another; one right account is enough where none is named."""
    found = {one.status for one in points}
    if "ok" in found or not found:
        return "ok"
    return "wrong_number" if "wrong_number" in found else "unreachable"


def _reassigned_age(points: Sequence[store.PointFacts], policy: PracticePolicy, now: datetime) -> timedelta | None:
    """The newest check for a new owner counts."""
    checked = max((one.checked_on for one in points if one.checked_on is not None), default=None)
    at = datetime.combine(checked, time(), ZoneInfo(policy.zone)).astimezone(UTC) if checked is not None else None
    return now - at if at is not None else None
