"""SQL of the gate's facts in sets: the running plans that visits are on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.figure_queries import ON_PLAN, PlanFacts
from billing.store.prepared import Query, one_of, prepared
from billing.store.tables import Instalment, Plan, PlanVisit, Visit


@prepared
def _plans() -> Query:
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


def plans(session: Session, visit_ids: Collection[str]) -> dict[str, list[PlanFacts]]:
    """The running plans of each visit that is on any, whole, in order of their ids."""
    on = _plans(session, visit_ids=visit_ids)
    if not on:
        return {}
    plan_ids = {plan_id for _, plan_id, _ in on}
    members: dict[str, list[str]] = {}
    for plan_id, visit_id in _members(session, plan_ids=plan_ids):
        members.setdefault(plan_id, []).append(visit_id)
    parts: dict[str, list[tuple[date, int]]] = {}
    for plan_id, due_on, minor in _parts(session, plan_ids=plan_ids):
        parts.setdefault(plan_id, []).append((due_on, int(minor)))
    whole = {plan_id: PlanFacts(plan_id, status == "paused", tuple(members.get(plan_id, ())),
                                tuple(parts.get(plan_id, ()))) for _, plan_id, status in on}
    by_visit: dict[str, list[PlanFacts]] = {}
    for visit_id, plan_id, _ in on:
        by_visit.setdefault(visit_id, []).append(whole[plan_id])
    return by_visit
