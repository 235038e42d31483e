"""The life of an outgoing message as data: which state may follow which, and on what evidence.

Final means final. A delivery report is evidence about the world and may settle states that our own work may not
leave that way; it never takes a later state back.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Status = Literal["queued", "deferred", "withheld", "claimed", "sending", "sent", "delivered", "undelivered", "failed",
                 "unknown", "cancelled"]

STATUSES: Final[tuple[str, ...]] = get_args(Status)

MOVES: Final[dict[str, frozenset[str]]] = {
    "queued": frozenset({"claimed", "deferred", "withheld", "cancelled"}),
    "deferred": frozenset({"queued", "cancelled"}),
    "claimed": frozenset({"queued", "deferred", "withheld", "cancelled", "sending", "failed"}),
    "sending": frozenset({"sent", "queued", "failed", "unknown"}),
    "unknown": frozenset({"sent", "queued", "failed"}),
    "sent": frozenset(),
    "delivered": frozenset(),
    "undelivered": frozenset(),
    "failed": frozenset(),
    "withheld": frozenset(),
    "cancelled": frozenset(),
}
"""What our own work may do. ``unknown`` -> ``queued`` only after two look-ups found nothing, or when a person has said
so of a whole channel (billing/restorations.py); ``failed`` by staff.
"""

_REPORTED: Final = frozenset({"sent", "delivered", "undelivered", "failed"})

REPORTS: Final[dict[str, frozenset[str]]] = {
    "sent": frozenset({"delivered", "undelivered", "failed"}),
    "sending": _REPORTED,
    "unknown": _REPORTED,
    # Put back because two look-ups found nothing, and yet it left: it must not leave again.
    "queued": _REPORTED,
    "claimed": _REPORTED,
    "deferred": _REPORTED,
}
"""What a delivery report about a message that we tried to send may do."""

#: It may have been read: of ``sending`` and ``unknown`` nobody can say that it did not leave.
MAY_HAVE_LEFT: Final = ("sending", "sent", "delivered", "unknown")

FINAL: Final = frozenset({"withheld", "delivered", "undelivered", "failed", "cancelled"})


class IllegalMove(ValueError):
    """A message was to go from one state to another that may not follow it. Names states, never words."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a message that is {before} cannot become {after}")
        self.before = before
        self.after = after


def check_move(before: str, after: str) -> None:
    """Raise IllegalMove unless our work may take a message from ``before`` to ``after``."""
    if after not in MOVES[before]:
        raise IllegalMove(before, after)


def report_moves(before: str, after: str) -> bool:
    """Whether a delivery report changes anything: late and repeated ones do not."""
    return after in REPORTS.get(before, frozenset())
