"""What undoing an opening import takes back besides transfers, visits and numbers: its holds, its plans and
what it put with an agency.

Opt-outs stay: nobody who refused messages is written to again because a file was wrong.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import holds, opening_placements, opening_plans, opening_release
from billing.opening_posting import source_of, standings_of
from billing.plan_staff import end
from billing.store import opening_queries as store
from billing.store import plan_queries

WHY = "import undone"


def end_what_runs(session: Session, practice_id: str, import_id: str, *, currency: str, actor: str, today: date,
                  now: datetime) -> None:
    """Before the money goes: a plan whose visits are gone would pass for one that is paid, and an agency would go on
    asking for what nobody owes.
    """
    opening_placements.take_back(session, practice_id, import_id, currency=currency, by=actor, why=WHY, on=today,
                                 now=now)
    for plan_id in opening_plans.taken_back(session, practice_id, import_id):
        plan = plan_queries.lock(session, plan_id)
        if plan is not None:
            end(session, plan, actor, WHY, now)


def end_holds(session: Session, practice_id: str, import_id: str, *, actor: str, now: datetime) -> None:
    sources = (source_of(import_id), standings_of(import_id))
    for hold in store.open_holds(session, practice_id, sources):
        holds.release(session, practice_id, hold.id, released_by=actor, reason=WHY, now=now)
    store.mark_released(session, import_id, actor, now)
    opening_release.close_case(session, practice_id, import_id, by=actor, why=WHY, now=now)
