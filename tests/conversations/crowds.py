"""People whose figures, payers and doctors give away whose they are: who is in a random conversation, and what of them
may be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

from billing.views import AccountView, Figures, PaymentView, PlanView, VisitView
from tests.conversations.people import POLICY

#: The k-th account on a number has every amount times this, so that no sum of one is a sum of another.
_FACTORS = (1, 17, 19, 29)
_CONFIDENTIAL = 23
_PAYERS = ("Blue Shield", "Red Harbor", "Gold Valley", "Green Ridge")
_PROVIDERS = ("Dr. Rowan", "Dr. Quill", "Dr. Vesper", "Dr. Larch")
HIDDEN_PAYER, HIDDEN_PROVIDER, HIDDEN_ON = "Silver Peak", "Dr. Umber", date(2026, 9, 8)


def tell_apart(people: Iterable[AccountView]) -> tuple[AccountView, ...]:
    """The same people with amounts, payers and doctors of their own; confidential visits with yet others."""
    return tuple(_coloured(person, place) for place, person in enumerate(people))


def _coloured(person: AccountView, place: int) -> AccountView:
    factor = _FACTORS[place]
    visits = tuple(_visit(visit, factor * (_CONFIDENTIAL if visit.confidential else 1), place)
                   for visit in person.visits)
    credit = person.figures.credit_minor * factor
    total = Figures(open_minor=-credit, credit_minor=credit)
    for visit in visits:
        total = total.plus(visit.figures)
    payments = tuple(replace(one, amount_minor=one.amount_minor * factor,
                             allocations=tuple((visit, part * factor) for visit, part in one.allocations))
                     for one in person.payments)
    plans = tuple(_plan(plan, factor) for plan in person.plans)
    return replace(person, visits=visits, figures=total, payments=payments, plans=plans)


def _plan(plan: PlanView, factor: int) -> PlanView:
    parts = tuple(replace(one, amount_minor=one.amount_minor * factor, paid_minor=one.paid_minor * factor)
                  for one in plan.instalments)
    return replace(plan, instalments=parts, total_minor=plan.total_minor * factor, left_minor=plan.left_minor * factor)


def _visit(visit: VisitView, factor: int, place: int) -> VisitView:
    payer = HIDDEN_PAYER if visit.confidential else _PAYERS[place]
    on = HIDDEN_ON if visit.confidential else visit.service_on
    told = visit.explanation
    if told is not None:
        steps = tuple(replace(step, amount_minor=step.amount_minor * factor,
                              payer_name=payer if step.payer_name else "") for step in told.steps)
        told = replace(told, steps=steps, left_minor=told.left_minor * factor, service_on=on)
    return replace(
        visit, figures=_times(visit.figures, factor), charge_minor=visit.charge_minor * factor, service_on=on,
        provider=HIDDEN_PROVIDER if visit.confidential else _PROVIDERS[place], explanation=told,
        coverages=tuple(replace(one, payer_name=payer) for one in visit.coverages))


def _times(figures: Figures, factor: int) -> Figures:
    return Figures(*(getattr(figures, name) * factor for name in Figures.__slots__))


def pay(person: AccountView, payment: PaymentView) -> AccountView:
    """The account once ``payment`` has been paid: figures, derivations and version as the ledger would have them."""
    parts = dict(payment.allocations)
    visits = tuple(_less(visit, parts.get(visit.visit_id, 0)) for visit in person.visits)
    paid = sum(parts.values())
    figures = person.figures.plus(Figures(open_minor=-paid, patient_minor=-paid, due_now_minor=-paid))
    payments = tuple(payment if one.payment_id == payment.payment_id else one for one in person.payments)
    if payment not in payments:
        payments = (payment, *payments)
    return replace(person, visits=visits, figures=figures, payments=payments,
                   balance_version=person.balance_version + 1)


def _less(visit: VisitView, part: int) -> VisitView:
    part = min(part, visit.figures.due_now_minor)
    if part <= 0:
        return visit
    figures = visit.figures.plus(Figures(open_minor=-part, patient_minor=-part, due_now_minor=-part))
    told = visit.explanation
    if told is not None:
        *steps, left = told.steps
        before = replace(left, kind="patient_paid", amount_minor=-part)
        after = replace(left, amount_minor=left.amount_minor - part)
        told = replace(told, steps=(*steps, before, after), left_minor=told.left_minor - part)
    return replace(visit, figures=figures, explanation=told)


def legal_amounts(person: AccountView) -> frozenset[int]:
    """Cents that may be said to the verified ``person``: of shown visits, their steps, sums of them, payments."""
    shown = [visit for visit in person.visits if not visit.confidential]
    found = {POLICY.minimum_payment_minor, *_steps(shown), *(one.amount_minor for one in person.payments)}
    found |= {part for one in person.payments for _, part in one.allocations}
    credit = person.figures.credit_minor - sum(v.figures.credit_minor for v in person.visits if v.confidential)
    found |= {credit, *(visit.charge_minor for visit in shown)}
    for plan in person.plans:
        found |= {plan.total_minor, plan.left_minor, *(one.open_minor for one in plan.instalments)}
        found |= {minor + plan.left_minor for minor in (visit.figures.due_now_minor for visit in shown)}
    for size in range(1, len(shown) + 1):
        for some in combinations(shown, size):
            found |= _sums([visit.figures for visit in some])
    return frozenset(abs(one) for one in found)


def _steps(visits: Iterable[VisitView]) -> set[int]:
    return {step.amount_minor for visit in visits if visit.explanation and visit.explanation.foots
            for step in visit.explanation.steps}


def _sums(figures: Sequence[Figures]) -> set[int]:
    total: Any = {name: sum(getattr(one, name) for one in figures) for name in Figures.__slots__}
    return {*total.values(), total["held_minor"] + total["pending_minor"]}
