"""Writing down a payer's answer: its rows line by line, its transfers, and what staff must hear of it."""

from __future__ import annotations

from collections.abc import Sequence

from billing import cases, holds, ledger
from billing.adjudication import Move, Plan, adjustments_of
from billing.book import Book, CoverageState, VisitState
from billing.importers.records import PaidClaim, PaidLine
from billing.money import dollars
from billing.store import ledger_queries, undo_queries

#: What a reversal undoes. Charges stay, and so does the prior payers' part of a claim opened by a later payer.
TAKEN_BACK = frozenset({"payer_payment", "contractual", "patient_share", "next_payer", "suspense"})


def write_claim(book: Book, remittance_id: str, claim: PaidClaim, row_id: str, number: int, visit_id: str | None,
                coverage_id: str | None, outcome: str, reason: str, treatments: Sequence[str]) -> None:
    """Keep the claim as it came, adjustments line by line, each with what the ledger made of it."""
    book.add("remittance_claims", {
        "id": row_id, "remittance_id": remittance_id, "number": number, "position": claim.position,
        "claim_hash": book.hash_of(claim.claim_id), "claim_id": claim.claim_id, "payer_claim_id": claim.payer_claim_id,
        "status_code": claim.status_code, "charge_minor": claim.charge_minor, "paid_minor": claim.paid_minor,
        "reported_patient_minor": claim.reported_patient_minor, "visit_id": visit_id, "coverage_id": coverage_id,
        "outcome": outcome, "reason": reason, "reversed_by_id": None,
        "details": {"patient": [claim.patient.surname, claim.patient.given], "member_id": claim.subscriber.member_id
                    or claim.patient.member_id, "crossover": claim.crossover_payer}})
    _write_lines(book, claim, row_id)
    for (line_number, a), treatment in zip(adjustments_of(claim), treatments, strict=True):
        book.add("remittance_adjustments", {
            "remittance_claim_id": row_id, "line_number": line_number, "position": a.position, "group_code": a.group,
            "reason_code": a.reason, "amount_minor": a.amount_minor, "quantity": a.quantity, "treatment": treatment})


def _write_lines(book: Book, claim: PaidClaim, row_id: str) -> None:
    for code in claim.remarks:
        book.add("remittance_remarks", {"remittance_claim_id": row_id, "line_number": 0, "code": code})
    for number, line in enumerate(claim.lines, 1):
        book.add("remittance_lines", {
            "remittance_claim_id": row_id, "number": number, "position": line.position,
            "procedure_code": line.procedure_code, "modifiers": " ".join(line.modifiers),
            "revenue_code": line.revenue_code, "units": line.units, "charge_minor": line.charge_minor,
            "paid_minor": line.paid_minor, "service_on": line.service_on, "control_number": line.control_number,
            "service_line_id": None})
        for code in line.remarks:
            book.add("remittance_remarks", {"remittance_claim_id": row_id, "line_number": number, "code": code})


def post_moves(book: Book, visit: VisitState, coverage: CoverageState, claim: PaidClaim, moves: Sequence[Move],
               source: str, ref: str, *, remittance_claim_id: str | None) -> None:
    """Turn a plan's moves into transfers: where each kind goes is this table."""
    mine = ledger.payer(coverage.coverage_id, visit.visit_id)
    lines = [None, *[_line_of(visit, paid) for paid in claim.lines]]
    for number, move in enumerate(moves):
        credit = ledger.wide("suspense") if move.code == "suspense" else mine
        book.move(visit, _debit(visit, move), credit, move.amount_minor, code=move.code, source=source,
                  ref=f"{ref}:{number}", coverage_id=coverage.coverage_id, reason=move.reason,
                  remittance_claim_id=remittance_claim_id, service_line_id=lines[move.line_number])


def _debit(visit: VisitState, move: Move) -> ledger.Account:
    match move.code:
        case "payer_payment" | "suspense":
            return ledger.wide("payer_clearing")
        case "contractual":
            return ledger.wide("contractual")
        case "prior_payer":
            return ledger.wide("opening")
        case "patient_share":
            return ledger.patient(visit.visit_id)
        case "next_payer":
            return ledger.payer(move.to_coverage_id, visit.visit_id)
        case code:
            raise ValueError(f"{code!r} is no move of an answer")


def _line_of(visit: VisitState, paid: PaidLine) -> str | None:
    """The service line that the payer's line speaks of: by control number, else by procedure and charge."""
    for ours in visit.lines:
        if paid.control_number and ours.control_number == paid.control_number:
            return ours.line_id
    for ours in visit.lines:
        if ours.charge_minor == paid.charge_minor and ours.procedure_code == paid.procedure_code:
            return ours.line_id
    return None


