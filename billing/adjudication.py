"""What a payer's answer means for the ledger, decided purely from the answer and what stands on the books.

Source: DESIGN.md, "Who owes" and "Reversals"; receivables.md D1. Group codes: PR is the patient's (or the next
payer's), CO is written off only for reviewed reasons, everything else stays with the payer as a denial to work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from billing.importers.records import Adjustment, PaidClaim

PATIENT_REASONS = {"1": "deductible", "2": "coinsurance", "3": "copay"}
RANK_OF_STATUS = {"1": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}
CROSSED_OVER = frozenset({"19", "20", "21"})
DENIED, REVERSAL, FORWARDED, PREDETERMINED = "4", "22", "23", "25"
ANSWERS = frozenset({*RANK_OF_STATUS, DENIED})

#: No Medicare cost share may be asked of a Qualified Medicare Beneficiary (T-57).
QMB_REMARKS = frozenset({"N781", "N782", "N783"})


class PayerState(NamedTuple):
    """A coverage as it stands: ``balance_minor`` is its receivable in cents."""

    coverage_id: str
    rank: int
    status: str
    balance_minor: int


class Move(NamedTuple):
    """One transfer to make for this claim, signed: negative turns it round. ``line_number`` 0: claim level."""

    code: str  # payer_payment, suspense, contractual, patient_share, next_payer, prior_payer
    amount_minor: int
    reason: str = ""
    to_coverage_id: str = ""
    line_number: int = 0


class Plan(NamedTuple):
    """``treatments`` has one word for each adjustment, in the order of ``adjustments_of``."""

    moves: tuple[Move, ...]
    treatments: tuple[str, ...]
    coverage_status: str
    waiver_minor: int
    stays_with_payer_minor: int
    excess_minor: int
    qmb: bool


@dataclass(slots=True)
class _Draft:
    left: int | None  # what a later payer may still decide on; None for the first: the whole claim is its own
    later: list[tuple[PayerState, int]]  # later payers with the part of their balance not yet used here
    moves: list[Move] = field(default_factory=list)
    waiver: int = 0
    with_payer: int = 0
    excess: int = 0

    def take(self, amount: int) -> int:
        """Return what of ``amount`` may be posted; the rest is excess. Negative amounts give room back."""
        if self.left is None:
            return amount
        part = min(amount, max(self.left, 0)) if amount > 0 else amount
        self.left -= part
        self.excess += amount - part
        return part

    def add(self, move: Move) -> None:
        """Plan it, unless it moves nothing."""
        if move.amount_minor:
            self.moves.append(move)


def adjustments_of(claim: PaidClaim) -> list[tuple[int, Adjustment]]:
    """Return each (line number, adjustment): claim level first as line 0, then the lines in order."""
    found = [(0, adjustment) for adjustment in claim.adjustments]
    for number, line in enumerate(claim.lines, 1):
        found += [(number, adjustment) for adjustment in line.adjustments]
    return found


def adjudicate(claim: PaidClaim, this: PayerState, later: Sequence[PayerState], *, restates: bool, opened: bool,
               contractual: frozenset[str]) -> Plan:
    """Plan the postings of one answered claim (CLP02 in ANSWERS).

    ``restates``: a later payer restating a claim that earlier payers already reduced, so that it posts up to what is
    left with it. ``opened``: the claim was not on file and this remittance opened it, so that OA-23 is the prior
    payers' part. ``contractual``: the CARCs that CO writes off on the day of service.
    """
    draft = _Draft(this.balance_minor if restates else None, [(p, p.balance_minor) for p in later])
    _plan_payment(draft, claim.paid_minor)
    # PR before CO (DESIGN.md), whatever their order in the file; treatments keep the file's order.
    adjustments = adjustments_of(claim)
    words = [""] * len(adjustments)
    for _, index in sorted([(_TURN.get(a.group, 1), i) for i, (_, a) in enumerate(adjustments)]):
        line, adjustment = adjustments[index]
        words[index] = _plan_adjustment(draft, line, adjustment, this.rank, opened, contractual)
    return Plan(tuple(draft.moves), tuple(words),
                "denied" if claim.status_code == DENIED else "answered", draft.waiver, draft.with_payer,
                draft.excess, _says_qmb(claim, adjustments))


def _says_qmb(claim: PaidClaim, adjustments: Sequence[tuple[int, Adjustment]]) -> bool:
    remarks = [*claim.remarks, *[code for line in claim.lines for code in line.remarks]]
    return not QMB_REMARKS.isdisjoint(remarks) or ("OA", "209") in [(a.group, a.reason) for _, a in adjustments]


_TURN = {"PR": 0, "CO": 2}


def _plan_payment(draft: _Draft, paid_minor: int) -> None:
    posted = draft.take(paid_minor)
    draft.add(Move("payer_payment", posted))
    draft.add(Move("suspense", paid_minor - posted))


def _plan_adjustment(draft: _Draft, line: int, adjustment: Adjustment, rank: int, opened: bool,
                     contractual: frozenset[str]) -> str:
    reason = f"{adjustment.group}-{adjustment.reason}"
    amount = adjustment.amount_minor
    if adjustment.group == "PR":
        return _plan_patient_part(draft, line, adjustment, reason)
    if adjustment.group == "CO" and adjustment.reason in contractual:
        draft.add(Move("contractual", draft.take(amount), reason, "", line))
        return "contractual"
    if reason == "OA-23" and rank > 1:
        if opened:
            draft.add(Move("prior_payer", amount, reason, "", line))
        return "prior_payer"
    draft.with_payer += amount
    return "payer"


def _plan_patient_part(draft: _Draft, line: int, adjustment: Adjustment, reason: str) -> str:
    rest = draft.take(adjustment.amount_minor)
    treatment = "patient"
    for place, (payer, balance) in enumerate(draft.later):
        part = _part_for(payer, balance, rest)
        if part:
            draft.add(Move("next_payer", part, reason, payer.coverage_id, line))
            draft.later[place] = (payer, balance + part)
            rest -= part
            treatment = "next_payer"
    draft.add(Move("patient_share", rest, reason, "", line))
    if rest and adjustment.reason not in PATIENT_REASONS:
        draft.waiver += rest
        return "waiver_check"
    return treatment


def _part_for(payer: PayerState, balance: int, amount: int) -> int:
    """A pending payer takes all. One that already answered takes only what its answer stands on and lost again, when
    an earlier payer reversed: its receivable is below zero by just that.
    """
    if payer.status == "pending":
        return amount
    return min(amount, -balance) if balance < 0 < amount else 0


def contractual_reasons(rows: Sequence[tuple[str, str, str | None]], service_on: str) -> frozenset[str]:
    """Return the CARCs of ``rows`` (reason, since, until as ISO days) in force on ``service_on``."""
    return frozenset(reason for reason, since, until in rows
                     if since <= service_on and (until is None or service_on < until))
