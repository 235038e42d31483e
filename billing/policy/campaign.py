"""A bulk run's own brakes: each of its messages asks, in the moment of leaving, whether the run still runs."""

from __future__ import annotations

from datetime import timedelta

from billing.policy.core import Facts, Finding, Rule, withhold

PAUSE = timedelta(hours=1)
"""After so long a message of a paused run asks again; billing/campaigns.py wakes it when the run goes on before."""

#: A run whose last account was worked is done; what of it still waits for a legal hour leaves all the same.
RUNNING = frozenset({"sending", "done"})


def campaign_runs(facts: Facts) -> Finding | None:
    status = facts.message.campaign
    if not status or status in RUNNING:
        return None
    if status == "paused":
        return Finding("defer", "the campaign is paused", facts.now + PAUSE)
    return withhold(f"the campaign is {status}, not sending")


PAUSED_BY = "campaign-state"

RULES = (
    Rule(PAUSED_BY, "Nothing of a campaign leaves while it is paused, nor after it was stopped",
         "receivables.md D6", "own", campaign_runs, configured="plainbill campaign pause, resume, stop"),
)
