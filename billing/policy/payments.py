"""Cards and processors: T-51, T-52, T-53."""

from __future__ import annotations

import re
from collections.abc import Mapping

from billing.policy.core import Facts, Finding, Rule, withhold

METADATA_KEYS = frozenset({"payment_id", "practice_id", "attempt", "refund_id", "setup_id"})
"""All that a processor without a business associate agreement may be told beside amount and currency."""

_OPAQUE = re.compile(r"[a-z]{1,8}_[0-9a-z]{16,32}|[0-9]{1,4}")


class MetadataRefused(ValueError):
    """Something other than our own opaque ids was about to reach a payment processor."""


def allowed_metadata(mapping: Mapping[str, object]) -> dict[str, str]:
    """Return ``mapping`` as strings. Raises MetadataRefused for any other key, or a value that is no id (T-53)."""
    foreign = sorted(set(mapping) - METADATA_KEYS)
    if foreign:
        raise MetadataRefused(f"metadata {', '.join(foreign)} may not go to a processor; only "
                              f"{', '.join(sorted(METADATA_KEYS))} may")
    clean = {key: str(value) for key, value in mapping.items()}
    for key, value in clean.items():
        if not _OPAQUE.fullmatch(value):
            raise MetadataRefused(f"metadata {key}: not one of our opaque ids")
    return clean


def no_card_number(facts: Facts) -> Finding | None:
    return withhold("the text holds a card number") if facts.message.card_number else None


def within_balance(facts: Facts) -> Finding | None:
    """Never above the live balance, in all and on each visit. What is on plan counts only when the patient asks."""
    charge = facts.charge
    if charge is None or charge.amount_minor is None:
        return None
    if charge.amount_minor <= 0:
        return withhold("nothing to charge")
    open_to = dict(facts.account.payable_visits if charge.early else facts.account.due_visits)
    most = sum(open_to.values()) if charge.early else facts.account.due_now_minor
    if charge.amount_minor > most:
        return withhold(f"{charge.amount_minor} cents are more than the {most} that may be taken now")
    if any(minor > open_to.get(visit_id, 0) for visit_id, minor in charge.amounts):
        return withhold("more than is due on one of the visits")
    if charge.split and sum(minor for _, minor in charge.amounts) != charge.amount_minor:
        return withhold("the split does not add up to the amount")
    return None


RULES = (
    Rule("T-51", "Never charged above the live balance", "12 CFR 1005.10(b), (d); DESIGN.md", "M",
         charge=within_balance),
    Rule("T-52", "No card number in any text", "PCI DSS 3.3, 3.4", "S", no_card_number,
         configured="billing/cards.py; incoming texts are redacted before they are stored"),
    Rule("T-53", "Processors get opaque ids only", "45 CFR 164.502(b)", "S",
         configured="billing/policy/payments.py METADATA_KEYS"),
)
