"""The life of a refund as one table, as payment_status.py is the payment's."""

from __future__ import annotations

from collections.abc import Mapping

from billing.lives import HasStatus, step

WAITING = "waiting"  # for another person's approval
APPROVED = "approved"  # to be sent
SENT = "sent"  # the processor has it, the bank has not said
SUCCEEDED = "succeeded"
FAILED = "failed"  # the money is with the practice (again)
DECLINED = "declined"

MOVES: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({APPROVED, DECLINED}),
    APPROVED: frozenset({SENT, SUCCEEDED, FAILED}),
    SENT: frozenset({SUCCEEDED, FAILED}),
    SUCCEEDED: frozenset({FAILED}),  # a closed account: the bank sends it back days later
    FAILED: frozenset(),
    DECLINED: frozenset(),
}

#: These may still leave the practice.
OPEN = frozenset({WAITING, APPROVED, SENT})


def may_move(before: str, after: str) -> bool:
    return after in MOVES[before]


def move(refund: HasStatus, after: str) -> None:
    """Take a step of its life. Raises IllegalMove."""
    step("refund", MOVES, refund, after)
