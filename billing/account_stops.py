"""What of the gate's rules speaks of an account alone: whom nobody asks for anything, by whatever way, at any hour.

The calendar of reminders, a demand about to be made and a preview all ask here, so that they give one reason.
"""

from __future__ import annotations

from datetime import datetime

from billing.policy import core
from billing.policy.core import AccountFacts, RecipientFacts, Ruling
from billing.policy.register import RULES
from config.practice import PracticePolicy

NOTHING_DUE = "nothing-due"

#: Rules that look at the account only: what they object to, no way and no hour would change.
_OF_THE_ACCOUNT = frozenset({
    "guarantor-unconfirmed", "minor-confidential", "language-unmet", "stale-ledger", "payment-pending",
    "negative-pending", "insurance-pending", "credit-elsewhere", "plan-current", "unfinished-import", "T-57", "T-42"})

_RULES = tuple(rule for rule in RULES if rule.id.startswith("hold:") or rule.id in _OF_THE_ACCOUNT)
_NOTHING = Ruling("withhold", NOTHING_DUE, "nothing is due now")


def stop_of(policy: PracticePolicy, recipient: RecipientFacts, account: AccountFacts, now: datetime) -> Ruling | None:
    """The gate's own objection to asking this account for money; None where it has none."""
    facts = core.Facts(now, "queueing", core.PracticeFacts(policy), core.MessageFacts("reminder"), recipient, account)
    ruling = core.decide(facts, _RULES)
    return None if ruling.sends else ruling


def why_nothing_due(policy: PracticePolicy, recipient: RecipientFacts, account: AccountFacts, now: datetime) -> Ruling:
    """Why an account that owes nothing now is not asked: what keeps its balance from being due, if anything does."""
    return stop_of(policy, recipient, account, now) or _NOTHING
