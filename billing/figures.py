"""The figures of a visit and an account: what is open, with whom, and what of it is due now.

open = payer + patient - credit; patient = due_now + pending + held + on_plan (DESIGN.md, "Figures"). All cents.
A visit is pending while any of its payers still has to answer, or while an import that touches it is unfinished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from billing.hold_kinds import KINDS
from billing.store import figure_queries as store
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
    holds: tuple[store.HoldFacts, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """``total.credit_minor`` is all of the guarantor's credit; a visit's is the part that came from it."""

    guarantor_id: str
    balance_version: int
    total: Figures
    visits: tuple[VisitFigures, ...]
    account_holds: tuple[store.HoldFacts, ...]

    def visit(self, visit_id: str) -> VisitFigures | None:
        return next((v for v in self.visits if v.visit_id == visit_id), None)


def account_figures(session: Session, guarantor_id: str, today: date) -> AccountFigures:
    """Return the account as it stands. ``today`` is practice-local; plans will ask which instalments are due by it."""
    facts = store.load_account(session, guarantor_id)
    account_holds = tuple(h for h in facts.holds if h.visit_id is None)
    visits = tuple(_visit(v, facts, account_holds) for v in facts.visits)
    total = sum_of([v.figures for v in visits])
    total = Figures(
        total.payer_minor + total.patient_minor - facts.credit_minor, total.payer_minor, total.patient_minor,
        total.due_now_minor, total.pending_minor, total.held_minor, total.on_plan_minor, facts.credit_minor)
    return AccountFigures(guarantor_id, facts.balance_version, total, visits, account_holds)


def sum_of(parts: Sequence[Figures]) -> Figures:
    total = Figures()
    for part in parts:
        total = total.plus(part)
    return total


def _visit(v: store.VisitFacts, facts: store.AccountFacts, account_holds: tuple[store.HoldFacts, ...]) -> VisitFigures:
    holds = tuple(h for h in facts.holds if h.visit_id == v.visit_id)
    return VisitFigures(
        v.visit_id, v.external, v.origin, v.service_on, v.charge_minor, v.void, v.confidential, v.provider,
        v.coverages, holds, _visit_figures(v, (*holds, *account_holds)))


def split(payer_minor: int, patient_minor: int, credit_minor: int, pending: bool,
          holds: Sequence[store.HoldFacts]) -> Figures:
    """Divide a visit's patient balance by why it can or cannot be asked for."""
    open_minor = payer_minor + patient_minor - credit_minor
    if pending:
        return Figures(open_minor, payer_minor, patient_minor, 0, patient_minor, 0, 0, credit_minor)
    held = min(patient_minor, held_by(patient_minor, holds)) if patient_minor > 0 else 0
    return Figures(open_minor, payer_minor, patient_minor, patient_minor - held, 0, held, 0, credit_minor)


def held_by(patient_minor: int, holds: Sequence[store.HoldFacts]) -> int:
    """Cents that holds keep from being due: all, unless every such hold names an amount."""
    stopping = [h for h in holds if KINDS[h.kind].not_due]
    if any(h.amount_minor is None for h in stopping):
        return patient_minor
    return sum(h.amount_minor or 0 for h in stopping)


def visits_figures(session: Session, practice_id: str, visit_ids: Sequence[str]) -> dict[str, Figures]:
    """Return the figures of many visits at once, whoever they belong to."""
    visits, holds = store.load_visits(session, practice_id, visit_ids)
    return {v.visit_id: _visit_figures(v, [
        h for h in holds.get(v.guarantor_id, ()) if h.visit_id in (None, v.visit_id)]) for v in visits}


def _visit_figures(v: store.VisitFacts, holds: Sequence[store.HoldFacts]) -> Figures:
    pending = v.unfinished or any(c.status == "pending" for c in v.coverages)
    return split(v.payer_minor, v.patient_minor, v.credit_minor, pending, holds)
