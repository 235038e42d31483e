"""Posting an 837: a claim charges once, is replaced, voided, or tells of another payer.

Source: DESIGN.md, "Charges". CLM05-3 = 7 reverses and replaces, 8 reverses; a copy to a secondary payer adds that
coverage and posts the primary's own result (2320/2430) unless the primary's remittance already did; AMT*F5 is the
patient's cash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from billing import answers, ledger
from billing.adjudication import adjudicate
from billing.book import Book, CoverageState, VisitState
from billing.ids import new_id
from billing.importers.records import Adjustment, BilledClaim, ClaimCoverage, PaidClaim
from billing.opening import NewLine, NewVisit, charge_lines, insert_coverage, open_visit
from billing.store import book_queries, ledger_queries

RANKS = {rank: number for number, rank in enumerate("PSTABCDEFGH", 1)}
SELF_PAY_FILING = frozenset({"09"})
OTHER_CONTENT = ("this claim number (CLM01) is already charged with other content; send a replacement (CLM05-3 = 7) or "
                 "give the claim its own number")


@dataclass(frozen=True, slots=True)
class Outcome:
    outcome: str  # posted, duplicate, suspended, skipped
    reason: str
    visit_id: str | None


def claim_digest(claim: BilledClaim) -> str:
    """Return a digest of what the claim says in money: not of its bytes."""
    parts: list[object] = [claim.claim_id, claim.frequency, claim.charge_minor, claim.patient_paid_minor]
    for line in claim.lines:
        parts.append((line.procedure_code, line.modifiers, line.revenue_code, line.charge_minor, str(line.service_on)))
        parts.extend((a.payer_id, a.paid_minor, _pairs(a.adjustments)) for a in line.adjudications)
    for c in claim.coverages:
        parts.append((c.rank, c.payer_id, c.is_destination, c.paid_minor, _pairs(c.adjustments)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def _pairs(adjustments: Sequence[Adjustment]) -> tuple[object, ...]:
    return tuple((a.group, a.reason, a.amount_minor) for a in adjustments)


def refusal(visits: Sequence[VisitState], claim: BilledClaim, digests: frozenset[str]) -> str:
    """Return why this claim cannot be charged as it stands, or "" when it can (a duplicate can: it posts nothing)."""
    if claim_digest(claim) in digests or not visits or not is_original(claim):
        return ""
    visit = visits[-1]
    if visit.void or visit.origin == "remittance":
        return ""
    if visit.charge_minor == claim.charge_minor and visit.origin in ("charges", "balances"):
        return ""
    return OTHER_CONTENT


def is_original(claim: BilledClaim) -> bool:
    """Whether the claim charges for the first time: neither a replacement, nor a void, nor a later payer's copy."""
    return claim.frequency not in ("7", "8") and _destination_rank(claim) == 1


def post_claim(book: Book, claim: BilledClaim, number: int, digests: frozenset[str], skip: str = "") -> Outcome:
    """Post one claim into the book. ``digests`` are those already on file for its number."""
    document, digest = new_id("doc"), claim_digest(claim)
    visits = book.on_file(claim.claim_id)
    skip = skip or refusal(visits, claim, digests)
    if skip:
        outcome = Outcome("skipped", skip, None)
    elif digest in digests:
        outcome = Outcome("duplicate", "this claim was imported before", visits[-1].visit_id if visits else None)
    else:
        outcome = _post(book, claim, document, visits)
    book.add("claim_documents", {
        "id": document, "import_id": book.import_id, "number": number, "position": claim.position,
        "claim_hash": book.hash_of(claim.claim_id), "digest": digest, "frequency": claim.frequency,
        "charge_minor": claim.charge_minor, "visit_id": outcome.visit_id, "outcome": outcome.outcome,
        "reason": outcome.reason})
    return outcome


def _post(book: Book, claim: BilledClaim, document: str, visits: list[VisitState]) -> Outcome:
    visit = visits[-1] if visits else None
    if claim.frequency == "8":
        return _void(book, claim, document, visit)
    note = ""
    if visit is None or (visit.void and claim.frequency != "7"):
        visit = _open(book, claim, document)
        note = "a replacement (CLM05-3 = 7) of a claim not on file: opened as new" if claim.frequency == "7" else ""
    elif claim.frequency == "7" or visit.origin == "remittance":
        note = _replace(book, claim, document, visit)
    elif _destination_rank(claim) == 1:
        return Outcome("duplicate", "charged before from another source with the same total", visit.visit_id)
    _add_payers(book, claim, visit)
    _post_reported_results(book, claim, document, visit)
    return Outcome("posted", note, visit.visit_id)


def _destination_rank(claim: BilledClaim) -> int:
    return next((RANKS.get(c.rank, 1) for c in claim.coverages if c.is_destination), 1)


def _payers(claim: BilledClaim) -> list[tuple[int, ClaimCoverage]]:
    """The claim's payers in order, from 1 without gaps; self-pay names none."""
    insured = [c for c in claim.coverages if c.filing_code not in SELF_PAY_FILING]
    ordered = sorted(insured, key=lambda c: RANKS.get(c.rank, len(RANKS) + 1))
    gap = 0 if any(RANKS.get(c.rank) == 1 for c in ordered) else _destination_rank(claim) - 1
    return [(number + gap, c) for number, c in enumerate(ordered, 1)]


def _open(book: Book, claim: BilledClaim, document: str) -> VisitState:
    visit = open_visit(book, NewVisit(
        claim.claim_id, "claim", claim.kind, claim.charge_minor, claim.patient, claim.service_from_on,
        claim.service_to_on, claim.rendering_name or claim.billing_name, claim.billing_npi, claim.place_of_service))
    _add_payers(book, claim, visit)
    _charge(book, claim, document, visit)
    return visit


