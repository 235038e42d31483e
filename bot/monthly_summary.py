"""The manager's page by e-mail, once a month: figures of the whole practice, nobody's data.

Off until the practice's policy says otherwise (``console.monthly_summary``). What is queued is the practice's own
message to its own people, and leaves by the same gate as everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from billing import outbox
from billing.phones import address_hash
from billing.reports.shape import Report, Scope, scope_of
from billing.reports.summary import Earlier
from billing.store import practices, road_queries, trail
from bot import report_content
from bot.road import Road
from config.practice import PracticePolicy
from templates import manager_mail

TEMPLATE = "manager_summary"


@dataclass(frozen=True, slots=True)
class Due:
    """A month whose page somebody has not got yet. ``to``: (staff id, e-mail)."""

    practice_id: str
    policy: PracticePolicy
    scope: Scope
    to: tuple[tuple[str, str], ...]


async def send_summaries(road: Road) -> int:
    """Queue last month's page for each manager who has not got it; return how many. Any number of times."""
    queued = 0
    for practice_id in await road.store.aread(practices.every):
        due = await road.store.aread(partial(_due, practice_id=practice_id, now=road.clock.now()))
        if due is None:
            continue
        made, earlier = await road.store.aread(partial(report_content.make, name=report_content.ALL, scope=due.scope))
        queued += await road.store.awrite(partial(_queue, due=due, made=made, earlier=earlier, now=road.clock.now()))
    if queued:
        road.wake.outbox.set()
    return queued


def _due(session: Session, practice_id: str, now: datetime) -> Due | None:
    row = practices.find_practice(session, practice_id)
    policy = practices.policy_of(row) if row is not None and row.configured else None
    if policy is None or not policy.console.monthly_summary or policy.mail is None:
        return None
    today = policy.local_day(now)
    last = today.replace(day=1) - timedelta(days=1)
    to = tuple((one.id, one.email) for one in practices.list_staff(session, practice_id)
               if one.active and one.role == "manager" and one.email
               and road_queries.find_message(session, practice_id, _key(last, one.id)) is None)
    return Due(practice_id, policy, scope_of(practice_id, policy, last.replace(day=1), last, today), to) if to else None


def _queue(session: Session, due: Due, made: Sequence[Report], earlier: dict[str, Earlier], now: datetime) -> int:
    content = report_content.content(due.policy, due.scope, made, earlier, "plainbill")
    words = manager_mail.words(content)
    report_content.keep(session, due.scope, made, "plainbill", now)
    for staff_id, address in due.to:
        outbox.put(session, outbox.Draft(
            due.practice_id, "email", address, address_hash(due.practice_id, "email", address), "staff", TEMPLATE,
            words.version, "en", "open", words.body, 1, _key(due.scope.to_on, staff_id), subject=words.subject), now)
        trail.note(session, due.practice_id, "plainbill", "export", "report", "summary", now,
                   f"e-mailed to {staff_id}")
    return len(due.to)


def _key(last: date, staff_id: str) -> str:
    return f"summary:{last:%Y-%m}:{staff_id}"
