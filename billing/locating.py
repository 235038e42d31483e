"""Which visit, and which of its payers, a remittance's claim speaks of. Pure: works on a batch's loaded states.

DESIGN.md, "Remittances": a CLP01 that repeats is told apart by CLP07; an answer repeated by the same payer without a
reversal is not an answer but a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from billing.adjudication import RANK_OF_STATUS, REVERSAL, adjustments_of
from billing.book import AnswerState, CoverageState, VisitState
from billing.importers.records import PaidClaim


class Sender(NamedTuple):
    """The payer of a remittance as it names itself."""

    identifier: str  # TRN03
    payer_id: str
    name: str


def find_visit(visits: Sequence[VisitState], claim: PaidClaim, sender: Sender) -> VisitState | None:
    live = [v for v in visits if not v.void or v.pending]
    if len(live) > 1:
        live.sort(key=lambda v: v.void)
    if claim.status_code == REVERSAL:
        return _visit_to_reverse(visits, live, claim)
    return next((v for v in live if _fits(v, claim, sender)), None)


def _visit_to_reverse(visits: Sequence[VisitState], live: Sequence[VisitState],
                      claim: PaidClaim) -> VisitState | None:
    """The visit whose answer is taken back, void or not; failing that one that stands."""
    taken_back = [v for v in visits if any(negates(claim, a) for a in v.answers)]
    same_claim = [v for v in taken_back if any(a.payer_claim_id == claim.payer_claim_id for a in v.answers)]
    same_charge = [v for v in live if v.charge_minor == -claim.charge_minor]
    candidates = same_claim or taken_back or same_charge or list(live)
    return candidates[-1] if candidates else None


def negates(claim: PaidClaim, answer: AnswerState) -> bool:
    """Whether the reversal takes back exactly this answer: charge, payment and each reason, in whatever sign a payer
    prints the adjustments of a reversal.
    """
    return (claim.charge_minor == -answer.charge_minor and claim.paid_minor == -answer.paid_minor
            and amounts_of(claim) == {key: -amount for key, amount in answer.amounts.items()})


def amounts_of(claim: PaidClaim) -> dict[tuple[str, str], int]:
    """Sum the claim's adjustments by (group, reason), in cents."""
    amounts: dict[tuple[str, str], int] = {}
    for _, adjustment in adjustments_of(claim):
        key = (adjustment.group, adjustment.reason)
        amounts[key] = amounts.get(key, 0) + adjustment.amount_minor
    return amounts


def _fits(visit: VisitState, claim: PaidClaim, sender: Sender) -> bool:
    if visit.origin != "remittance":
        return True
    if claim.payer_claim_id and any(a.payer_claim_id == claim.payer_claim_id for a in visit.answers):
        return True
    coverage = find_coverage(visit, claim, sender)
    answered = coverage is not None and any(a.coverage_id == coverage.coverage_id for a in visit.answers)
    if visit.charge_minor != claim.charge_minor:
        return False
    return not answered or _same_services(visit, claim)


def _same_services(visit: VisitState, claim: PaidClaim) -> bool:
    ours = sorted((line.procedure_code, line.charge_minor, str(line.service_on)) for line in visit.lines)
    return ours == sorted((line.procedure_code, line.charge_minor, str(line.service_on)) for line in claim.lines)


def find_coverage(visit: VisitState, claim: PaidClaim, sender: Sender) -> CoverageState | None:
    """The payer's coverage: by rank and name where both agree, then by name, then by rank (CLP02), then, for a
    denial or reversal, which name no rank, the one that is waiting.
    """
    rank = RANK_OF_STATUS.get(claim.status_code)
    named = [c for c in visit.coverages if is_sender(c, sender)]
    ranked = [c for c in visit.coverages if c.rank == rank]
    both = [c for c in named if c.rank == rank]
    if rank is not None:
        return next(iter(both or named or [c for c in ranked if c.remit_payer in (None, "", sender.identifier)]), None)
    waiting = [c for c in visit.coverages if c.status == "pending"]
    return next(iter(named or waiting or visit.coverages), None)


def is_sender(coverage: CoverageState, sender: Sender) -> bool:
    if coverage.remit_payer:
        return coverage.remit_payer == sender.identifier
    same_id = bool(sender.payer_id) and coverage.payer_id == sender.payer_id
    return same_id or (bool(sender.name) and coverage.payer_name.casefold() == sender.name.casefold())


def why_not_now(visit: VisitState, coverage: CoverageState, claim: PaidClaim) -> str:
    """Return why this answer may not be posted although visit and payer are known, or "" when it may.

    Several answers of one payer are one claim split by it as long as their charges fit into the visit's.
    """
    if any(c.rank < coverage.rank and c.status == "pending" for c in visit.coverages):
        return ("an earlier payer has not answered yet, so nothing is left for this one to answer for: undo this "
                "import and give the file again once the earlier payer's remittance is posted")
    if coverage.claim_of_record == "csv":
        return "this payer's answer came by CSV before; undo that import first, or keep this one in suspense"
    standing = [a for a in visit.answers if a.coverage_id == coverage.coverage_id]
    if not standing:
        return ""
    same = claim.payer_claim_id and any(a.payer_claim_id == claim.payer_claim_id for a in standing)
    charges = sum(a.charge_minor for a in standing) + claim.charge_minor
    if not same and visit.origin != "remittance" and charges <= visit.charge_minor:
        return ""
    return "this payer answered the claim before and has not reversed that answer (no CLP02 = 22)"
