"""The figures of a visit and an account: what is open, with whom, and what of it is due now.

open = payer + patient - credit; patient = due_now + pending + held + on_plan (DESIGN.md, "Figures"). All cents.
A visit is pending while any of its payers still has to answer, or while an import that touches it is unfinished.
A visit on a running plan is on plan, not due now, except for the plan's instalments whose day has come: those fall on
its visits in order of service. What such a visit owes above the plan is not asked for without the patient's consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from billing.hold_kinds import KINDS
from billing.store import collection_queries
from billing.store import figure_queries as store
from billing.store.standing_queries import HoldFacts, PlanFacts
from billing.views import Figures


@dataclass(frozen=True, slots=True)
class VisitFigures:
    visit_id: str
    external: str
    origin: str
    service_on: date | None
    charge_minor: int
    void: bool
    confidential: bool
    provider: str
    coverages: tuple[store.CoverageFacts, ...]
    holds: tuple[HoldFacts, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """``total.credit_minor`` is all of the guarantor's credit; a visit's is the part that came from it."""

    guarantor_id: str
    balance_version: int
    total: Figures
    visits: tuple[VisitFigures, ...]
    account_holds: tuple[HoldFacts, ...]

    def visit(self, visit_id: str) -> VisitFigures | None:
        return next((v for v in self.visits if v.visit_id == visit_id), None)


def account_figures(session: Session, guarantor_id: str, today: date, practice_id: str = "") -> AccountFigures:
    """Return the account as it stands. ``today`` is practice-local: instalments are due by it. ``practice_id``, where
    the caller knows it, saves asking. Raises LookupError.
    """
    facts = store.load_account(session, guarantor_id, practice_id)
    return _account(facts, _placed(session, [facts]), today)


def accounts_figures(session: Session, practice_id: str, guarantor_ids: Sequence[str], today: date,
                     ) -> dict[str, AccountFigures]:
    """As ``account_figures``, of many accounts of one practice at once; an unknown one is left out."""
    facts = store.load_accounts(session, practice_id, guarantor_ids)
    placed = _placed(session, facts.values())
    return {guarantor_id: _account(one, placed, today) for guarantor_id, one in facts.items()}


def _account(facts: store.AccountFacts, placed: Mapping[str, int], today: date) -> AccountFigures:
    guarantor_id = facts.guarantor_id
    account_holds = tuple(h for h in facts.holds if h.visit_id is None)
    due = due_on_plans(facts.visits, {guarantor_id: facts.holds}, facts.plans, today)
    visits = tuple(_visit(v, facts, account_holds, due.get(v.visit_id), placed.get(v.visit_id, 0))
                   for v in facts.visits)
    total = sum_of([v.figures for v in visits])
    total = Figures(
        total.payer_minor + total.patient_minor - facts.credit_minor, total.payer_minor, total.patient_minor,
        total.due_now_minor, total.pending_minor, total.held_minor, total.on_plan_minor, facts.credit_minor,
        total.placed_minor)
    return AccountFigures(guarantor_id, facts.balance_version, total, visits, account_holds)


def sum_of(parts: Sequence[Figures]) -> Figures:
    total = Figures()
    for part in parts:
        total = total.plus(part)
    return total


def _visit(v: store.VisitFacts, facts: store.AccountFacts, account_holds: tuple[HoldFacts, ...],
           plan_due_minor: int | None, placed_minor: int) -> VisitFigures:
    holds = tuple(h for h in facts.holds if h.visit_id == v.visit_id)
    return VisitFigures(
        v.visit_id, v.external, v.origin, v.service_on, v.charge_minor, v.void, v.confidential, v.provider,
        v.coverages, holds,
        replace(_visit_figures(v, (*holds, *account_holds), plan_due_minor), placed_minor=placed_minor))


def _placed(session: Session, accounts: Iterable[store.AccountFacts]) -> Mapping[str, int]:
    """Cents at an agency, by visit. Whatever is placed carries a hold: most accounts ask for nothing more."""
    held = [h.visit_id for facts in accounts for h in facts.holds if h.kind == "agency" and h.visit_id is not None]
    return collection_queries.placed_minor(session, held) if held else {}


def split(payer_minor: int, patient_minor: int, credit_minor: int, pending: bool,
          holds: Sequence[HoldFacts], plan_due_minor: int | None = None) -> Figures:
    """Divide a visit's patient balance by why it can or cannot be asked for. ``plan_due_minor``: what of a visit on a
    plan has come due; empty: it is on none.
    """
    open_minor = payer_minor + patient_minor - credit_minor
    if pending:
        return Figures(open_minor, payer_minor, patient_minor, 0, patient_minor, 0, 0, credit_minor)
    held = min(patient_minor, held_by(patient_minor, holds)) if patient_minor > 0 else 0
    free = patient_minor - held
    due = free if plan_due_minor is None or free < 0 else min(free, plan_due_minor)
    return Figures(open_minor, payer_minor, patient_minor, due, 0, held, free - due, credit_minor)


def held_by(patient_minor: int, holds: Sequence[HoldFacts]) -> int:
    """Cents that holds keep from being due: all, unless every such hold names an amount."""
    stopping = [h for h in holds if KINDS[h.kind].not_due]
    if any(h.amount_minor is None for h in stopping):
        return patient_minor
    return sum(h.amount_minor or 0 for h in stopping)


def visits_figures(session: Session, practice_id: str, visit_ids: Sequence[str], today: date) -> dict[str, Figures]:
    """Return the figures of many visits at once, whoever they belong to. ``today`` is practice-local."""
    visits, holds, plans = store.load_visits(session, practice_id, visit_ids)
    due = due_on_plans(visits, holds, plans, today)
    return {v.visit_id: _visit_figures(v, _reaching(v, holds), due.get(v.visit_id))
            for v in visits if v.visit_id in set(visit_ids)}


def _reaching(v: store.VisitFacts, holds: Mapping[str, Sequence[HoldFacts]]) -> list[HoldFacts]:
    return [h for h in holds.get(v.guarantor_id, ()) if h.visit_id in (None, v.visit_id)]


def due_on_plans(visits: Sequence[store.VisitFacts], holds: Mapping[str, Sequence[HoldFacts]],
                  plans: Sequence[PlanFacts], today: date) -> dict[str, int]:
    """What of each visit on a plan has come due, in cents: the due instalments go to the oldest service first, as far
    as each visit owes something that is neither pending nor held.
    """
    by_id, due = {v.visit_id: v for v in visits}, dict[str, int]()
    for plan in plans:
        left = plan.due_minor(today)
        for v in (by_id[visit_id] for visit_id in plan.visit_ids if visit_id in by_id):
            whole = _visit_figures(v, _reaching(v, holds), None)
            due[v.visit_id] = max(min(left, whole.due_now_minor), 0)
            left -= due[v.visit_id]
    return due


def _visit_figures(v: store.VisitFacts, holds: Sequence[HoldFacts], plan_due_minor: int | None) -> Figures:
    pending = v.unfinished or any(c.status == "pending" for c in v.coverages)
    return split(v.payer_minor, v.patient_minor, v.credit_minor, pending, holds, plan_due_minor)
