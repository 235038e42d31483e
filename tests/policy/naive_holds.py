"""Holds, naively: a list of kinds that stop demands, and those among them that lie on a visit and stop only it."""

from __future__ import annotations

from collections.abc import Callable

from billing.policy.core import Facts

STOPPING = tuple("""
dispute bankruptcy attorney cease deceased insurance_update ppdr gfe_exceeded assistance_pending agency litigation
minor_confidential staff_flag emergency language_unmet handover paid_already lender takeback confidential_contact audit
first_look address carried_over settlement wrong_number
""".split())

OF_THE_VISIT = ("dispute", "insurance_update", "ppdr", "gfe_exceeded", "agency", "minor_confidential", "settlement")


def stops(kind: str, due_visits: Callable[[Facts], list[str]]) -> Callable[[Facts], bool]:
    def stopped(f: Facts) -> bool:
        for hold in f.account.holds:
            if hold.kind != kind:
                continue
            if kind not in OF_THE_VISIT or hold.visit_id is None or hold.visit_id in due_visits(f):
                return True
        return False

    return stopped
