"""The accounts of a campaign that sends, one row each, and whose turn it is: at their own hour, no further ahead than
the carriers' caps have room for (T-16).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import carrier_caps, segments
from billing.policy.hours import next_legal
from billing.store import campaign_queries as store
from billing.store import window_queries
from billing.store.tables import Campaign, CampaignRow, Segment
from billing.zones import candidate_zones
from config.practice import PracticePolicy

WAITING, QUEUED, LEFT_OUT, STOPPED = "waiting", "queued", "left_out", "stopped"

AHEAD = timedelta(minutes=2)
"""For so long the outbox holds enough to keep the caps busy; the rest waits here and is read again at its moment."""

FEWEST_AHEAD, MOST_AHEAD = 20, 500

_TEXTS = ("sms", "telegram")


def lay_out(session: Session, campaign: Campaign, today: date, now: datetime) -> int:
    """Make the rows of everybody who is in the segment on ``today``; return how many there are. Twice does nothing."""
    segment = session.get_one(Segment, campaign.segment_id)
    due_at = max(campaign.not_before_at or now, now)
    return store.lay_out(session, campaign, segment, segments.parse(segment.definition), today, due_at)


def feed(session: Session, campaign_id: str, policy: PracticePolicy, now: datetime) -> Sequence[int]:
    """Rows whose turn it is, in account order, as many as there is room for; none while the run is not sending."""
    if store.status_of(session, campaign_id) != "sending":
        return ()
    return store.due(session, campaign_id, now, room(session, campaign_id, policy, now))


def room(session: Session, campaign_id: str, policy: PracticePolicy, now: datetime) -> int:
    """How many more messages the outbox may hold ahead of the caps. What waits for its hour or day does not count,
    what waits for a cap does.
    """
    rates = [rate for rate in (policy.carrier.per_minute, _texts_a_minute(policy)) if rate is not None]
    ahead = min(rates) * int(AHEAD.total_seconds()) // 60 if rates else MOST_AHEAD
    ahead = max(FEWEST_AHEAD, min(ahead, MOST_AHEAD))
    return max(ahead - store.ahead(session, campaign_id, now + AHEAD), 0)


def _texts_a_minute(policy: PracticePolicy) -> int | None:
    """Of the number itself, at two segments to a text."""
    per_second = policy.carrier.segments_per_second
    return None if per_second is None else 30 * per_second


def take(session: Session, row_id: int, now: datetime) -> CampaignRow | None:
    """Lock one row to work it; None: it is worked already, another worker has it, or the run does not send now."""
    row = store.lock_row(session, row_id)
    if row is None or row.outcome != WAITING or row.due_at > now:
        return None
    return row if store.fresh(session, row.campaign_id).status == "sending" else None


def opens_at(session: Session, row: CampaignRow, campaign: Campaign, policy: PracticePolicy, now: datetime) -> datetime:
    """When the account's turn is: in its own hours for texts, on a day on which its carrier has room left. ``now``: it
    is now, or its first way knows neither.
    """
    if not campaign.ways or campaign.ways[0] not in _TEXTS:
        return now
    place = store.place_of(session, row.guarantor_id)
    if place is None:
        return now
    zones = candidate_zones(address_zone=place.zone, region=place.region, postal_code=place.postal_code,
                            phone=place.phone, practice_zone=policy.zone)
    # No legal moment in two weeks: the gate says so at once, with its reason.
    legal = next_legal(policy.text_window, place.region, tuple(dict.fromkeys(z.name for z in zones)), now) or now
    return legal if legal > now else _day_with_room(session, campaign, place.carrier, policy, now)


def _day_with_room(session: Session, campaign: Campaign, carrier: str, policy: PracticePolicy, now: datetime,
                   ) -> datetime:
    """Tomorrow (the carrier's) when today's cap is used up; in a minute while what is ahead of us will use it up."""
    share = 100 - policy.carrier.kept_for_replies
    for window in carrier_caps.windows(policy.carrier, practice_id=campaign.practice_id, carrier=carrier, segments=1,
                                       number=policy.sms_number or "", now=now):
        if not window.key.startswith("day:"):
            continue
        limit = max(window.limit * share // 100, 1)
        used = window_queries.used(session, window.key, window.begins_at)
        if used >= limit:
            return window.ends_at
        if used + store.ahead(session, campaign.id, now + AHEAD) >= limit:
            return now + timedelta(minutes=1)
    return now


def reopen(session: Session, campaign_id: str, now: datetime) -> int:
    """Accounts whose message was cancelled because the balance moved wait again: asked anew, with what is due then."""
    moved = store.moved_rows(session, campaign_id)
    for row in moved:
        row.outcome, row.outbox_id, row.due_at, row.worked_at = WAITING, None, now, None
    session.flush()
    return len(moved)


def times_cancelled(session: Session, row: CampaignRow) -> int:
    """How often a message to the account was cancelled, if none of them can have left; otherwise 0."""
    statuses = store.statuses_of(session, row.campaign_id, row.guarantor_id)
    return len(statuses) if set(statuses) == {"cancelled"} else 0


def put_off(row: CampaignRow, until: datetime) -> None:
    """Its turn comes later."""
    row.due_at = until


def settle(row: CampaignRow, outcome: str, *, rule: str, reason: str, due_minor: int, outbox_id: str | None,
           now: datetime) -> None:
    """Write down what became of the account."""
    row.outcome, row.rule, row.reason = outcome, rule[:40], reason[:300]
    row.due_minor, row.outbox_id, row.worked_at = due_minor, outbox_id, now


def statement_stands(session: Session, guarantor_id: str) -> bool:
    """Whether the account had a statement that is not known to have failed: no reminder comes before one."""
    return store.statement_stands(session, guarantor_id)
