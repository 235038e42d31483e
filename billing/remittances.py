"""Posting an 835: one claim at a time into the batch's book, the provider's adjustments at the end.

Source: DESIGN.md, "Remittances", "Who owes", "Reversals". Whatever happens to a claim, the payment posts in full:
what no visit can take goes to remittance suspense with a case, so that the transfers of a remittance always add up
to BPR02.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from billing import answers, ledger
from billing.adjudication import (
    ANSWERS,
    CROSSED_OVER,
    RANK_OF_STATUS,
    REVERSAL,
    Plan,
    adjudicate,
    adjustments_of,
)
from billing.book import AnswerState, Book, CoverageState, VisitState
from billing.ids import new_id
from billing.importers.footing import claim_flags
from billing.importers.records import PaidClaim, ProviderAdjustment, RemittanceOpened
from billing.locating import Sender, amounts_of, find_coverage, find_visit, is_sender, negates, why_not_now
from billing.opening import add_coverage, open_from_remittance
from billing.store import ledger_queries
from billing.store.book_queries import mark_answer, suspended_amounts

LEDGER_SOURCE = "remittance"


class Outcome(NamedTuple):
    """What was done about one claim; ``outcome``: posted, stored, suspended, skipped."""

    outcome: str
    reason: str
    visit_id: str | None


@dataclass(frozen=True)
class Letter:
    """The remittance being posted."""

    remittance_id: str
    head: RemittanceOpened

    @cached_property
    def sender(self) -> Sender:
        return Sender(self.head.payer_identifier, self.head.payer_id, self.head.payer_name)


def post_claim(book: Book, letter: Letter, claim: PaidClaim, number: int, skip: str = "") -> Outcome:
    """Post one CLP. ``skip`` is the fault of a claim that ``--skip-bad-claims`` leaves out."""
    claim_row = new_id("rcl")
    if skip:
        return _suspend(book, letter, claim, claim_row, number, None, skip, "skipped")
    if claim.status_code == REVERSAL:
        return _reverse(book, letter, claim, claim_row, number)
    visit = find_visit(book.on_file(claim.claim_id), claim, letter.sender)
    if claim.status_code not in ANSWERS:
        return _store(book, letter, claim, claim_row, number, visit)
    opened = visit is None
    if visit is None:
        visit = open_from_remittance(book, claim, claim_row, letter.sender)
    coverage = find_coverage(visit, claim, letter.sender) or add_coverage(book, visit, claim, letter.sender)
    refusal = why_not_now(visit, coverage, claim)
    if refusal:
        return _suspend(book, letter, claim, claim_row, number, visit, refusal, "suspended")
    return _answer(book, letter, claim, claim_row, number, visit, coverage, opened)


def _answer(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int, visit: VisitState,
            coverage: CoverageState, opened: bool) -> Outcome:
    if coverage.claim_of_record == "837":
        answers.take_back_reported(book, visit, coverage)
    if claim.status_code in CROSSED_OVER and not visit.later_than(coverage.rank):
        add_coverage(book, visit, claim, Sender("", "", claim.crossover_payer or "the next insurer"), coverage.rank + 1)
    plan = plan_answer(book, visit, coverage, claim, opened)
    answers.write_claim(book, letter.remittance_id, claim, claim_row, number, visit.visit_id, coverage.coverage_id,
                        "posted", "", plan.treatments)
    answers.post_moves(book, visit, coverage, claim, plan.moves, LEDGER_SOURCE, claim_row,
                       remittance_claim_id=claim_row)
    book.touched.add(visit.visit_id)  # a denial moves nothing, and its payer has answered all the same
    coverage.status = plan.coverage_status
    coverage.remit_payer = coverage.remit_payer or letter.head.payer_identifier or None
    coverage.claim_of_record = "835"
    visit.answers.append(AnswerState(claim_row, coverage.coverage_id, claim.payer_claim_id, claim.charge_minor,
                                     claim.paid_minor, amounts_of(claim)))
    answers.raise_concerns(book, visit, claim, claim_row, plan)
    return Outcome("posted", "; ".join(_remarks(visit, claim, opened)), visit.visit_id)


def plan_answer(book: Book, visit: VisitState, coverage: CoverageState, claim: PaidClaim, opened: bool) -> Plan:
    return adjudicate(
        claim, coverage.as_payer(), [c.as_payer() for c in visit.later_than(coverage.rank)],
        restates=coverage.rank > 1 and not opened, opened=opened,
        contractual=book.contractual_on(claim.service_from_on or visit.service_from_on))


def _remarks(visit: VisitState, claim: PaidClaim, opened: bool) -> list[str]:
    """What was noticed and posted all the same."""
    notes = [flag.reason for flag in claim_flags(claim)]
    if opened:
        notes.insert(0, "not on file: opened from the remittance; confirm guarantor and coverages before billing")
    elif claim.charge_minor != visit.charge_minor and RANK_OF_STATUS.get(claim.status_code, 1) == 1:
        notes.append("the payer's charge (CLP03) differs from the ledger's")
    return notes


def _reverse(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int) -> Outcome:
    visit = find_visit(book.on_file(claim.claim_id), claim, letter.sender)
    target = _answer_to_reverse(visit, claim, letter.sender) if visit else None
    if visit is not None and target is not None:
        return _take_back(book, letter, claim, claim_row, number, visit, target)
    if _waits_in_suspense(book, claim):
        return _suspend(book, letter, claim, claim_row, number, visit,
                        "takes back a claim that is in suspense: together they are nothing", "suspended")
    if visit is None:
        visit = open_from_remittance(book, claim, claim_row, letter.sender)
    if visit.answers:
        return _suspend(book, letter, claim, claim_row, number, visit,
                        "reverses amounts that were never posted for this claim", "suspended")
    coverage = find_coverage(visit, claim, letter.sender) or add_coverage(book, visit, claim, letter.sender)
    answers.take_back_unknown(book, visit, coverage, claim, claim_row)
    return _reversed(book, letter, claim, claim_row, number, visit, coverage,
                     "reverses an answer from before our books: posted against opening balances")


def _waits_in_suspense(book: Book, claim: PaidClaim) -> bool:
    """Whether the claim that this reversal takes back was never posted to a visit."""
    book.flush()
    rows = suspended_amounts(book.session, book.practice_id, book.hash_of(claim.claim_id), claim.payer_claim_id)
    return rows.count((-claim.charge_minor, -claim.paid_minor)) > rows.count((claim.charge_minor, claim.paid_minor))


def _answer_to_reverse(visit: VisitState, claim: PaidClaim, sender: Sender) -> AnswerState | None:
    """The newest answer of just these amounts; where two payers answered alike, the sender's own."""
    own = {c.coverage_id for c in visit.coverages if is_sender(c, sender)}
    fitting = [a for a in reversed(visit.answers) if negates(claim, a)]
    return next((a for a in fitting if a.coverage_id in own), next(iter(fitting), None))


