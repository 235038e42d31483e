"""Where a payment's money may go, in the order of D3, read from the account as it stands."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing.allocation import Part, allocate
from billing.dues import local_day
from billing.figures import VisitFigures, account_figures
from billing.hold_kinds import PAYABLE_AT_AGENCY
from billing.store import collection_queries, ledger_queries, payment_queries
from billing.store.tables import Payment

#: Money that arrives for an account or visit under one of these may have to go back: it waits as unapplied credit.
MUST_NOT_KEEP = frozenset({"bankruptcy", "deceased", "litigation", "agency", "qmb"})

Wants = list[tuple[str, int]]


def plan_parts(session: Session, payment: Payment, now: datetime, *, to_credit: bool = False,
               amount_minor: int | None = None, instruction: Wants | None = None) -> tuple[Part, ...]:
    """Spread the payment (or ``amount_minor`` of it) over the account as it stands; the guarantor must be locked.

    Order (receivables.md D3): the patient's instruction, the plan's visits, the statement's, the oldest that is due,
    the oldest on a plan, what is at a collection agency, the account's credit. Nothing goes to what is held, disputed
    or another guarantor's.
    """
    amount = payment.amount_minor if amount_minor is None else amount_minor
    barred = payment_queries.open_holds(session, payment.guarantor_id, MUST_NOT_KEEP)
    if to_credit or any(visit_id is None for visit_id in barred):
        return (Part(None, amount),)
    named = instruction if instruction is not None else [(str(v), int(m)) for v, m in payment.instruction]
    placed = collection_queries.placed_minor(session, [v for v in barred if v is not None])
    barred -= set(placed) - payment_queries.open_holds(session, payment.guarantor_id, MUST_NOT_KEEP - {"agency"})
    visits = _visits(session, payment, now, barred)
    owed = _owed(session, payment, {v for v, _ in named} | set(visits))
    for visit_id, visit in visits.items():
        owed[visit_id] = placed.get(visit_id, 0) + min(owed.get(visit_id, 0), visit.figures.patient_minor
                                                       - visit.figures.held_minor)
    return allocate(amount, [one for one in named if one[0] not in barred], owed,
                    _on_plan(session, payment, visits), _on_statement(session, payment, visits),
                    [(v, f.figures.due_now_minor) for v, f in visits.items()], _free(visits),
                    [(v, placed[v]) for v, f in visits.items()
                     if v in placed and PAYABLE_AT_AGENCY.issuperset(hold.kind for hold in f.holds)])


def _visits(session: Session, payment: Payment, now: datetime, barred: set[str | None]) -> dict[str, VisitFigures]:
    """The account's visits by id, oldest service first; those that money may not be kept for are left out."""
    account = account_figures(session, payment.guarantor_id, local_day(session, payment.practice_id, now))
    found = sorted(account.visits, key=lambda v: (v.service_on or date.max, v.visit_id))
    return {v.visit_id: v for v in found if v.visit_id not in barred}


def _free(visits: dict[str, VisitFigures]) -> Wants:
    """What each visit owes that is neither pending nor held: due now, or on a plan."""
    return [(v, f.figures.due_now_minor + f.figures.on_plan_minor) for v, f in visits.items()]


def _on_plan(session: Session, payment: Payment, visits: dict[str, VisitFigures]) -> Wants:
    if payment.plan_id is None:
        return []
    of_plan = set(payment_queries.visits_of_plan(session, payment.plan_id))
    return [one for one in _free(visits) if one[0] in of_plan]


def _on_statement(session: Session, payment: Payment, visits: dict[str, VisitFigures]) -> Wants:
    if payment.statement_id is None:
        return []
    listed = set(payment_queries.visits_of_statement(session, payment.guarantor_id, payment.statement_id))
    return [one for one in _free(visits) if one[0] in listed]


def _owed(session: Session, payment: Payment, visit_ids: set[str]) -> dict[str, int]:
    """Live patient balances; a visit that has gone to another guarantor owes this one's money nothing."""
    own = payment_queries.owned_visits(session, payment.guarantor_id, visit_ids)
    balances = ledger_queries.balances_by_key(session, payment.practice_id, [f"patient:{v}" for v in own])
    return {v: balances[f"patient:{v}"] for v in own}
