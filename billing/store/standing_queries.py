"""SQL of what stands against accounts and visits, one or thousands: open holds, running plans, imports under way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, Rows, ask_together, given, one_of, prepared
from billing.store.tables import Hold, ImportRun, Instalment, Plan, PlanVisit, Transfer, Visit

#: Plans in these states say when their visits are due (billing/plan_status.py: RUNNING).
ON_PLAN = ("active", "behind", "cured", "paused")


@dataclass(frozen=True, slots=True)
class HoldFacts:
    hold_id: str
    visit_id: str | None
    kind: str
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A running plan: its visits, oldest service first, and what is open of each instalment, in cents by due day."""

    plan_id: str
    paused: bool
    visit_ids: tuple[str, ...]
    instalments: tuple[tuple[date, int], ...]

    def due_minor(self, today: date) -> int:
        """Open cents of the instalments whose day has come; a paused plan asks for nothing."""
        return 0 if self.paused else sum(minor for due_on, minor in self.instalments if due_on <= today)


@prepared
def open_holds() -> Query:
    return select(Hold.guarantor_id, Hold.id, Hold.visit_id, Hold.kind, Hold.amount_minor).where(
        one_of(Hold.guarantor_id, "ids"), Hold.released_at.is_(None)).order_by(Hold.id)


def holds(session: Session, ids: Collection[str]) -> dict[str, list[HoldFacts]]:
    """Open holds by account."""
    return holds_by_account(open_holds(session, ids=ids))


def holds_by_account(rows: Rows) -> dict[str, list[HoldFacts]]:
    """Of the rows of ``open_holds``."""
    return _grouped((guarantor_id, HoldFacts(*hold)) for guarantor_id, *hold in rows)


@prepared
def imports_under_way() -> Query:
    return select(ImportRun.id).where(ImportRun.practice_id == given("practice_id"), ImportRun.status == "posting")


@prepared
def _posted_by() -> Query:
    return select(Transfer.visit_id).where(one_of(Transfer.visit_id, "visit_ids"), one_of(Transfer.import_id, "runs"))


def running_imports(session: Session, practice_id: str) -> list[str]:
    """The practice's imports that are still under way."""
    return [row[0] for row in imports_under_way(session, practice_id=practice_id)]


def unfinished(session: Session, runs: Collection[str], visit_ids: Collection[str]) -> set[str]:
    """Visits that these imports, still under way, have posted to: dunning ignores them (DESIGN.md, "Large files")."""
    return {row[0] for row in _posted_by(session, visit_ids=visit_ids, runs=runs)} if runs else set()


@prepared
def plans_running() -> Query:
    return (select(PlanVisit.visit_id, Plan.id, Plan.status).join(Plan, Plan.id == PlanVisit.plan_id)
            .where(one_of(PlanVisit.visit_id, "visit_ids"), Plan.status.in_(ON_PLAN)).order_by(Plan.id))


@prepared
def _members() -> Query:
    return (select(PlanVisit.plan_id, Visit.id).join(Visit, Visit.id == PlanVisit.visit_id)
            .where(one_of(PlanVisit.plan_id, "plan_ids")).order_by(Visit.service_from_on, Visit.id))


@prepared
def _parts() -> Query:
    return (select(Instalment.plan_id, Instalment.due_on, Instalment.amount_minor - Instalment.paid_minor)
            .where(one_of(Instalment.plan_id, "plan_ids")).order_by(Instalment.due_on, Instalment.number))


def plans_by_visit(session: Session, visit_ids: Collection[str]) -> dict[str, list[PlanFacts]]:
    """The running plans of each visit that is on any, whole, in order of their ids."""
    on = plans_running(session, visit_ids=visit_ids)
    whole = whole_plans(session, on)
    return _grouped((visit_id, whole[plan_id]) for visit_id, plan_id, _ in on)


def whole_plans(session: Session, on: Rows) -> dict[str, PlanFacts]:
    """The plans of the rows of ``plans_running``, each with all of its visits, in order of their ids."""
    states = {plan_id: status for _, plan_id, status in on}
    if not states:
        return {}
    named: dict[str, object] = {"plan_ids": states}
    members, parts = ask_together(session, (_members, named), (_parts, named))
    visits, instalments = _grouped(members), _grouped((plan_id, (on, int(minor))) for plan_id, on, minor in parts)
    return {plan_id: PlanFacts(plan_id, status == "paused", tuple(visits.get(plan_id, ())),
                               tuple(instalments.get(plan_id, ()))) for plan_id, status in states.items()}


def _grouped(pairs: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
