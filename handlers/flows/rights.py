"""Held money with words of its own: what may not be billed at all, and a bill far above its estimate."""

from __future__ import annotations

from collections.abc import Iterable

from billing.views import AccountView, VisitView
from handlers.accounts import list_visits, shown_visits
from handlers.core import Reply


def in_program(account: AccountView, visit: VisitView) -> bool:
    """Qualified Medicare Beneficiary or Medicaid: the part is never the patient's (T-57)."""
    return "qmb" in (*visit.holds, *account.holds) and _kept_minor(visit) > 0


def above_estimate(account: AccountView, visit: VisitView) -> bool:
    """$400 or more above the good-faith estimate (T-41, 45 CFR 149.620); not while a dispute is open already."""
    held = "gfe_exceeded" in visit.holds and "ppdr" not in visit.holds and visit.figures.held_minor > 0
    return held and not in_program(account, visit)


def notices(account: AccountView, visits: Iterable[VisitView]) -> tuple[Reply, ...]:
    """One text for all that a program covers, one for each visit above its estimate. They name amounts (T-33)."""
    told = list(visits)
    covered = sum(_kept_minor(visit) for visit in told if in_program(account, visit))
    program = (Reply("program_covers", {"amount_minor": covered}),) if covered else ()
    return program + tuple(_estimate(visit) for visit in told if above_estimate(account, visit))


def plainly_waiting(account: AccountView) -> tuple[int, int]:
    """Cents pending and cents held of which no notice speaks: of those alone we say "please do not pay yet"."""
    plain = [visit.figures for visit in shown_visits(account) if not in_program(account, visit)]
    held = [v.figures.held_minor for v in shown_visits(account)
            if not in_program(account, v) and not above_estimate(account, v)]
    return sum(figures.pending_minor for figures in plain), sum(held)


def _kept_minor(visit: VisitView) -> int:
    return visit.figures.held_minor + visit.figures.pending_minor


def _estimate(visit: VisitView) -> Reply:
    return Reply("estimate_exceeded", {"visit": list_visits([visit])[0], "amount_minor": visit.figures.held_minor})
