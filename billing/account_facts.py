"""The account's side of a ruling: what is due, why some of it cannot be asked for, how fresh the books are."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import record
from billing.figures import AccountFigures, VisitFigures, account_figures
from billing.policy.core import AccountFacts, HoldFact
from billing.store import facts as store
from config.practice import PracticePolicy


def account_facts(session: Session, practice_id: str, policy: PracticePolicy, guarantor_id: str, now: datetime, *,
                  in_flight: bool, language_met: bool = True) -> AccountFacts:
    """Read an account as it is now. ``in_flight``: a payment of it is on its way."""
    today = now.astimezone(ZoneInfo(policy.zone)).date()
    figures = account_figures(session, guarantor_id, today)
    return facts_of(figures, unfinished=store.import_running(session, practice_id),
                    stale=record.is_stale(session, practice_id, policy, now), in_flight=in_flight,
                    language_met=language_met)


def facts_of(figures: AccountFigures, *, unfinished: bool, stale: bool, in_flight: bool,
             language_met: bool) -> AccountFacts:
    """As ``account_facts``, of figures that are there; ``unfinished``: an import of the practice runs."""
    return AccountFacts(
        due_now_minor=figures.total.due_now_minor, pending_minor=figures.total.pending_minor,
        on_plan_minor=figures.total.on_plan_minor, credit_minor=figures.total.credit_minor,
        balance_version=figures.balance_version,
        due_visits=tuple((v.visit_id, v.figures.due_now_minor) for v in figures.visits if v.figures.due_now_minor > 0),
        payable_visits=tuple((v.visit_id, v.figures.due_now_minor + v.figures.on_plan_minor) for v in figures.visits
                             if v.figures.due_now_minor + v.figures.on_plan_minor > 0),
        pending_visits=tuple(v.visit_id for v in figures.visits if _pending(v)),
        confidential_visits=tuple(v.visit_id for v in figures.visits if v.confidential),
        negative_pending=any(v.figures.patient_minor < 0 for v in figures.visits), holds=_holds(figures),
        unfinished_import=unfinished, stale=stale,
        payment_in_flight=in_flight, language_met=language_met)


def _pending(visit: VisitFigures) -> bool:
    return any(c.status == "pending" for c in visit.coverages)


def _holds(figures: AccountFigures) -> tuple[HoldFact, ...]:
    every = [*figures.account_holds, *(hold for visit in figures.visits for hold in visit.holds)]
    return tuple(HoldFact(h.kind, h.visit_id, h.hold_id) for h in every)
