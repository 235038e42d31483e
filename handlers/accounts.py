"""Questions about an account that more than one conversation asks. What is confidential is no part of any answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from billing.allocation import in_order
from billing.hold_kinds import PAYABLE_AT_AGENCY
from billing.views import AccountView, Figures, MethodView, PaymentView, PlanView, VisitView

#: A list longer than this is no text message any more; the page has them all.
LISTED = 6


def shown_visits(account: AccountView) -> tuple[VisitView, ...]:
    """Visits that the guarantor may be told of, oldest first (T-38: minor-consent care is not for the guarantor)."""
    return tuple(sorted((v for v in account.visits if not v.confidential), key=lambda v: (v.service_on or date.max)))


def shown_figures(account: AccountView) -> Figures:
    """The account's figures without its confidential visits."""
    hidden = [visit.figures for visit in account.visits if visit.confidential]
    return Figures(*(getattr(account.figures, name) - sum(getattr(one, name) for one in hidden)
                     for name in Figures.__slots__))


def shown_payments(account: AccountView) -> tuple[PaymentView, ...]:
    """Payments, newest first, without any that went to a confidential visit: its sum would tell of the visit."""
    hidden = {visit.visit_id for visit in account.visits if visit.confidential}
    return tuple(one for one in account.payments if not hidden & {visit_id for visit_id, _ in one.allocations})


def due_visits(account: AccountView) -> tuple[VisitView, ...]:
    """Visits with something due now, oldest first: the order in which a payment is spread."""
    return tuple(visit for visit in shown_visits(account) if visit.figures.due_now_minor > 0)


def placed_visits(account: AccountView) -> tuple[VisitView, ...]:
    """Visits of which something is at a collection agency and may still be paid here, oldest first."""
    return tuple(visit for visit in shown_visits(account)
                 if visit.figures.placed_minor > 0 and set(visit.holds) <= PAYABLE_AT_AGENCY)


def running_plan(account: AccountView) -> PlanView | None:
    """The plan that is being paid, newest first."""
    return next((plan for plan in account.plans if plan.runs), None)


def waiting_plan(account: AccountView) -> PlanView | None:
    """A plan that was offered and waits for its signature on a page."""
    return next((plan for plan in account.plans if plan.status == "awaiting_authorization"), None)


def payable_visits(account: AccountView) -> tuple[VisitView, ...]:
    """Visits that a new plan may be about: due now, not held, on no running plan, oldest first."""
    taken = {visit_id for plan in account.plans if plan.runs for visit_id in plan.visit_ids}
    return tuple(visit for visit in due_visits(account) if visit.visit_id not in taken)


def plan_visits(account: AccountView, plan: PlanView) -> tuple[VisitView, ...]:
    """The visits of a plan that still have something to pay, oldest first."""
    return tuple(visit for visit in shown_visits(account)
                 if visit.visit_id in plan.visit_ids and open_minor(visit) > 0)


def open_minor(visit: VisitView) -> int:
    """What of a visit may be paid today: due, only on its plan, or at a collection agency."""
    return visit.figures.due_now_minor + visit.figures.on_plan_minor + visit.figures.placed_minor


def plan_of(account: AccountView, visit_ids: Iterable[str]) -> PlanView | None:
    """The running plan that all of these visits are on."""
    wanted, plan = set(visit_ids), running_plan(account)
    return plan if plan is not None and wanted and wanted <= set(plan.visit_ids) else None


def card_words(method: MethodView | None) -> dict[str, str] | None:
    """What a template may know of a card or bank account on file. JSON-able."""
    return {"kind": method.kind, "brand": method.brand, "last4": method.last4} if method is not None else None


def find_method(account: AccountView, method_id: str | None) -> MethodView | None:
    return next((method for method in account.methods if method.method_id == method_id), None)


def open_visits(account: AccountView) -> tuple[VisitView, ...]:
    """Visits that there is something to explain about: a patient balance, or a payer that has not answered."""
    return tuple(v for v in shown_visits(account) if v.figures.patient_minor or is_waiting(v))


def is_waiting(visit: VisitView) -> bool:
    return any(coverage.status == "pending" for coverage in visit.coverages)


def list_visits(visits: Iterable[VisitView], minor: str = "due_now_minor") -> list[dict[str, Any]]:
    """What a template may know of visits: number in the list, day, one figure. JSON-able."""
    return [{"number": number, "on": visit.service_on.isoformat() if visit.service_on else None,
             "amount_minor": getattr(visit.figures, minor)} for number, visit in enumerate(visits, 1)]


def split_payment(amount_minor: int, visits: Sequence[VisitView], early: bool = False) -> tuple[tuple[str, int], ...]:
    """Spread cents over ``visits`` in their order, each up to what is due, or with ``early`` to what is on its plan as
    well. Raises ValueError when some is left over.
    """
    parts = in_order(amount_minor, [(one.visit_id, open_minor(one) if early else one.figures.due_now_minor)
                                    for one in visits])
    if sum(minor for _, minor in parts) != amount_minor:
        raise ValueError("the amount is more than what is due on these visits")
    return parts
