"""How far a former system had come with its reminders: where the calendar here goes on, after a statement of ours.

The old steps count as said as long as the account stands as it was taken over: anything that begins a round anew
(policy ``restart_on``) makes them past. Several visits count by the one that was reminded least, and a visit that was
not taken over by none: nobody hears a graver word about a bill than was earned. A final notice has to be our own, as it
is what placement and the clocks count from (billing/placement_checks.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from billing.dunning import Moved
from billing.store.dunning_queries import PatientMove
from config.dunning_policy import DunningPolicy


def carried(said: Mapping[str, str], due: Collection[str], moves: Sequence[PatientMove], moved: Sequence[Moved],
            calendar: DunningPolicy | None) -> str:
    """The step of our calendar that counts as said for all visits in ``due``; empty: none. ``said``: the step that the
    former system had reached, by visit taken over.
    """
    brought_at = max((one.posted_at for one in moves if one.code == "opening"), default=None)
    if brought_at is None or calendar is None or not due:
        return ""
    if any(one.at > brought_at and one.kind in calendar.restart_on for one in moved):
        return ""
    softer = [step.name for step in calendar.steps if not step.final]
    places = [_place(said.get(visit_id, ""), softer, calendar) for visit_id in due]
    return softer[min(places)] if min(places) >= 0 else ""


def _place(step: str, softer: Sequence[str], calendar: DunningPolicy) -> int:
    """-1: nothing that counts; a final notice of theirs counts as the last one before it."""
    if step in softer:
        return softer.index(step)
    return len(softer) - 1 if any(one.name == step for one in calendar.steps) else -1
