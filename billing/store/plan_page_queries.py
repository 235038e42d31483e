"""SQL of the pages and papers of instalment plans and of cards on file: reading alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Authorization, Instalment, PaymentMethod, Plan, PlanVisit, SetupRequest, Visit


@dataclass(frozen=True, slots=True)
class CoveredVisit:
    visit_id: str
    external: str
    service_on: date | None
    agreed_minor: int


def plan_of(session: Session, practice_id: str, guarantor_id: str, plan_id: str) -> Plan | None:
    """The account's own plan; None for another's."""
    query = select(Plan).where(Plan.practice_id == practice_id, Plan.guarantor_id == guarantor_id, Plan.id == plan_id)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def lock_plan(session: Session, plan_id: str) -> Plan:
    """The plan as it is now, locked until the commit; its guarantor is locked before (the ledger's order)."""
    query = select(Plan).where(Plan.id == plan_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def instalments_of(session: Session, plan_id: str) -> Sequence[Instalment]:
    """By number, the deposit (0) first."""
    query = select(Instalment).where(Instalment.plan_id == plan_id).order_by(Instalment.number)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def visits_of(session: Session, plan_id: str) -> list[CoveredVisit]:
    """Oldest service first."""
    found = session.execute(
        select(Visit, PlanVisit.agreed_minor).join(PlanVisit, PlanVisit.visit_id == Visit.id)
        .where(PlanVisit.plan_id == plan_id).order_by(Visit.service_from_on, Visit.id))
    return [CoveredVisit(v.id, v.external, v.service_from_on, minor) for v, minor in found]


def authorizations_of(session: Session, plan_id: str) -> Sequence[Authorization]:
    """Everything that was agreed to under a plan, oldest first."""
    return session.scalars(select(Authorization).where(Authorization.plan_id == plan_id).order_by(
        Authorization.at, Authorization.id)).all()


def method(session: Session, guarantor_id: str, method_id: str) -> PaymentMethod | None:
    query = select(PaymentMethod).where(PaymentMethod.guarantor_id == guarantor_id, PaymentMethod.id == method_id)
    return session.scalars(query).one_or_none()


def setup_of(session: Session, practice_id: str, guarantor_id: str, setup_id: str) -> SetupRequest | None:
    """The account's own request for a card; None for another's."""
    query = select(SetupRequest).where(SetupRequest.practice_id == practice_id,
                                       SetupRequest.guarantor_id == guarantor_id, SetupRequest.id == setup_id)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def newest_setup(session: Session, guarantor_id: str, plan_id: str) -> SetupRequest | None:
    """The newest request for a card of this plan."""
    return session.scalars(select(SetupRequest).where(
        SetupRequest.guarantor_id == guarantor_id, SetupRequest.plan_id == plan_id).order_by(
        SetupRequest.created_at.desc(), SetupRequest.id.desc()).limit(1)).one_or_none()