def _take_back(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int, visit: VisitState,
               target: AnswerState) -> Outcome:
    book.flush()  # the answer may be of this very batch, and its transfers need their numbers
    transfers = ledger_queries.of_remittance_claim(book.session, target.remittance_claim_id)
    book.reverse(visit, [t for t in transfers if t.code in answers.TAKEN_BACK], source=LEDGER_SOURCE,
                 ref=f"{claim_row}:takes-back")
    mark_answer(book.session, target.remittance_claim_id, "reversed", claim_row)
    visit.answers.remove(target)
    answers.release_waiver(book, visit, target.remittance_claim_id)
    coverage = next(c for c in visit.coverages if c.coverage_id == target.coverage_id)
    return _reversed(book, letter, claim, claim_row, number, visit, coverage, "reversal of an earlier answer")


def _reversed(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int, visit: VisitState,
              coverage: CoverageState, reason: str) -> Outcome:
    """The payer has to answer again: that is what holds all demands for the visit. A void claim waits for nobody."""
    done = visit.void and not coverage.balance_minor
    coverage.status, coverage.claim_of_record = "closed" if done else "pending", ""
    coverage.remit_payer = coverage.remit_payer or letter.head.payer_identifier or None
    book.touched.add(visit.visit_id)
    treatments = tuple("none" for _ in adjustments_of(claim))
    answers.write_claim(book, letter.remittance_id, claim, claim_row, number, visit.visit_id, coverage.coverage_id,
                        "reversal", reason, treatments)
    return Outcome("posted", reason, visit.visit_id)


def _store(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int,
           visit: VisitState | None) -> Outcome:
    """CLP02 of 23, 25 and the old pended codes answer nothing and bill nobody."""
    if claim.paid_minor:
        return _suspend(book, letter, claim, claim_row, number, visit,
                        f"a payment on a claim that is not answered (CLP02 = {claim.status_code})", "suspended")
    reason = f"CLP02 = {claim.status_code} answers nothing yet: kept on file, bills nobody"
    visit_id = visit.visit_id if visit else None
    answers.write_claim(book, letter.remittance_id, claim, claim_row, number, visit_id, None, "stored", reason,
                        tuple("none" for _ in adjustments_of(claim)))
    return Outcome("stored", reason, visit_id)


def _suspend(book: Book, letter: Letter, claim: PaidClaim, claim_row: str, number: int, visit: VisitState | None,
             reason: str, outcome: str) -> Outcome:
    visit_id = visit.visit_id if visit else None
    answers.write_claim(book, letter.remittance_id, claim, claim_row, number, visit_id, None, outcome, reason,
                        tuple("none" for _ in adjustments_of(claim)))
    answers.post_suspense(book, visit, claim.paid_minor, f"{claim_row}:suspense", claim_row)
    answers.raise_suspense(book, visit, claim_row, reason)
    return Outcome(outcome, reason, visit_id)


def post_provider_adjustment(book: Book, letter: Letter, number: int, adjustment: ProviderAdjustment) -> None:
    """PLB touches the practice's own accounts, never a patient: L6 is interest, the rest is withheld or given back."""
    book.add("provider_adjustments", {
        "remittance_id": letter.remittance_id, "number": number, "position": adjustment.position,
        "reason_code": adjustment.reason, "reference": adjustment.reference, "amount_minor": adjustment.amount_minor})
    if not adjustment.amount_minor:
        return
    other = ledger.wide("interest" if adjustment.reason == "L6" else "withholding")
    book.postings.append(ledger.Posting(
        book.practice_id, other, ledger.wide("payer_clearing"), abs(adjustment.amount_minor), book.policy.currency,
        "provider_adjustment", book.today, LEDGER_SOURCE, f"{letter.remittance_id}:plb:{number}",
        reason=adjustment.reason, import_id=book.import_id).flipped_if(adjustment.amount_minor < 0))
