"""Which visits a payment pays, and which accounts a refund takes it back from. Pure; receivables.md D3.

Order: the patient's own instruction, then the oldest visit that is due and not disputed, then the account's credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a payment, in cents; ``visit_id`` None is the account's unapplied credit."""

    visit_id: str | None
    amount_minor: int


def allocate(amount_minor: int, instruction: Iterable[tuple[str, int]], owed: Mapping[str, int],
             due: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """Spread a payment to the cent.

    ``owed`` is each visit's live patient balance, of this account's visits only; ``due`` what may be asked for now,
    oldest visit first. No visit ever gets more than it owes; what nobody needs becomes credit.
    """
    left, given = amount_minor, dict[str, int]()
    for visit_id, wanted in (*instruction, *due):
        room = max(owed.get(visit_id, 0) - given.get(visit_id, 0), 0)
        share = max(min(wanted, room, left), 0)
        if share:
            given[visit_id] = given.get(visit_id, 0) + share
            left -= share
    parts = [Part(visit_id, share) for visit_id, share in given.items()]
    return (*parts, Part(None, left)) if left else tuple(parts)


def take_back(amount_minor: int, credit_minor: int, paid: Sequence[Part]) -> tuple[Part, ...]:
    """Spread a refund: from the account's credit first (an overpayment is what is mostly refunded), then from the
    visits that the payment paid, last one first. A rest that neither holds comes back as fewer cents than asked.

    ``credit_minor`` is the credit that this payment may answer for and that is still there.
    """
    left = amount_minor
    taken: list[Part] = []
    visits = [part for part in reversed(paid) if part.visit_id is not None]
    for part in (Part(None, credit_minor), *visits):
        share = max(min(part.amount_minor, left), 0)
        if share:
            taken.append(Part(part.visit_id, share))
            left -= share
    return tuple(taken)
