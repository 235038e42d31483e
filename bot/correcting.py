"""A reviewed correction on its way, through the same door as any message."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, corrections, figures
from billing.store.tables import Correction
from bot.demanding import Demand, queue_demand
from bot.road import Road
from config.dunning_policy import EVERY_WAY
from config.practice import PracticePolicy

TEMPLATE = "correction"


def tell(session: Session, road: Road, policy: PracticePolicy, correction_id: str, practice_id: str, *, by: str,
         note: str, now: datetime) -> Correction:
    """Review a correction and queue its message, with a new statement behind its link where something is due. What no
    way leads to is left to staff as a case. Raises corrections.CorrectionRefused, staff.StaffRefused.
    """
    account_id = corrections.find(session, practice_id, correction_id).guarantor_id
    account = figures.account_figures(session, account_id, policy.local_day(now))
    row = corrections.review(session, practice_id, correction_id, due_minor=account.total.due_now_minor, by=by,
                             note=note, policy=policy, now=now)
    due = account.total.due_now_minor > 0
    line = queue_demand(session, road, policy, row.guarantor_id, Demand(
        "notice", TEMPLATE, f"correction:{row.id}", EVERY_WAY, fresh_statement=due,
        about=None if due else {"url": None}), now, account)
    row.message_id = line.message_id
    row.status = corrections.UNTOLD if line.outcome in ("none", "withheld") else corrections.TOLD
    session.flush()
    if row.status == corrections.UNTOLD:
        cases.open_case(session, practice_id, kind="news_untold", title="Tell a patient: an amount was put right",
                        detail=f"correction {row.id}: {line.rule or line.reason}", now=now,
                        dedupe=f"news_untold:correction:{row.id}", guarantor_id=row.guarantor_id)
    return row
