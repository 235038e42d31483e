"""Federal payer bars: T-57."""

from __future__ import annotations

from billing.hold_kinds import KINDS, reaches
from billing.policy.core import Facts, Finding, Rule, withhold

_QMB = KINDS["qmb"]


def qmb_demand(facts: Facts) -> Finding | None:
    visits = facts.account.due_visit_ids
    if facts.is_demand and any(h.kind == "qmb" and reaches(_QMB.stops_demand, h.visit_id, visits)
                               for h in facts.account.holds):
        return withhold(_QMB.why)
    return None


def qmb_charge(facts: Facts) -> Finding | None:
    """The patient who asks may pay another visit; by ourselves we take nothing of a person who has QMB."""
    visits = facts.charge.visit_ids if facts.charge else ()
    reach = _QMB.stops_demand if facts.charge and facts.charge.practice_starts else _QMB.stops_charge
    if any(h.kind == "qmb" and reaches(reach, h.visit_id, visits) for h in facts.account.holds):
        return withhold(_QMB.why)
    return None


RULES = (
    Rule("T-57", "QMB and Medicaid: cost sharing is never demanded", _QMB.citation, "S", qmb_demand, qmb_charge,
         configured="billing/hold_kinds.py; remarks N781 to N783 and OA-209 place the hold"),
)
