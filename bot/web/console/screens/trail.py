"""The audit trail: who saw or did what, when and why (T-36: 45 CFR 164.312(b)). Reading it is in it too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import csv_cells
from billing.store import console_people_queries as store
from bot.web.console.fields import Day, Maybe
from bot.web.console.table import VIAS, Asked, Download, File, Form, Seen, View

PAGE, MOST = 100, 50_000
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    reason: str
    page: str  # of a look: the view's name
    via: str  # of one person's page that was opened: out of which work, or direct


@dataclass(frozen=True, slots=True)
class Trail:
    """``next_before``: where the next page begins; None at the end."""

    entries: list[Entry]
    next_before: int | None
    actions: list[str]


class Query(Form):
    """Practice-local days, both included."""

    actor: Code = ""
    action: Code = ""
    object_id: Code = ""
    since_on: Maybe[Day] = None
    until_on: Maybe[Day] = None
    before: int | None = Field(default=None, ge=1)


def read(session: Session, asked: Asked[Query]) -> Trail:
    rows = _rows(session, asked, PAGE + 1)
    more = rows[PAGE - 1].number if len(rows) > PAGE else None
    return Trail(rows[:PAGE], more, list(store.actions(session, asked.practice_id)))


def export(session: Session, asked: Asked[Query]) -> list[Entry]:
    return _rows(session, asked, MOST)


def as_csv(entries: list[Entry], asked: Asked[Query]) -> File:
    made = csv_cells.whole(("number", "at_utc", "actor", "action", "object_kind", "object_id", "reason"), [
        (one.number, one.at.isoformat(), one.actor, one.action, one.object_kind, one.object_id, one.reason)
        for one in entries])
    return File("audit-trail.csv", "text/csv; charset=utf-8", made.encode())


def _rows(session: Session, asked: Asked[Query], most: int) -> list[Entry]:
    query, zone = asked.query, ZoneInfo(asked.policy.zone)
    since = datetime.combine(query.since_on, time(), zone) if query.since_on else None
    until = datetime.combine(query.until_on + timedelta(days=1), time(), zone) if query.until_on else None
    return [Entry(row.id, row.at, row.actor, row.action, row.object_kind, row.object_id, row.reason,
                  *_look(row.reason))
            for row in store.trail(session, asked.practice_id, actor=query.actor, action=query.action,
                                   object_id=query.object_id, before=query.before, since=since, until=until,
                                   most=most)]


def _look(reason: str) -> tuple[str, str]:
    """(page, via) as bot/web/console/traces.py writes them; both empty for a reason that somebody gave."""
    said, _, via = reason.partition(": ")
    page = said.removeprefix("console ")
    known = said != page and page.isidentifier() and via in {"", "direct", *VIAS}
    return (page, via) if known else ("", "")


VIEWS = (
    View("trail", "/trail", "audit", read, Trail, Query, lambda found: Seen("audit", "trail")),
    Download("trail_csv", "/trail.csv", "audit", export, as_csv, Query, lambda found: Seen("audit", "trail")),
)
ACTIONS = ()
