"""SQL of the figures: accounts with their visits, payers, balances and holds, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from billing.store import standing_queries as standing
from billing.store.ledger_queries import balances_by_key
from billing.store.prepared import Query, Rows, ask_together, given, one_of, prepared
from billing.store.standing_queries import HoldFacts, PlanFacts
from billing.store.tables import Coverage, Guarantor, LedgerAccount, Transfer, Visit


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    coverage_id: str
    rank: int
    payer_name: str
    status: str
    balance_minor: int


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


class _Row(NamedTuple):
    """A visit, in the order of _COLUMNS."""

    guarantor_id: str
    visit_id: str
    external: str
    origin: str
    service_on: date | None
    charge_minor: int
    void: bool
    confidential: bool
    provider: str | None


_COLUMNS = (Visit.guarantor_id, Visit.id, Visit.external, Visit.origin, Visit.service_from_on, Visit.charge_minor,
            Visit.void, Visit.confidential, Visit.provider)


@prepared
def _practice_of() -> Query:
    return select(Guarantor.practice_id).where(Guarantor.id == given("guarantor_id"))


@prepared
def _versions() -> Query:
    return select(Guarantor.id, Guarantor.balance_version).where(
        Guarantor.practice_id == given("practice_id"), one_of(Guarantor.id, "ids"))


@prepared
def _visits_of() -> Query:
    return select(*_COLUMNS).where(one_of(Visit.guarantor_id, "ids")).order_by(Visit.service_from_on, Visit.id)


@prepared
def _visits() -> Query:
    return select(*_COLUMNS).where(Visit.practice_id == given("practice_id"), one_of(Visit.id, "visit_ids"))


@prepared
def _coverages() -> Query:
    return select(Coverage.visit_id, Coverage.id, Coverage.rank, Coverage.payer_name, Coverage.status).where(
        one_of(Coverage.visit_id, "visit_ids")).order_by(Coverage.rank)


def practice_of(session: Session, guarantor_id: str) -> str:
    """The id of an account's practice. Raises LookupError for an unknown account."""
    found: str | None = _practice_of.value(session, guarantor_id=guarantor_id)
    if found is None:
        raise LookupError("no such account")
    return found


def load_account(session: Session, guarantor_id: str, practice_id: str = "") -> AccountFacts:
    """``practice_id`` is asked for where it is not given. Raises LookupError for an unknown account."""
    found = load_accounts(session, practice_id or practice_of(session, guarantor_id), [guarantor_id])
    if guarantor_id not in found:
        raise LookupError("no such account")
    return found[guarantor_id]


def load_accounts(session: Session, practice_id: str, guarantor_ids: Sequence[str]) -> dict[str, AccountFacts]:
    """Many accounts of one practice, in as many queries as one; an unknown one is left out."""
    named: dict[str, object] = {"ids": guarantor_ids}
    found, rows, held, running = ask_together(
        session, (_versions, {"practice_id": practice_id, **named}), (_visits_of, named), (standing.open_holds, named),
        (standing.imports_under_way, {"practice_id": practice_id}))
    versions: dict[str, int] = dict(found)
    visits = [visit for row in rows if (visit := _Row(*row)).guarantor_id in versions]
    named = {"visit_ids": [visit.visit_id for visit in visits]}
    covered, on = ask_together(session, (_coverages, named), (standing.plans_running, named))
    facts, unapplied = _stood(session, practice_id, list(versions), visits, covered, [run for run, in running])
    holds, plans = standing.holds_by_account(held), standing.whole_plans(session, on).values()
    by_account: dict[str, list[VisitFacts]] = {}
    for one in facts:
        by_account.setdefault(one.guarantor_id, []).append(one)
    return {owner: AccountFacts(
        owner, version, unapplied[owner], tuple(by_account.get(owner, ())), tuple(holds.get(owner, ())),
        _plans_of(by_account.get(owner, ()), plans)) for owner, version in versions.items()}


def _plans_of(visits: Sequence[VisitFacts], plans: Collection[PlanFacts]) -> tuple[PlanFacts, ...]:
    own = {visit.visit_id for visit in visits}
    return tuple(plan for plan in plans if own.intersection(plan.visit_ids)) if own else ()


