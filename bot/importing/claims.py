"""The facts of a claim as ``plainbill import --json`` prints them (docs/interfaces.md); no names, no dates."""

from __future__ import annotations

from typing import Any

from billing.adjudication import adjustments_of
from billing.importers.records import BilledClaim, PaidClaim

GROUPS = ("CO", "PR", "OA", "PI", "CR")


def paid_facts(claim: PaidClaim) -> dict[str, Any]:
    groups = dict.fromkeys(GROUPS, 0)
    patient: dict[str, int] = {}
    for _, a in adjustments_of(claim):
        groups[a.group] = groups.get(a.group, 0) + a.amount_minor
        if a.group == "PR":
            patient[f"PR-{a.reason}"] = patient.get(f"PR-{a.reason}", 0) + a.amount_minor
    return {
        "claim_id": claim.claim_id, "payer_claim_id": claim.payer_claim_id, "status_code": claim.status_code,
        "charge_minor": claim.charge_minor, "paid_minor": claim.paid_minor, "adjustments_minor": groups,
        "patient_responsibility_minor": patient, "service_lines": len(claim.lines)}


def billed_facts(claim: BilledClaim) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id, "payer_claim_id": claim.original_reference or None,
        "status_code": None, "frequency": claim.frequency, "charge_minor": claim.charge_minor,
        "paid_minor": claim.patient_paid_minor, "adjustments_minor": dict.fromkeys(GROUPS, 0),
        "patient_responsibility_minor": {}, "service_lines": len(claim.lines)}
