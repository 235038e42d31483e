"""The register: all rules in the order in which they are asked; the documentation's table is made from it."""

from __future__ import annotations

from billing.policy import (
    campaign,
    carrier,
    collector,
    consent,
    federal,
    hours,
    household,
    modes,
    payments,
    plans,
    privacy,
    stops,
    wishes,
)
from billing.policy.core import Rule

RULES: tuple[Rule, ...] = (
    *modes.FIRST,
    *privacy.FIRST,
    *campaign.RULES,
    *consent.RULES,
    *privacy.RULES,
    *payments.RULES,
    *plans.RULES,
    *carrier.RULES,
    *collector.RULES,
    *federal.RULES,
    *stops.RULES,
    *wishes.RULES,
    *modes.LAST,
    *hours.RULES,
    *wishes.HOURS,
    *collector.HOURS,
    *household.RULES,
)


def rule_by_id(rule_id: str) -> Rule | None:
    return next((rule for rule in RULES if rule.id == rule_id), None)


def as_markdown() -> str:
    """Return the register as a table for docs/."""
    head = ["| Rule | What | Source | Evidence | Since | Where configured |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [_row(rule) for rule in RULES]) + "\n"


def _row(rule: Rule) -> str:
    sides = [name for name, side in (("texts", rule.judge), ("charges", rule.charge)) if side is not None]
    where = f" ({', '.join(rule.jurisdictions)})" if rule.jurisdictions else ""
    return (f"| {rule.id} | {rule.title}{' (' + ' and '.join(sides) + ')' if sides else ''} | {rule.citation}{where} "
            f"| {rule.evidence} | {rule.since} | {rule.configured} |")
