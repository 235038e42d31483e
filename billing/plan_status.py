"""The life of an instalment plan as one table. Whatever is not in it is refused: final means final.

Only money overrules an ending: when a bank takes the last payment of a completed plan back, the plan is behind again,
because the alternative is a plan that says "paid" over a balance that is not. A defaulted plan stays defaulted: what
is left of it is due as any other bill, and a new plan may be agreed for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from billing.lives import HasStatus, step

OFFERED = "offered"  # outside policy: waits for the approval of a person
AWAITING_AUTHORIZATION = "awaiting_authorization"  # the patient has the terms, and has not agreed yet
ACTIVE = "active"  # kept so far
BEHIND = "behind"  # an instalment is missed
CURED = "cured"  # was behind, and has caught up
PAUSED = "paused"  # nothing is asked for or charged until it is resumed
DEFAULTED = "defaulted"  # too many missed
COMPLETED = "completed"  # all paid, or nothing left to pay
CANCELLED = "cancelled"
SUPERSEDED = "superseded"  # another plan took its place

_ENDS = frozenset({COMPLETED, CANCELLED, SUPERSEDED})

MOVES: Mapping[str, frozenset[str]] = {
    OFFERED: frozenset({AWAITING_AUTHORIZATION, CANCELLED, SUPERSEDED}),
    AWAITING_AUTHORIZATION: frozenset({ACTIVE, CANCELLED, SUPERSEDED}),
    ACTIVE: frozenset({BEHIND, PAUSED}) | _ENDS,
    BEHIND: frozenset({CURED, PAUSED, DEFAULTED}) | _ENDS,
    CURED: frozenset({BEHIND, PAUSED}) | _ENDS,
    PAUSED: frozenset({ACTIVE, BEHIND, CURED}) | _ENDS,  # back to what the facts say it is; never from here to default
    COMPLETED: frozenset({BEHIND}),
    DEFAULTED: frozenset(),
    CANCELLED: frozenset(),
    SUPERSEDED: frozenset(),
}

#: Nobody has agreed yet.
PROPOSED = frozenset({OFFERED, AWAITING_AUTHORIZATION})

#: Their schedule says when their visits are due.
RUNNING = frozenset({ACTIVE, CURED, BEHIND, PAUSED})

#: Instalments are noticed, charged and missed.
COLLECTING = frozenset({ACTIVE, CURED, BEHIND})

ENDED = frozenset({DEFAULTED, COMPLETED, CANCELLED, SUPERSEDED})


def may_move(before: str, after: str) -> bool:
    return after in MOVES[before]


def move(plan: HasStatus, after: str) -> None:
    """Take a step of its life. Raises IllegalMove."""
    step("plan", MOVES, plan, after)
