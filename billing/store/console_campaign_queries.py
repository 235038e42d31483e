"""SQL of the console's campaigns: pages of them with how far each has come, and what leaves on which day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from billing.store.tables import Campaign, CampaignRow, Guarantor, Outbox, Segment, Statement


def campaign(session: Session, practice_id: str, campaign_id: str) -> Campaign | None:
    return session.scalar(select(Campaign).where(Campaign.practice_id == practice_id, Campaign.id == campaign_id))


def segment(session: Session, practice_id: str, segment_id: str) -> Segment | None:
    return session.scalar(select(Segment).where(Segment.practice_id == practice_id, Segment.id == segment_id))


def newest_segments(session: Session, practice_id: str, after: str = "", most: int | None = None) -> Sequence[Segment]:
    """The newest version of each name, by name, from behind ``after``."""
    newest = select(Segment.name, func.max(Segment.version).label("version")).where(
        Segment.practice_id == practice_id, Segment.name > after).group_by(Segment.name).subquery()
    return session.scalars(select(Segment).join(newest, (newest.c.name == Segment.name) & (
        newest.c.version == Segment.version)).where(Segment.practice_id == practice_id)
                           .order_by(Segment.name).limit(most)).all()


def page(session: Session, practice_id: str, before: int | None, most: int) -> list[tuple[Campaign, str, int]]:
    """(campaign, its segment's name and version), newest first; ``before``: the number of the last one shown."""
    query = select(Campaign, Segment.name, Segment.version).join(Segment, Segment.id == Campaign.segment_id).where(
        Campaign.practice_id == practice_id)
    if before is not None:
        query = query.where(Campaign.number < before)
    return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Campaign.number.desc()).limit(most))]


def row_counts(session: Session, campaign_ids: Sequence[str]) -> Mapping[str, dict[str, int]]:
    """Accounts by campaign and what became of them."""
    return _grouped(session.execute(select(CampaignRow.campaign_id, CampaignRow.outcome, func.count()).where(
        CampaignRow.campaign_id.in_(campaign_ids)).group_by(CampaignRow.campaign_id, CampaignRow.outcome)).all())


def message_counts(session: Session, campaign_ids: Sequence[str]) -> Mapping[str, dict[str, int]]:
    """Messages by campaign and state."""
    return _grouped(session.execute(select(Outbox.campaign_id, Outbox.status, func.count()).where(
        Outbox.campaign_id.in_(campaign_ids)).group_by(Outbox.campaign_id, Outbox.status)).all())


def _grouped(rows: Iterable[Row[Any, Any, int]]) -> Mapping[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for campaign_id, what, number in rows:
        found[campaign_id][what] = number
    return found


def accounts(session: Session, practice_id: str, ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """(id, number, name) of these accounts, in their order."""
    found = {row.id: (row.id, row.external, row.name) for row in session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, Guarantor.id.in_(ids)))}
    return [found[one] for one in ids if one in found]


def coming_campaigns(session: Session, practice_id: str) -> Sequence[Campaign]:
    """What has not ended."""
    return session.scalars(select(Campaign).where(
        Campaign.practice_id == practice_id, Campaign.status.in_(("previewed", "approved", "sending", "paused")))
        .order_by(Campaign.number)).all()


def waiting_messages(session: Session, practice_id: str, days: Sequence[tuple[datetime, datetime]],
                     ) -> list[tuple[str, str, list[int]]]:
    """(purpose, way, how many are due on each day); what is overdue counts for the first one. Every span in UTC."""
    counts = [func.count().filter(Outbox.due_at < end) if number == 0 else
              func.count().filter(Outbox.due_at >= begin, Outbox.due_at < end)
              for number, (begin, end) in enumerate(days)]
    rows = session.execute(select(Outbox.purpose, Outbox.channel, *counts).where(
        Outbox.practice_id == practice_id, Outbox.status.in_(("queued", "claimed", "deferred")),
        Outbox.due_at < days[-1][1]).group_by(Outbox.purpose, Outbox.channel)
        .order_by(Outbox.purpose, Outbox.channel))
    return [(row[0], row[1], [int(one) for one in row[2:]]) for row in rows]


def waiting_rows(session: Session, practice_id: str, days: Sequence[tuple[datetime, datetime]],
                 ) -> list[tuple[str, list[int]]]:
    """(campaign, accounts whose turn is on each day)."""
    counts = [func.count().filter(CampaignRow.due_at < end) if number == 0 else
              func.count().filter(CampaignRow.due_at >= begin, CampaignRow.due_at < end)
              for number, (begin, end) in enumerate(days)]
    rows = session.execute(select(CampaignRow.campaign_id, *counts).where(
        CampaignRow.practice_id == practice_id, CampaignRow.outcome == "waiting", CampaignRow.due_at < days[-1][1])
        .group_by(CampaignRow.campaign_id))
    return [(row[0], [int(one) for one in row[1:]]) for row in rows]


def statements_due(session: Session, practice_id: str, since: date, until: date) -> list[tuple[date, int]]:
    """Accounts by the due day of their newest statement."""
    newest = select(func.max(Statement.number).label("number")).where(
        Statement.practice_id == practice_id).group_by(Statement.guarantor_id).subquery()
    rows = session.execute(
        select(Statement.due_on, func.count()).join(newest, newest.c.number == Statement.number)
        .where(Statement.practice_id == practice_id, Statement.due_on >= since, Statement.due_on <= until)
        .group_by(Statement.due_on).order_by(Statement.due_on))
    return [(row[0], int(row[1])) for row in rows]
