"""Why a visit's patient balance is what it is, from the rows that made it. Nothing here is a remainder.

Sign convention. Every amount is cents. A step's ``amount_minor`` says what it does to the number that a reader's
finger is on, going down the page:

1. *The bill*: ``charge`` (+), ``carried_over`` (a balance that came from elsewhere), ``plan_paid``,
   ``contractual``, ``prior_payer`` and ``with_payer`` (all -). Added up they give the patient's part.
2. *Why that part is the patient's*: ``deductible``, ``coinsurance``, ``copay``, ``other_patient``,
   ``waiver_check``. They are positive and **name** the part once more by the payer's own reasons: added to 1 they
   would count twice, so ``NAMING`` steps are left out of the sum.
3. *Since then*: ``patient_paid`` (-), ``refunded`` (+), ``moved_to_credit`` (+ when money of this visit became the
   account's credit, - when credit was used here; ``code`` tells to_credit from from_credit); ``assistance``,
   ``discount`` and ``written_off`` (-); ``placed`` (- when it went to an agency, + when it came back).
4. ``left``: the ledger's own balance, read from the account and from nothing above.

So left = sum of 1 and 3, and also = sum of 2 and 3 where a payer answered. Both sums are checked, and so are the
service lines against the charge and each remittance's own lines against what was moved. Any difference, any missing
source row and any transfer of an unknown kind makes ``foots`` false with a reason for staff; the caller then opens a
case of kind ``explain_mismatch`` and shows a patient nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy.orm import Session

from billing.explain_checks import find_faults
from billing.explain_facts import NAMING, Effect, Facts, Unknown, classify, live_moves, load_facts
from billing.store import explain_queries as queries
from billing.store.explain_queries import CoverageRow
from billing.views import Explanation, Step

__all__ = ["NAMING", "explain_account", "explain_visit", "explain_visits", "needs_case", "patient_part", "to_json"]

_BILL = ("carried_over", "prior_payer", "plan_paid", "contractual")
_SINCE = ("patient_paid", "refunded", "moved_to_credit", "assistance", "discount", "written_off", "placed")


def explain_visit(session: Session, visit_id: str) -> Explanation:
    """Raises KeyError when there is no such visit."""
    found = explain_visits(session, [visit_id])
    if not found:
        raise KeyError("no such visit")
    return found[0]


def explain_account(session: Session, guarantor_id: str) -> tuple[Explanation, ...]:
    """Every visit of the account, oldest first, in a fixed number of queries; void ones while money hangs on them."""
    rows = queries.visits_of(session, guarantor_id)
    return tuple(_derive(facts) for facts in load_facts(session, rows) if _worth_showing(facts))


def explain_visits(session: Session, visit_ids: Collection[str]) -> tuple[Explanation, ...]:
    return tuple(_derive(facts) for facts in load_facts(session, queries.visits_by_id(session, visit_ids)))


def needs_case(explanation: Explanation) -> bool:
    """True where a person has to look before anything of it is said to a patient (case kind explain_mismatch)."""
    return not explanation.foots


def patient_part(explanation: Explanation) -> int:
    """Cents of the bill that became the patient's, before the patient paid anything: group 1 of the docstring."""
    return sum(s.amount_minor for s in explanation.steps if s.kind in (*_BILL, "charge", "with_payer"))


def to_json(explanation: Explanation, language: str, say: Callable[[Step, str], str]) -> dict[str, Any]:
    """The interface of ``plainbill explain --json``. ``say`` gives the plain sentence of a step in ``language``."""
    return {
        "visit": explanation.external, "visit_id": explanation.visit_id, "language": language,
        "service_on": explanation.service_on.isoformat() if explanation.service_on else None,
        "foots": explanation.foots, "reason": explanation.reason, "left_minor": explanation.left_minor,
        "steps": [_step_json(step, language, say) for step in explanation.steps],
    }


def _step_json(step: Step, language: str, say: Callable[[Step, str], str]) -> dict[str, Any]:
    return {"kind": step.kind, "amount_minor": step.amount_minor, "payer": step.payer_name, "code": step.code,
            "on": step.on.isoformat() if step.on else None, "sources": list(step.sources),
            "sentence": say(step, language)}


def _worth_showing(facts: Facts) -> bool:
    return not facts.visit.void or bool(live_moves(facts)) or any(a.balance_minor for a in facts.accounts)


def _derive(facts: Facts) -> Explanation:
    seen = [classify(facts, move) for move in live_moves(facts)]
    effects = [one for one in seen if isinstance(one, Effect)]
    unknown = [one for one in seen if isinstance(one, Unknown)]
    left = facts.patient_balance_minor
    steps = (*_bill(facts, effects), *_named(effects), *_since(effects), _left(facts, left))
    faults = find_faults(facts, effects, unknown, steps)
    return Explanation(facts.visit.id, facts.visit.external, facts.visit.service_on, not faults, "; ".join(faults),
                       steps, left)


def _bill(facts: Facts, effects: list[Effect]) -> list[Step]:
    steps = _merge([e for e in effects if e.kind == "charge"], lambda e: "")
    for coverage in (*facts.coverages, None):
        own = [e for e in effects if e.kind in _BILL and e.coverage is coverage]
        for kind in _BILL:
            steps += _merge([e for e in own if e.kind == kind], lambda e: e.code)
    return steps + [step for coverage in facts.coverages if (step := _with_payer(facts, coverage))]


def _with_payer(facts: Facts, coverage: CoverageRow) -> Step | None:
    accounts = [a for a in facts.accounts if a.coverage_id == coverage.id and a.balance_minor]
    if not accounts:
        return None
    return Step("with_payer", -sum(a.balance_minor for a in accounts), coverage.payer_name, coverage.status,
                sources=(*(f"ledger_account:{a.id}" for a in accounts), f"coverage:{coverage.id}"))


def _named(effects: list[Effect]) -> list[Step]:
    """By reason, whoever gave it: what a later payer was asked for first nets against what it sent back."""
    steps: list[Step] = []
    for kind in NAMING:
        own = [e for e in effects if e.kind == kind]
        own.sort(key=lambda e: e.amount_minor <= 0)  # whose words the step carries: a payer that left it, not one asked
        steps += _merge(own, lambda e: e.code)
    return steps


def _since(effects: list[Effect]) -> list[Step]:
    own = [e for e in effects if e.kind in _SINCE]
    return _merge(own, lambda e: f"{e.kind} {e.code} {e.on} {e.together}")


def _left(facts: Facts, left: int) -> Step:
    return Step("left", left, sources=tuple(f"ledger_account:{a.id}" for a in facts.accounts if a.side == "patient"))


def _merge(effects: list[Effect], key: Callable[[Effect], str]) -> list[Step]:
    """One step per key, in the order of first appearance; what nets to nothing is not shown."""
    groups: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        groups[key(effect)].append(effect)
    steps = (_one_step(group) for group in groups.values())
    return [step for step in steps if step.amount_minor]


def _one_step(group: list[Effect]) -> Step:
    first = group[0]
    sources = tuple(dict.fromkeys(name for effect in group for name in effect.sources))
    payer = first.coverage.payer_name if first.coverage and first.kind != "charge" else ""
    return Step(first.kind, sum(e.amount_minor for e in group), payer, first.code, max(e.on for e in group), sources)
