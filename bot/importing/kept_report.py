"""What is kept of an import's report for the console: its sums, and every claim or row that was not simply posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.importing.report import Report

Kept = dict[str, Any]

#: Claims of a file that are listed with their reasons; the rest is counted.
LISTED = 500
#: What needs nobody's eyes.
_FINE = frozenset({"posted", "duplicate", "stored"})
_SUMS = ("charge_minor", "paid_minor")
#: What the file itself brings: neither what was known before nor what stays out.
_COUNTED = frozenset({"posted", "stored", "suspended"})


def keep(report: Report) -> Kept:
    """Read the report to its end; JSON-able, amounts in cents."""
    kept: Kept = {
        "kind": report.kind, "outcome": report.outcome, "reason": report.reason or "", "import_id": report.import_id,
        "skippable": report.skippable, "tally": dict(report.tally), "notes": list(report.notes), "claims": 0,
        "charge_minor": 0, "paid_minor": 0, "adjusted_minor": 0, "patient_minor": 0, "remittances": [], "faults": [],
        "more_faults": 0, "outcomes": {}}
    for transaction in report.transactions():
        _add_transaction(kept, transaction, report.reason)
    return kept


def _add_transaction(kept: Kept, transaction: Mapping[str, Any], whole: str | None) -> None:
    for claim in transaction["claims"]:
        _add_claim(kept, claim, whole)
    for fault in transaction.get("faults", ()):
        _fault(kept, {"number": fault["line"], "claim_id": "", "outcome": "refused", "reason": fault["reason"]})
    if transaction["trace"] is not None:
        kept["remittances"].append({
            "trace": transaction["trace"], "paid_minor": transaction["paid_minor"], "foots": transaction["foots"],
            "reason": transaction["reason"] or "", "provider_minor": transaction["provider_adjustments_minor"]})


def _add_claim(kept: Kept, claim: Mapping[str, Any], whole: str | None) -> None:
    """A claim that is refused with its whole file, and for nothing of its own, is only counted."""
    kept["claims"] += 1
    outcome = str(claim["outcome"])
    kept["outcomes"][outcome] = kept["outcomes"].get(outcome, 0) + 1
    if outcome in _COUNTED:
        for name in _SUMS:
            kept[name] += claim.get(name) or 0
        kept["adjusted_minor"] += sum((claim.get("adjustments_minor") or {}).get(one, 0) for one in ("CO", "OA", "PI"))
        kept["patient_minor"] += (claim.get("adjustments_minor") or {}).get("PR", 0)
    if outcome not in _FINE and not (outcome == "refused" and claim.get("reason") == whole):
        _fault(kept, {"number": kept["claims"], "claim_id": str(claim.get("claim_id") or ""), "outcome": outcome,
                      "reason": str(claim.get("reason") or ""), "paid_minor": claim.get("paid_minor")})


def _fault(kept: Kept, fault: dict[str, Any]) -> None:
    if len(kept["faults"]) < LISTED:
        kept["faults"].append(fault)
    else:
        kept["more_faults"] += 1


def faults(kept: Kept | None) -> Iterator[dict[str, Any]]:
    """What is listed, each with every field."""
    for one in (kept or {}).get("faults", ()):
        yield {"paid_minor": None, **one}
