"""What leaves when, in the coming weeks: what lies in the outbox, accounts whose turn in a campaign comes, campaigns
that begin or end, and whom the schedule of reminders could ask at most.

The last is a foresight by days alone: what is paid, stopped or refused by the gate until then does not leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.store import console_campaign_queries as store
from billing.store import policy_change_queries
from billing.store.tables import Campaign
from config.practice import PracticePolicy

DAYS = 35


@dataclass(frozen=True, slots=True)
class Entry:
    """``kind``: message (in the outbox), turn (accounts of a campaign), begins, ends (a campaign), reminder (accounts
    at most), policy (a change comes into force). ``what``: the message's purpose, the campaign's name, the step;
    ``way`` of a message; ``link_id``: of the campaign or the change.
    """

    kind: str
    what: str
    way: str
    count: int
    link_id: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    entries: list[Entry] = field(default_factory=list)


def load(session: Session, practice_id: str, policy: PracticePolicy, today: date) -> list[Day]:
    """Every day from ``today`` (practice-local), those without anything too."""
    days = [Day(today + timedelta(days=number)) for number in range(DAYS)]
    spans = [_span(day.on, policy) for day in days]
    for purpose, way, counts in store.waiting_messages(session, practice_id, spans):
        _spread(days, counts, "message", purpose, way, "")
    coming = {one.id: one for one in store.coming_campaigns(session, practice_id)}
    for campaign_id, counts in store.waiting_rows(session, practice_id, spans):
        if campaign_id in coming:
            _spread(days, counts, "turn", coming[campaign_id].name, "", campaign_id)
    by_day = {day.on: day for day in days}
    for campaign in coming.values():
        _milestones(by_day, campaign, policy)
    _reminders(session, practice_id, policy, by_day)
    for change in policy_change_queries.open_ones(session, practice_id):
        if change.status == "approved" and change.starts_on in by_day:
            by_day[change.starts_on].entries.append(Entry("policy", str(change.number), "", 0, change.id))
    return days


def _span(on: date, policy: PracticePolicy) -> tuple[datetime, datetime]:
    zone = ZoneInfo(policy.zone)
    return datetime.combine(on, time(), zone), datetime.combine(on + timedelta(days=1), time(), zone)


def _spread(days: list[Day], counts: list[int], kind: str, what: str, way: str, link_id: str) -> None:
    for day, count in zip(days, counts, strict=True):
        if count:
            day.entries.append(Entry(kind, what, way, count, link_id))


def _milestones(by_day: Mapping[date, Day], campaign: Campaign, policy: PracticePolicy) -> None:
    begins = campaign.not_before_at
    if begins is not None and (day := by_day.get(policy.local_day(begins))) is not None:
        day.entries.append(Entry("begins", campaign.name, "", (campaign.preview or {}).get("messages", 0), campaign.id))
    ends = (campaign.preview or {}).get("finishes_at") if campaign.status in ("sending", "paused") else None
    if ends and (day := by_day.get(policy.local_day(datetime.fromisoformat(ends)))) is not None:
        day.entries.append(Entry("ends", campaign.name, "", 0, campaign.id))


def _reminders(session: Session, practice_id: str, policy: PracticePolicy, by_day: Mapping[date, Day]) -> None:
    steps = policy.dunning.steps if policy.dunning is not None else ()
    if not steps:
        return
    first, last = min(by_day), max(by_day)
    due = store.statements_due(session, practice_id, first - timedelta(days=steps[-1].day),
                               last - timedelta(days=steps[0].day))
    for due_on, count in due:
        for one in steps:
            if (day := by_day.get(due_on + timedelta(days=one.day))) is not None:
                day.entries.append(Entry("reminder", one.name, "", count))
