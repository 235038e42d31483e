"""The ledger of record: whose ledger decides. When it is another system's, ours only follows it.

Nothing is demanded or charged on balances older than ``stale_after_business_days`` (issue 2, "Ledger of record").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.calendar import is_federal_holiday
from billing.store import record_queries as store
from config.practice import PracticePolicy

OURS = "plainbill"


def is_stale(session: Session, practice_id: str, policy: PracticePolicy, now: datetime) -> bool:
    """Tell whether another system's balances are too old, or were never imported, to act on."""
    if policy.ledger_of_record == OURS:
        return False
    as_of_at = store.newest_balances(session, practice_id)
    return as_of_at is None or business_days_since(as_of_at, now, policy) > policy.stale_after_business_days


def business_days_since(then: datetime, now: datetime, policy: PracticePolicy) -> int:
    """Whole business days (Monday to Friday, no federal holiday; practice-local) that have begun after ``then``'s."""
    zone = ZoneInfo(policy.zone)
    day, today, count = then.astimezone(zone).date(), now.astimezone(zone).date(), 0
    while day < today and count <= policy.stale_after_business_days:
        day += timedelta(days=1)
        count += day.weekday() < 5 and not is_federal_holiday(day)
    return count
