"""The life of a payment as one table. Whatever is not in it is refused: final means final.

Only money overrules an ending: when a processor says that it was paid after all, an expired or cancelled payment
becomes paid, because the alternative is to keep a patient's money and say nothing, and while a bank works on it it is
pending, so that nobody is asked for the same; when a refund fails at the bank or a
lost dispute is won in the end, the money is back and the payment says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from billing.lives import HasStatus, step

CREATED = "created"  # asked for, its link not handed out yet, its charge not made yet
LINK_SENT = "link_sent"  # the patient has the link
PENDING = "pending"  # the processor's page was asked for, or a bank is working on it
NEEDS_PATIENT = "needs_patient"  # the patient's bank wants to ask them first (3-D Secure)
SUCCEEDED = "succeeded"
FAILED = "failed"  # declined; the same link may try again
EXPIRED = "expired"  # the page ran out; the same link may open another
CANCELLED = "cancelled"
REFUNDED = "refunded"
PARTLY_REFUNDED = "partly_refunded"
DISPUTED = "disputed"  # the bank took the money back until the dispute is decided
DISPUTE_LOST = "dispute_lost"  # and keeps it
RETURNED = "returned"  # a bank debit came back after it had been paid

MOVES: Mapping[str, frozenset[str]] = {
    CREATED: frozenset({LINK_SENT, PENDING, NEEDS_PATIENT, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    LINK_SENT: frozenset({PENDING, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    PENDING: frozenset({NEEDS_PATIENT, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    NEEDS_PATIENT: frozenset({PENDING, SUCCEEDED, FAILED, EXPIRED, CANCELLED}),
    FAILED: frozenset({PENDING, SUCCEEDED, EXPIRED, CANCELLED}),
    EXPIRED: frozenset({PENDING, SUCCEEDED, CANCELLED}),
    CANCELLED: frozenset({PENDING, SUCCEEDED}),
    SUCCEEDED: frozenset({PARTLY_REFUNDED, REFUNDED, DISPUTED, DISPUTE_LOST, RETURNED}),
    PARTLY_REFUNDED: frozenset({SUCCEEDED, REFUNDED, DISPUTED, DISPUTE_LOST, RETURNED}),
    REFUNDED: frozenset({SUCCEEDED, PARTLY_REFUNDED, DISPUTED, DISPUTE_LOST, RETURNED}),
    DISPUTED: frozenset({SUCCEEDED, PARTLY_REFUNDED, REFUNDED, DISPUTE_LOST, RETURNED}),
    DISPUTE_LOST: frozenset({SUCCEEDED, PARTLY_REFUNDED, REFUNDED, DISPUTED, RETURNED}),
    RETURNED: frozenset(),
}

#: The processor took money for these at some time.
TOOK_MONEY = frozenset({SUCCEEDED, PARTLY_REFUNDED, REFUNDED, DISPUTED, DISPUTE_LOST, RETURNED})

#: The patient may still pay these by their link.
OPEN = frozenset({CREATED, LINK_SENT, PENDING, FAILED, EXPIRED})

#: Nobody has paid these yet, and somebody still may.
UNDER_WAY = OPEN | {NEEDS_PATIENT}


def may_move(before: str, after: str) -> bool:
    return after in MOVES[before]


def move(payment: HasStatus, after: str) -> None:
    """Take a step of its life. Raises IllegalMove."""
    step("payment", MOVES, payment, after)
