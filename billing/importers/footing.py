"""Does a remittance add up? The balancing rules of the 835 guide (005010X221A1, section 1.10.2.1), as pure checks.

The same arithmetic holds for reversals (CLP02 = 22), whose amounts are negative. Faults refuse, flags never do.
Differences are signed cents: what the file says, less what its parts add up to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from billing.importers.records import (
    Adjustment,
    BilledClaim,
    Fault,
    PaidClaim,
    PaidLine,
    ProviderAdjustment,
    RemittanceClosed,
    RemittanceOpened,
)
from billing.money import dollars

KNOWN_CLAIM_STATUSES = frozenset(
    {
        "1",
        "2",
        "3",
        "4",
        "5",
        "10",
        "13",
        "15",
        "16",
        "17",
        "19",
        "20",
        "21",
        "22",
        "23",
        "25",
        "27",
    }
)
"""CLP02 of 004010 and 005010 (element 1029)."""

_OLDEST_SERVICE_YEARS = 10
_DIGEST_MODULUS = 1 << 256


def claim_faults(claim: PaidClaim) -> list[Fault]:
    """Why a claim cannot be posted; empty where it foots.

    Unreadable amounts come alone: sums over them would only mislead.
    """
    if claim.faults:
        return list(claim.faults)
    claim_level_minor = adjusted_minor = _adjusted_minor(claim.adjustments)
    found: list[Fault] = []
    for line in claim.lines:
        line_minor = _adjusted_minor(line.adjustments)
        adjusted_minor += line_minor
        found += _line_fault(claim, line, line_minor)
    return [
        *_charge_fault(claim, adjusted_minor),
        *found,
        *_payment_fault(claim, claim_level_minor),
    ]


def claim_flags(claim: PaidClaim, paid_on: date | None = None) -> list[Fault]:
    """What is odd about a claim and posted all the same; ``paid_on`` is BPR16."""
    found = list(claim.flags)
    patient_minor = patient_responsibility_minor(claim)
    if claim.reported_patient_minor is not None and claim.reported_patient_minor != patient_minor:
        difference = claim.reported_patient_minor - patient_minor
        reason = (
            f"CLP05 reports {dollars(claim.reported_patient_minor)} as the patient's part, the PR adjustments add up "
            f"to {dollars(patient_minor)}: the adjustments are used"
        )
        found.append(Fault(claim.position, "CLP", reason, difference, claim.claim_id))
    if claim.status_code not in KNOWN_CLAIM_STATUSES:
        found.append(
            Fault(
                claim.position,
                "CLP",
                "CLP02 is no known claim status",
                None,
                claim.claim_id,
            )
        )
    return [*found, *_date_flags(claim, paid_on)]


def opened_flags(opened: RemittanceOpened, known_payees: Collection[str]) -> list[Fault]:
    """Oddities of the payment itself; ``known_payees`` are the practice's NPIs and tax ids (N1*PE)."""
    found = list(opened.flags)
    if opened.payee_id not in known_payees:
        reason = "the payee (N1*PE) is none of the practice's provider numbers: is this file for another practice?"
        found.append(Fault(opened.position, "N1", reason))
    return found


def patient_responsibility_minor(claim: PaidClaim) -> int:
    """All PR adjustments of the claim and its lines."""
    return sum([item.amount_minor for item in all_adjustments(claim) if item.group == "PR"])


def all_adjustments(claim: PaidClaim) -> list[Adjustment]:
    """Claim-level adjustments, then those of each line, in file order."""
    found = list(claim.adjustments)
    for line in claim.lines:
        found += line.adjustments
    return found


def billed_claim_faults(claim: BilledClaim) -> list[Fault]:
    """Why a billed claim cannot be charged: an unreadable amount, no lines, or lines that are not CLM02.

    CLM02 is the sum of the claim's service lines (005010X222A1 and X223A2, CLM02); the ledger charges by line, so a
    difference has nowhere to go.
    """
    if claim.faults:
        return list(claim.faults)
    if not claim.lines:
        return [
            Fault(
                claim.position,
                "CLM",
                "the claim has no service lines",
                claim.charge_minor,
                claim.claim_id,
            )
        ]
    lines_minor = sum(line.charge_minor for line in claim.lines)
    if lines_minor == claim.charge_minor:
        return []
    difference = claim.charge_minor - lines_minor
    reason = (
        f"the claim charges {dollars(claim.charge_minor)} (CLM02) but its service lines add up to "
        f"{dollars(lines_minor)}, {_apart(difference)}: correct it in the billing system and export it again"
    )
    return [Fault(claim.position, "CLM", reason, difference, claim.claim_id)]


