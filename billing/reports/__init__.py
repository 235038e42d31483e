"""Reports for the practice's manager: every figure with its definition and its clock, in whole numbers.

Definitions: receivables.md, D2. ``make`` runs one report, ``make_all`` all of them; nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from billing.reports import aging, collecting, spending, talking
from billing.reports.shape import Report, Scope

__all__ = ["REPORTS", "UnknownReport", "make", "make_all"]

#: In the order in which a manager reads them.
REPORTS: Mapping[str, Callable[[Session, Scope], Report]] = {
    "aging": aging.aging,
    "days-in-ar": aging.days_in_ar,
    "patient-collection": collecting.patient_collection,
    "net-collection": collecting.net_collection,
    "time-to-pay": collecting.time_to_pay,
    "point-of-service": collecting.point_of_service,
    "self-service": talking.self_service,
    "opt-outs": talking.opt_outs,
    "disputes": talking.disputes,
    "plans": talking.plans,
    "cost": spending.cost,
    "dunning-refunds": spending.dunning_refunds,
    "write-offs": spending.write_offs,
}


class UnknownReport(LookupError):
    """There is no report of this name. The text lists those that there are."""


def make(session: Session, name: str, scope: Scope) -> Report:
    """Raises UnknownReport."""
    if name not in REPORTS:
        raise UnknownReport(f"there is no report {name!r}; the reports are {', '.join(REPORTS)}, and all")
    return REPORTS[name](session, scope)


def make_all(session: Session, scope: Scope) -> tuple[Report, ...]:
    """Every report, in order, on the same picture of the store."""
    return tuple(report(session, scope) for report in REPORTS.values())
