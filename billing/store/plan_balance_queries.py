"""SQL of plans that ask for more than their visits owe."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import BindParameter, Select, bindparam, case, func, literal, select
from sqlalchemy.orm import Session

from billing.store.tables import Instalment, LedgerAccount, Plan, PlanVisit


def _above() -> Select[str]:
    """Asked of every practice each minute: built once."""
    practice_id: BindParameter[str] = bindparam("practice_id")
    owed = case((LedgerAccount.balance_minor < 0, 0),
                (LedgerAccount.balance_minor > PlanVisit.agreed_minor, PlanVisit.agreed_minor),
                else_=LedgerAccount.balance_minor)
    owes = (select(PlanVisit.plan_id, func.sum(owed).label("minor"))
            .join(LedgerAccount, LedgerAccount.key == literal("patient:") + PlanVisit.visit_id)
            .where(PlanVisit.practice_id == practice_id, LedgerAccount.practice_id == practice_id)
            .group_by(PlanVisit.plan_id).subquery())
    asks = (select(Instalment.plan_id, func.sum(Instalment.amount_minor - Instalment.paid_minor).label("minor"))
            .where(Instalment.practice_id == practice_id).group_by(Instalment.plan_id).subquery())
    return (select(Plan.id).join(asks, asks.c.plan_id == Plan.id).outerjoin(owes, owes.c.plan_id == Plan.id)
            .where(Plan.practice_id == practice_id, Plan.status.in_(bindparam("statuses", expanding=True)),
                   asks.c.minor > func.coalesce(owes.c.minor, 0)).order_by(Plan.id))


_ABOVE = _above()


def above_their_visits(session: Session, practice_id: str, statuses: Collection[str]) -> Sequence[str]:
    """Plans in ``statuses`` whose open instalments are more than their visits owe, each visit up to what was agreed."""
    return session.scalars(_ABOVE, {"practice_id": practice_id, "statuses": sorted(statuses)}).all()
