"""SQL of the figures: accounts with their visits, payers, balances and holds, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import balances_by_key, chunks
from billing.store.tables import (
    Coverage,
    Guarantor,
    Hold,
    ImportRun,
    Instalment,
    LedgerAccount,
    Plan,
    PlanVisit,
    Transfer,
    Visit,
)

#: Plans in these states say when their visits are due (billing/plan_status.py: RUNNING).
ON_PLAN = ("active", "behind", "cured", "paused")


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    coverage_id: str
    rank: int
    payer_name: str
    status: str
    balance_minor: int


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


@dataclass(frozen=True, slots=True)
class VisitFacts:
    visit_id: str
    guarantor_id: str
    external: str
    origin: str
    service_on: date | None
    charge_minor: int
    void: bool
    confidential: bool
    provider: str
    coverages: tuple[CoverageFacts, ...]
    payer_minor: int
    patient_minor: int
    credit_minor: int
    unfinished: bool


@dataclass(frozen=True, slots=True)
class AccountFacts:
    guarantor_id: str
    balance_version: int
    credit_minor: int
    visits: tuple[VisitFacts, ...]
    holds: tuple[HoldFacts, ...]
    plans: tuple[PlanFacts, ...] = ()


def load_account(session: Session, guarantor_id: str) -> AccountFacts:
    """Raises LookupError for an unknown account."""
    guarantor = session.get(Guarantor, guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    return load_accounts(session, guarantor.practice_id, [guarantor_id])[guarantor_id]


def load_accounts(session: Session, practice_id: str, guarantor_ids: Sequence[str]) -> dict[str, AccountFacts]:
    """Many accounts of one practice, in as many queries as one; an unknown one is left out."""
    versions: dict[str, int] = {}
    visits: dict[str, list[Visit]] = {}
    for part in chunks(guarantor_ids):
        versions.update((row[0], row[1]) for row in session.execute(
            select(Guarantor.id, Guarantor.balance_version).where(
                Guarantor.practice_id == practice_id, Guarantor.id.in_(part))))
        for row in session.scalars(select(Visit).where(Visit.guarantor_id.in_(part))
                                   .order_by(Visit.service_from_on, Visit.id)):
            visits.setdefault(row.guarantor_id, []).append(row)
    unapplied = {key: -minor for key, minor in balances_by_key(
        session, practice_id, [f"credit:{owner}" for owner in versions]).items()}
    remembered: dict[str, int] = {}
    for owner in versions:
        remembered |= _remembered(session, owner) if unapplied[f"credit:{owner}"] else {}
    every = [visit for rows in visits.values() for visit in rows]
    facts: dict[str, list[VisitFacts]] = {}
    for one in _visit_facts(session, practice_id, every, remembered):
        facts.setdefault(one.guarantor_id, []).append(one)
    holds, plans = _holds(session, list(versions)), load_plans(session, [visit.id for visit in every])
    return {owner: AccountFacts(
        owner, version, unapplied[f"credit:{owner}"], tuple(facts.get(owner, ())), tuple(holds.get(owner, ())),
        _plans_of(facts.get(owner, ()), plans)) for owner, version in versions.items()}


def _plans_of(visits: Sequence[VisitFacts], plans: Sequence[PlanFacts]) -> tuple[PlanFacts, ...]:
    own = {visit.visit_id for visit in visits}
    return tuple(plan for plan in plans if own.intersection(plan.visit_ids)) if own else ()


def load_plans(session: Session, visit_ids: Sequence[str]) -> tuple[PlanFacts, ...]:
    """The running plans that any of these visits is on, each with all of its visits."""
    found: set[str] = set()
    for part in chunks(set(visit_ids)):
        found.update(session.scalars(select(Plan.id).join(PlanVisit, PlanVisit.plan_id == Plan.id).where(
            PlanVisit.visit_id.in_(part), Plan.status.in_(ON_PLAN))))
    return tuple(one for part in chunks(sorted(found)) for one in _plans(session, part)) if found else ()


def _plans(session: Session, plan_ids: Sequence[str]) -> list[PlanFacts]:
    visits: dict[str, list[str]] = {}
    for plan_id, visit_id in session.execute(
            select(PlanVisit.plan_id, Visit.id).join(Visit, PlanVisit.visit_id == Visit.id)
            .where(PlanVisit.plan_id.in_(plan_ids)).order_by(Visit.service_from_on, Visit.id)):
        visits.setdefault(plan_id, []).append(visit_id)
    parts: dict[str, list[tuple[date, int]]] = {}
    for plan_id, due_on, minor in session.execute(
            select(Instalment.plan_id, Instalment.due_on, Instalment.amount_minor - Instalment.paid_minor)
            .where(Instalment.plan_id.in_(plan_ids)).order_by(Instalment.due_on, Instalment.number)):
        parts.setdefault(plan_id, []).append((due_on, int(minor)))
    rows = session.execute(select(Plan.id, Plan.status).where(Plan.id.in_(plan_ids)).order_by(Plan.id))
    return [PlanFacts(plan_id, status == "paused", tuple(visits.get(plan_id, ())), tuple(parts.get(plan_id, ())))
            for plan_id, status in rows]


def load_visits(session: Session, practice_id: str, visit_ids: Sequence[str]) -> tuple[
        tuple[VisitFacts, ...], dict[str, list[HoldFacts]], tuple[PlanFacts, ...]]:
    """Many visits, the open holds of their guarantors by guarantor, and the plans that they are on. Visits that share
    a plan come along: what is due of one depends on the others.
    """
    visits: list[Visit] = []
    plans = load_plans(session, visit_ids)
    for part in chunks({*visit_ids, *(v for plan in plans for v in plan.visit_ids)}):
        visits.extend(session.scalars(select(Visit).where(Visit.practice_id == practice_id, Visit.id.in_(part))))
    owners = sorted({v.guarantor_id for v in visits})
    remembered: dict[str, int] = {}
    credit_of = balances_by_key(session, practice_id, [f"credit:{owner}" for owner in owners])
    for owner in owners:
        remembered |= _remembered(session, owner) if credit_of[f"credit:{owner}"] else {}
    return _visit_facts(session, practice_id, visits, remembered), _holds(session, owners), plans


def _visit_facts(session: Session, practice_id: str, visits: Sequence[Visit],
                 remembered: dict[str, int]) -> tuple[VisitFacts, ...]:
    coverages = _coverages(session, [v.id for v in visits])
    keys = [f"patient:{v.id}" for v in visits] + [f"payer:{c.id}" for rows in coverages.values() for c in rows]
    balances = balances_by_key(session, practice_id, keys)
    unfinished = _unfinished(session, practice_id, [v.id for v in visits])
    return tuple(_visit(v, coverages.get(v.id, []), balances, remembered, unfinished) for v in visits)


def _coverages(session: Session, visit_ids: Sequence[str]) -> dict[str, list[Coverage]]:
    found: dict[str, list[Coverage]] = {}
    for part in chunks(visit_ids):
        for row in session.scalars(select(Coverage).where(Coverage.visit_id.in_(part)).order_by(Coverage.rank)):
            found.setdefault(row.visit_id, []).append(row)
    return found


def _visit(v: Visit, coverages: list[Coverage], balances: dict[str, int], remembered: dict[str, int],
           unfinished: set[str]) -> VisitFacts:
    payers = tuple(CoverageFacts(c.id, c.rank, c.payer_name, c.status, balances[f"payer:{c.id}"]) for c in coverages)
    return VisitFacts(v.id, v.guarantor_id, v.external, v.origin, v.service_from_on, v.charge_minor, v.void,
                      v.confidential, v.provider or "", payers, sum(c.balance_minor for c in payers),
                      balances[f"patient:{v.id}"], remembered.get(v.id, 0), v.id in unfinished)


def _holds(session: Session, guarantor_ids: Sequence[str]) -> dict[str, list[HoldFacts]]:
    found: dict[str, list[HoldFacts]] = {}
    for part in chunks(guarantor_ids):
        query = select(Hold).where(Hold.guarantor_id.in_(part), Hold.released_at.is_(None)).order_by(Hold.id)
        for h in session.scalars(query):
            found.setdefault(h.guarantor_id, []).append(HoldFacts(h.id, h.visit_id, h.kind, h.amount_minor))
    return found


def _remembered(session: Session, guarantor_id: str) -> dict[str, int]:
    """Credit by the visit it came from, less what went back."""
    account = select(LedgerAccount.id).where(LedgerAccount.key == f"credit:{guarantor_id}").scalar_subquery()
    signed = case((Transfer.credit_id == account, Transfer.amount_minor), else_=-Transfer.amount_minor)
    query = (select(Transfer.visit_id, func.sum(signed)).where(
        (Transfer.credit_id == account) | (Transfer.debit_id == account), Transfer.visit_id.is_not(None))
        .group_by(Transfer.visit_id))
    return {visit_id: int(amount) for visit_id, amount in session.execute(query) if visit_id}


def _unfinished(session: Session, practice_id: str, visit_ids: Sequence[str]) -> set[str]:
    """Visits that an import still under way has posted to: dunning ignores them (DESIGN.md, "Large files")."""
    running = session.scalars(select(ImportRun.id).where(
        ImportRun.practice_id == practice_id, ImportRun.status == "posting")).all()
    found: set[str] = set()
    for part in chunks(visit_ids if running else []):
        found.update(v for v in session.scalars(select(Transfer.visit_id).where(
            Transfer.visit_id.in_(part), Transfer.import_id.in_(running))) if v)
    return found