def take_back_reported(book: Book, visit: VisitState, coverage: CoverageState) -> None:
    """A secondary claim's copy told us the primary's result; now the primary's own remittance is here and counts."""
    book.flush()
    rows = [t for t in ledger_queries.of_visit(book.session, visit.visit_id)
            if t.source == "claim-cob" and t.coverage_id == coverage.coverage_id and t.reverses_id is None]
    book.reverse(visit, rows, source="claim-cob", ref=f"{coverage.coverage_id}:superseded")


def take_back_unknown(book: Book, visit: VisitState, coverage: CoverageState, claim: PaidClaim, ref: str) -> None:
    """A reversal of an answer from before our books: that payment stands against opening balances, and is taken back.

    Its adjustments would be posted and taken back in the same breath, so they are kept as rows and not posted; the
    prior payers' part (OA-23) stays taken off, as the correction will not post it again.
    """
    mine, opening = ledger.payer(coverage.coverage_id, visit.visit_id), ledger.wide("opening")
    before = -claim.paid_minor
    book.move(visit, opening, mine, before, code="opening", source="remittance", ref=f"{ref}:before",
              coverage_id=coverage.coverage_id, remittance_claim_id=ref)
    book.move(visit, mine, ledger.wide("payer_clearing"), before, code="takeback", source="remittance",
              ref=f"{ref}:back", coverage_id=coverage.coverage_id, remittance_claim_id=ref)
    prior = -sum(a.amount_minor for _, a in adjustments_of(claim) if (a.group, a.reason) == ("OA", "23"))
    if coverage.rank > 1 and len(visit.coverages) == 1:
        book.move(visit, opening, mine, prior, code="prior_payer", source="remittance", ref=f"{ref}:prior",
                  coverage_id=coverage.coverage_id, reason="OA-23", remittance_claim_id=ref)


def post_suspense(book: Book, visit: VisitState | None, amount_minor: int, ref: str, claim_row: str) -> None:
    if not amount_minor:
        return
    book.postings.append(ledger.Posting(
        book.practice_id, ledger.wide("payer_clearing"), ledger.wide("suspense"), abs(amount_minor),
        book.policy.currency, "suspense", book.today, "remittance", ref, visit_id=visit.visit_id if visit else None,
        remittance_claim_id=claim_row, import_id=book.import_id).flipped_if(amount_minor < 0))


def raise_concerns(book: Book, visit: VisitState, claim: PaidClaim, claim_row: str, plan: Plan) -> None:
    """Holds and cases that follow from an answer; carried out once its rows are written."""
    if plan.waiver_minor > 0:
        _hold(book, visit, "waiver_check", f"waiver:{claim_row}", plan.waiver_minor,
              "the plan says the patient owes this; bill it only with a signed waiver on file")
    if plan.qmb:
        _hold(book, visit, "qmb", f"qmb:{visit.visit_id}", None,
              "the plan says the patient is a Qualified Medicare Beneficiary (N781-N783 or OA-209)")
    if plan.stays_with_payer_minor > 0:
        _case(book, visit, "denial", f"denial:{claim_row}", "Denial or reduction to work with the payer",
              f"{dollars(plan.stays_with_payer_minor)} stays with the payer: work the denial, or write it off with a "
              "reason.")
    if plan.excess_minor > 0:
        _case(book, visit, "excess", f"excess:{claim_row}", "A later payer answered for more than was left",
              f"{dollars(plan.excess_minor)} was more than the visit had left: compare with the earlier payer's "
              "answer.")


def raise_suspense(book: Book, visit: VisitState | None, claim_row: str, reason: str) -> None:
    _case(book, visit, "suspense", f"suspense:{claim_row}", "A remittance claim is in suspense", reason)


def _case(book: Book, visit: VisitState | None, kind: str, dedupe: str, title: str, detail: str) -> None:
    book.afterwards.append(lambda session: cases.open_case(
        session, book.practice_id, kind=kind, title=title, detail=detail, now=book.now, dedupe=dedupe,
        guarantor_id=visit.guarantor_id if visit else None, visit_id=visit.visit_id if visit else None))


def _hold(book: Book, visit: VisitState, kind: str, dedupe: str, amount_minor: int | None, reason: str) -> None:
    book.afterwards.append(lambda session: holds.place(
        session, practice_id=book.practice_id, guarantor_id=visit.guarantor_id, kind=kind, reason=reason,
        source="remittance", placed_by=book.actor, now=book.now, visit_id=visit.visit_id, amount_minor=amount_minor,
        dedupe=dedupe))


def release_waiver(book: Book, visit: VisitState, claim_row: str) -> None:
    """The answer that asked for a waiver check is taken back, and its hold with it."""
    book.afterwards.append(lambda session: holds.release_by_dedupe(
        session, book.practice_id, f"waiver:{claim_row}", released_by=book.actor, now=book.now,
        reason=undo_queries.PAYER_REVERSED))
