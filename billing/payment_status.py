"""The life of a payment as one table. Whatever is not in it is refused: final means final.

Only money overrules an ending: when a processor says that it was paid after all, an expired or cancelled payment
becomes paid, because the alternative is to keep a patient's money and say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

CREATED = "created"  # asked for, its link not handed out yet
LINK_SENT = "link_sent"  # the patient has the link
PENDING = "pending"  # the processor's page was asked for, or a bank is working on it
SUCCEEDED = "succeeded"
FAILED = "failed"  # declined; the same link may try again
EXPIRED = "expired"  # the page ran out; the same link may open another
CANCELLED = "cancelled"
REFUNDED = "refunded"
PARTLY_REFUNDED = "partly_refunded"
DISPUTED = "disputed"  # the bank took the money back until the dispute is decided

MOVES: Mapping[str, frozenset[str]] = {
    CREATED: frozenset({LINK_SENT, PENDING, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    LINK_SENT: frozenset({PENDING, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    PENDING: frozenset({SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    FAILED: frozenset({PENDING, SUCCEEDED, EXPIRED, CANCELLED}),
    EXPIRED: frozenset({PENDING, SUCCEEDED, CANCELLED}),
    CANCELLED: frozenset({SUCCEEDED}),
    SUCCEEDED: frozenset({PARTLY_REFUNDED, REFUNDED, DISPUTED}),
    PARTLY_REFUNDED: frozenset({REFUNDED, DISPUTED}),
    DISPUTED: frozenset({SUCCEEDED, PARTLY_REFUNDED, REFUNDED}),
    REFUNDED: frozenset(),
}

#: The processor took money for these at some time.
TOOK_MONEY = frozenset({SUCCEEDED, PARTLY_REFUNDED, REFUNDED, DISPUTED})

#: The patient may still pay these by their link.
OPEN = frozenset({CREATED, LINK_SENT, PENDING, FAILED, EXPIRED})


class IllegalMove(Exception):
    """A payment was about to take a step that its life does not have."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a payment that is {before} cannot become {after}")
        self.before = before
        self.after = after


class HasStatus(Protocol):
    status: str


def may_move(before: str, after: str) -> bool:
    return after in MOVES[before]


def move(payment: HasStatus, after: str) -> None:
    """Change the status. Raises IllegalMove; nothing else in the program assigns it."""
    if not may_move(payment.status, after):
        raise IllegalMove(payment.status, after)
    payment.status = after
