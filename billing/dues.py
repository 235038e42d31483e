"""What may be asked for now, visit by visit: the amounts that payments are checked against and spread over."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.figures import AccountFigures, account_figures
from billing.store import payment_queries


def due_visits(session: Session, practice_id: str, guarantor_id: str, now: datetime) -> list[tuple[str, int]]:
    """(visit id, cents due now), oldest service first; visits without anything due are left out."""
    return due_of(account_figures(session, guarantor_id, local_day(session, practice_id, now)))


def due_of(account: AccountFigures) -> list[tuple[str, int]]:
    """As ``due_visits``, of an account that was read just now."""
    due = [v for v in account.visits if v.figures.due_now_minor > 0]
    due.sort(key=lambda v: (v.service_on or date.max, v.visit_id))
    return [(v.visit_id, v.figures.due_now_minor) for v in due]


def local_day(session: Session, practice_id: str, at: datetime) -> date:
    """The practice's own calendar day of an instant."""
    row = payment_queries.practice(session, practice_id)
    return at.astimezone(ZoneInfo(row.zone if row else "UTC")).date()
