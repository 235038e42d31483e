"""The shipped X12 samples, and records in the shape of the ``NAME.expected.json`` that lies beside each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from billing.importers import x12_835, x12_837
from billing.importers.footing import (
    ContentDigest,
    TransactionSums,
    all_adjustments,
    billed_claim_faults,
    claim_faults,
    claim_flags,
)
from billing.importers.records import (
    Adjustment,
    BilledClaim,
    ClaimCoverage,
    ClaimLine,
    Fault,
    PaidClaim,
    RemittanceClosed,
    RemittanceOpened,
)

FOLDER = Path(__file__).parent.parent / "samples" / "x12"


def sample_names() -> list[str]:
    return sorted(path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.expected.json"))


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.expected.json").read_text())
    return found


def content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@dataclass
class Transaction:
    opened: RemittanceOpened
    claims: list[PaidClaim] = field(default_factory=list)
    closed: RemittanceClosed | None = None


def read_remittances(stream: BinaryIO, notes: list[Fault] | None = None) -> list[Transaction]:
    found: list[Transaction] = []
    for record in x12_835.read(stream, notes=notes):
        if isinstance(record, RemittanceOpened):
            found.append(Transaction(record))
        elif isinstance(record, PaidClaim):
            found[-1].claims.append(record)
        else:
            found[-1].closed = record
    return found


def read_remittance_bytes(data: bytes) -> list[Transaction]:
    return read_remittances(BytesIO(data))


def read_claims(data: bytes, notes: list[Fault] | None = None) -> list[BilledClaim]:
    return list(x12_837.read(BytesIO(data), notes=notes))


def closed_of(transaction: Transaction) -> RemittanceClosed:
    assert transaction.closed is not None, "an SE ends every transaction"
    return transaction.closed


def digest_of(transaction: Transaction) -> str:
    digest = ContentDigest()
    for claim in transaction.claims:
        digest.add(claim)
    return digest.hexdigest(closed_of(transaction).provider_adjustments)


def faults_of(transaction: Transaction) -> list[Fault]:
    sums = TransactionSums(transaction.opened)
    for claim in transaction.claims:
        sums.add(claim)
    found = [fault for claim in transaction.claims for fault in claim_faults(claim)]
    return found + sums.faults(closed_of(transaction))


def flags_of(transaction: Transaction) -> list[Fault]:
    opened = transaction.opened
    return [*opened.flags, *(flag for claim in transaction.claims for flag in claim_flags(claim, opened.paid_on))]


def shown_places(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [
        {"segment": fault.segment, "position": fault.position, "difference_minor": fault.difference_minor}
        for fault in faults
    ]


def shown_remittance(transaction: Transaction) -> dict[str, Any]:
    faults = faults_of(transaction)
    unreadable = any(claim.faults for claim in transaction.claims) or bool(closed_of(transaction).faults)
    return {
        "trace": transaction.opened.trace,
        "paid_minor": transaction.opened.paid_minor,
        "foots": None if unreadable else not faults,
        "claims": [_shown_paid_claim(claim) for claim in transaction.claims],
        "provider_adjustments_minor": sum(item.amount_minor for item in closed_of(transaction).provider_adjustments),
    }


def _shown_paid_claim(claim: PaidClaim) -> dict[str, Any]:
    groups: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for item in all_adjustments(claim):
        groups[item.group] += item.amount_minor
        if item.group == "PR":
            reasons[f"PR-{item.reason}"] += item.amount_minor
    return {
        "claim_id": claim.claim_id,
        "payer_claim_id": claim.payer_claim_id,
        "status_code": claim.status_code,
        "charge_minor": claim.charge_minor,
        "paid_minor": claim.paid_minor,
        "adjustments_minor": dict(groups),
        "patient_responsibility_minor": dict(reasons),
        "service_lines": len(claim.lines),
    }


def shown_billed_claim(claim: BilledClaim) -> dict[str, Any]:
    return {
        "kind": claim.kind,
        "claim_id": claim.claim_id,
        "charge_minor": claim.charge_minor,
        "place_of_service": claim.place_of_service,
        "frequency": claim.frequency,
        "original_reference": claim.original_reference,
        "patient": {
            "surname": claim.patient.surname,
            "given": claim.patient.given,
            "born_on": _shown_day(claim.patient.born_on),
        },
        "coverages": [_shown_coverage(coverage) for coverage in claim.coverages],
        "lines": [_shown_line(line) for line in claim.lines],
        "patient_paid_minor": claim.patient_paid_minor,
        "service_from_on": _shown_day(claim.service_from_on),
        "service_to_on": _shown_day(claim.service_to_on),
        "billing_npi": claim.billing_npi,
        "rendering_name": claim.rendering_name,
        "purpose": claim.purpose,
        "reissued": claim.reissued,
    }


def billed_faults_of(claims: Sequence[BilledClaim]) -> list[Fault]:
    return [fault for claim in claims for fault in billed_claim_faults(claim)]


def _shown_coverage(coverage: ClaimCoverage) -> dict[str, Any]:
    return {
        "rank": coverage.rank,
        "payer_id": coverage.payer_id,
        "member_id": coverage.member_id,
        "is_destination": coverage.is_destination,
        "relation": coverage.relation,
        "paid_minor": coverage.paid_minor,
        "adjustments": _shown_triplets(coverage.adjustments),
        "filing_code": coverage.filing_code,
        "paid_on": _shown_day(coverage.paid_on),
    }


def _shown_line(line: ClaimLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "procedure_code": line.procedure_code,
        "charge_minor": line.charge_minor,
        "service_on": _shown_day(line.service_on),
        "modifiers": list(line.modifiers),
        "revenue_code": line.revenue_code,
        "units": line.units,
        "control_number": line.control_number,
        "adjudications": [
            {
                "payer_id": item.payer_id,
                "paid_minor": item.paid_minor,
                "paid_on": _shown_day(item.paid_on),
                "adjustments": _shown_triplets(item.adjustments),
            }
            for item in line.adjudications
        ],
    }


def _shown_triplets(adjustments: Iterable[Adjustment]) -> list[list[Any]]:
    return [[item.group, item.reason, item.amount_minor] for item in adjustments]


def _shown_day(day: date | None) -> str | None:
    return day.isoformat() if day else None