def load_visits(session: Session, practice_id: str, visit_ids: Sequence[str]) -> tuple[
        tuple[VisitFacts, ...], dict[str, list[HoldFacts]], tuple[PlanFacts, ...]]:
    """Many visits, the open holds of their guarantors by guarantor, and the plans that they are on. Visits that share
    a plan come along: what is due of one depends on the others.
    """
    plans = standing.whole_plans(session, standing.plans_running(session, visit_ids=visit_ids))
    every = {*visit_ids, *(one for plan in plans.values() for one in plan.visit_ids)}
    rows, running = ask_together(session, (_visits, {"practice_id": practice_id, "visit_ids": every}),
                                 (standing.imports_under_way, {"practice_id": practice_id}))
    visits = [_Row(*row) for row in rows]
    owners = sorted({visit.guarantor_id for visit in visits})
    covered, held = ask_together(session, (_coverages, {"visit_ids": every}), (standing.open_holds, {"ids": owners}))
    facts, _ = _stood(session, practice_id, owners, visits, covered, [run for run, in running])
    return facts, standing.holds_by_account(held), tuple(plans.values())


def _stood(session: Session, practice_id: str, owners: Sequence[str], visits: Sequence[_Row], covered: Rows,
           runs: Sequence[str]) -> tuple[tuple[VisitFacts, ...], dict[str, int]]:
    """The visits with what lies on them, and the credit of each owner in cents."""
    balances = balances_by_key(session, practice_id, [
        *(f"credit:{owner}" for owner in owners), *(f"patient:{visit.visit_id}" for visit in visits),
        *(f"payer:{row[1]}" for row in covered)])
    unapplied = {owner: -balances[f"credit:{owner}"] for owner in owners}
    remembered: dict[str, int] = {}
    for owner in owners:
        remembered |= _remembered(session, practice_id, owner) if unapplied[owner] else {}
    unfinished = standing.unfinished(session, runs, [visit.visit_id for visit in visits])
    payers = _payers(covered, balances)
    return (tuple(_visit(one, payers.get(one.visit_id, ()), balances, remembered, unfinished) for one in visits),
            unapplied)


def _payers(covered: Rows, balances: Mapping[str, int]) -> dict[str, tuple[CoverageFacts, ...]]:
    """By visit, in the order in which they pay."""
    found: dict[str, tuple[CoverageFacts, ...]] = {}
    for visit_id, coverage_id, rank, name, status in covered:
        one = CoverageFacts(coverage_id, rank, name, status, balances[f"payer:{coverage_id}"])
        found[visit_id] = (*found.get(visit_id, ()), one)
    return found


def _visit(v: _Row, payers: tuple[CoverageFacts, ...], balances: Mapping[str, int], remembered: Mapping[str, int],
           unfinished: Collection[str]) -> VisitFacts:
    return VisitFacts(v.visit_id, v.guarantor_id, v.external, v.origin, v.service_on, v.charge_minor, v.void,
                      v.confidential, v.provider or "", payers, sum(c.balance_minor for c in payers),
                      balances[f"patient:{v.visit_id}"], remembered.get(v.visit_id, 0), v.visit_id in unfinished)


@prepared
def _credit_moves() -> Query:
    account = select(LedgerAccount.id).where(
        LedgerAccount.practice_id == given("practice_id"), LedgerAccount.key == given("key")).scalar_subquery()
    signed = case((Transfer.credit_id == account, Transfer.amount_minor), else_=-Transfer.amount_minor)
    return select(Transfer.visit_id, func.sum(signed)).where(
        or_(Transfer.credit_id == account, Transfer.debit_id == account), Transfer.visit_id.is_not(None)
    ).group_by(Transfer.visit_id)


def _remembered(session: Session, practice_id: str, guarantor_id: str) -> dict[str, int]:
    """Credit by the visit it came from, less what went back."""
    return {visit_id: int(amount) for visit_id, amount in _credit_moves(
        session, practice_id=practice_id, key=f"credit:{guarantor_id}")}