def _charge(book: Book, claim: BilledClaim, document: str, visit: VisitState) -> None:
    lines = [NewLine(n, line.position, line.procedure_code, line.modifiers, line.revenue_code, line.units,
                     line.charge_minor, line.service_on or claim.service_from_on, line.control_number)
             for n, line in enumerate(claim.lines, 1)]
    first = min(visit.coverages, key=lambda c: c.rank, default=None)
    charge_lines(book, visit, first, lines, claim.charge_minor, claim.position, against="revenue", source="claim",
                 ref=f"{document}:charge")
    if claim.patient_paid_minor:
        book.move(visit, ledger.wide("cash:claim:desk"), ledger.patient(visit.visit_id), claim.patient_paid_minor,
                  code="patient_payment", source="claim", ref=f"{document}:f5", reason="AMT*F5",
                  on=claim.service_from_on)


def _add_payers(book: Book, claim: BilledClaim, visit: VisitState) -> None:
    for rank, payer in _payers(claim):
        if not any(c.rank == rank or (payer.payer_id and c.payer_id == payer.payer_id) for c in visit.coverages):
            insert_coverage(book, visit, rank, payer.payer_name, payer.payer_id, payer.member_id or None,
                            payer.filing_code)


def _replace(book: Book, claim: BilledClaim, document: str, visit: VisitState) -> str:
    """Take the charges back and charge anew. The first payer answers anew, unless this claim only now tells what a
    remittance had told before: then its answer stands.
    """
    book.flush()
    charges = ledger_queries.of_visit_charges(book.session, visit.visit_id)
    if claim.patient_paid_minor:
        charges += [t for t in ledger_queries.of_visit(book.session, visit.visit_id) if t.reason == "AMT*F5"]
    book.reverse(visit, charges, source="claim", ref=f"{document}:replaces")
    told_late = visit.origin == "remittance" and claim.frequency != "7"
    visit.origin, visit.charge_minor = "claim", claim.charge_minor
    visit.version = book_queries.highest_version(book.session, visit.visit_id) + 1
    visit.void, visit.service_from_on = False, claim.service_from_on or visit.service_from_on
    book.touched.add(visit.visit_id)
    _add_payers(book, claim, visit)
    _charge(book, claim, document, visit)
    if not told_late:
        _await_answer(visit)
    return "the claim behind an earlier remittance" if told_late else "replaces the earlier charges"


def _await_answer(visit: VisitState) -> None:
    for coverage in visit.coverages:
        if coverage.status != "pending" and (coverage.rank == 1 or coverage.balance_minor):
            coverage.status = "pending"


def _void(book: Book, claim: BilledClaim, document: str, visit: VisitState | None) -> Outcome:
    if visit is None or visit.void:
        return Outcome("duplicate" if visit else "suspended", "a void (CLM05-3 = 8) of a claim that is "
                       + ("void already" if visit else "not on file: nothing to reverse"),
                       visit.visit_id if visit else None)
    book.flush()
    book.reverse(visit, ledger_queries.of_visit_charges(book.session, visit.visit_id), source="claim",
                 ref=f"{document}:voids")
    visit.void = True
    book.touched.add(visit.visit_id)
    for coverage in visit.coverages:
        # A payer that answered has to take its answer back; until then nobody is asked for anything.
        coverage.status = "pending" if coverage.balance_minor or visit.patient_minor > 0 else "closed"
    return Outcome("posted", "voids the claim", visit.visit_id)


def _post_reported_results(book: Book, claim: BilledClaim, document: str, visit: VisitState) -> None:
    """What a secondary's copy says that earlier payers did, where no remittance of theirs has said it."""
    for rank, payer in _payers(claim):
        coverage = next((c for c in visit.coverages if c.rank == rank), None)
        if coverage is None or payer.is_destination or coverage.claim_of_record or payer.paid_minor is None:
            continue
        _post_result(book, claim, document, visit, coverage, payer)


def _post_result(book: Book, claim: BilledClaim, document: str, visit: VisitState, coverage: CoverageState,
                 payer: ClaimCoverage) -> None:
    result = _as_answer(claim, coverage, payer)
    told = sum(a.amount_minor for a in result.adjustments)
    if result.paid_minor + told != claim.charge_minor:
        answers.raise_suspense(book, visit, document, "the earlier payer's result on the claim (2320/2430) does not "
                               "add up to the charge: post it from that payer's remittance")
        return
    plan = adjudicate(result, coverage.as_payer(), [c.as_payer() for c in visit.later_than(coverage.rank)],
                      restates=coverage.rank > 1, opened=False, contractual=book.contractual_on(claim.service_from_on))
    answers.post_moves(book, visit, coverage, result, plan.moves, "claim-cob", f"{document}:{coverage.rank}",
                       remittance_claim_id=None)
    book.touched.add(visit.visit_id)
    coverage.status, coverage.claim_of_record = "answered", "837"
    answers.raise_concerns(book, visit, result, f"{document}:{coverage.rank}", plan)


def _as_answer(claim: BilledClaim, coverage: CoverageState, payer: ClaimCoverage) -> PaidClaim:
    """The 2320/2430 loops in the shape of a remittance's claim; line adjustments join the claim's."""
    of_lines = [a for line in claim.lines for done in line.adjudications
                if done.payer_id == payer.payer_id or len(claim.coverages) == 2 for a in done.adjustments]
    return PaidClaim(claim.position, claim.claim_id, str(min(coverage.rank, 3)), claim.charge_minor,
                     payer.paid_minor or 0, None, payer.filing_code, "", claim.patient, payer.subscriber,
                     claim.service_from_on, claim.service_to_on, (*payer.adjustments, *of_lines), (), (), "",
                     claim.rendering_name)