@dataclass(slots=True)
class TransactionSums:
    """Running totals of one 835 transaction, fed claim by claim."""

    opened: RemittanceOpened
    claims: int = 0
    charge_minor: int = 0
    paid_minor: int = 0

    def add(self, claim: PaidClaim) -> None:
        self.claims += 1
        self.charge_minor += claim.charge_minor
        self.paid_minor += claim.paid_minor

    def faults(self, closed: RemittanceClosed) -> list[Fault]:
        """Unreadable PLB amounts, else BPR02 against the claims' CLP04 less the provider adjustments."""
        if closed.faults:
            return list(closed.faults)
        adjusted_minor = sum(item.amount_minor for item in closed.provider_adjustments)
        expected_minor = self.paid_minor - adjusted_minor
        difference = self.opened.paid_minor - expected_minor
        if difference == 0:
            return []
        reason = (
            f"the payment is {dollars(self.opened.paid_minor)} (BPR02) but the claims' payments of "
            f"{dollars(self.paid_minor)} less provider adjustments of {dollars(adjusted_minor)} (PLB) are "
            f"{dollars(expected_minor)}, {_apart(difference)}: ask the payer for a corrected remittance"
        )
        return [
            Fault(
                self.opened.payment_position or self.opened.position,
                "BPR",
                reason,
                difference,
            )
        ]


@dataclass(slots=True)
class ContentDigest:
    """A running digest of a transaction's amounts, to tell a copy from a correction.

    Covers status, CLP01, CLP07, CLP03, CLP04, every CAS, every SVC and PLB. Bytes, delimiters, line breaks, control
    numbers and the order of claims, of lines and of adjustments do not count: claims are added up as numbers.
    """

    total: int = 0
    claims: int = 0

    def add(self, claim: PaidClaim) -> None:
        self.claims += 1
        self.total = (self.total + _claim_number(claim)) % _DIGEST_MODULUS

    def hexdigest(self, provider_adjustments: Iterable[ProviderAdjustment]) -> str:
        """64 hexadecimal digits."""
        tail = sorted((item.reason, item.reference, item.amount_minor) for item in provider_adjustments)
        return hashlib.sha256(repr((self.claims, self.total, tail)).encode()).hexdigest()


def _claim_number(claim: PaidClaim) -> int:
    lines = sorted([(*_line_facts(line), _triplets(line.adjustments)) for line in claim.lines])
    content = (
        claim.status_code,
        claim.claim_id,
        claim.payer_claim_id,
        claim.charge_minor,
        claim.paid_minor,
        _triplets(claim.adjustments),
        lines,
    )
    return int.from_bytes(hashlib.sha256(repr(content).encode()).digest(), "big")


_line_facts = attrgetter("procedure_code", "modifiers", "revenue_code", "charge_minor", "paid_minor")
_triplet = attrgetter("group", "reason", "amount_minor")


def _triplets(adjustments: Iterable[Adjustment]) -> list[tuple[str, str, int]]:
    return sorted(map(_triplet, adjustments))


def _charge_fault(claim: PaidClaim, adjusted_minor: int) -> list[Fault]:
    difference = claim.charge_minor - claim.paid_minor - adjusted_minor
    if difference == 0:
        return []
    reason = (
        f"the charge is {dollars(claim.charge_minor)} (CLP03) but payment {dollars(claim.paid_minor)} (CLP04) and "
        f"adjustments {dollars(adjusted_minor)} (CAS) explain {dollars(claim.charge_minor - difference)}, "
        f"{_apart(difference)}: ask the payer what became of the rest"
    )
    return [Fault(claim.position, "CLP", reason, difference, claim.claim_id)]


def _line_fault(claim: PaidClaim, line: PaidLine, adjusted_minor: int) -> list[Fault]:
    difference = line.charge_minor - line.paid_minor - adjusted_minor
    if difference == 0:
        return []
    reason = (
        f"the service line's charge is {dollars(line.charge_minor)} (SVC02) but payment {dollars(line.paid_minor)} "
        f"(SVC03) and adjustments {dollars(adjusted_minor)} (CAS) explain "
        f"{dollars(line.charge_minor - difference)}, {_apart(difference)}"
    )
    return [Fault(line.position, "SVC", reason, difference, claim.claim_id)]


def _payment_fault(claim: PaidClaim, claim_level_minor: int) -> list[Fault]:
    if not claim.lines:
        return []
    lines_minor = sum([line.paid_minor for line in claim.lines])
    difference = claim.paid_minor - (lines_minor - claim_level_minor)
    if difference == 0:
        return []
    reason = (
        f"the claim's payment is {dollars(claim.paid_minor)} (CLP04) but its service lines' payments of "
        f"{dollars(lines_minor)} less claim adjustments of {dollars(claim_level_minor)} are "
        f"{dollars(claim.paid_minor - difference)}, {_apart(difference)}"
    )
    return [Fault(claim.position, "CLP", reason, difference, claim.claim_id)]


def _date_flags(claim: PaidClaim, paid_on: date | None) -> list[Fault]:
    from_on, to_on = claim.service_from_on, claim.service_to_on
    reasons = []
    if from_on and to_on and to_on < from_on:
        reasons.append("the service ends before it begins (DTM*232, DTM*233)")
    if paid_on and to_on and to_on > paid_on:
        reasons.append("the service lies after the payment date (BPR16)")
    if paid_on and from_on and paid_on.year - from_on.year > _OLDEST_SERVICE_YEARS:
        reasons.append(f"the service lies more than {_OLDEST_SERVICE_YEARS} years before the payment")
    return [Fault(claim.position, "DTM", reason, None, claim.claim_id) for reason in reasons]


def _adjusted_minor(adjustments: Iterable[Adjustment]) -> int:
    return sum([item.amount_minor for item in adjustments])


def _apart(difference: int) -> str:
    return f"a difference of {dollars(abs(difference))}"
