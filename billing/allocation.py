"""Which visits a payment pays, and which accounts a refund takes it back from. Pure; receivables.md D3.

Order: the patient's own instruction, then the plan, then the statement that was answered, then the oldest visit that is
due and not disputed, then the account's credit. Where somebody pays a part of a total without naming visits, or a part
is given back, ``spread`` divides by largest remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a payment, in cents; ``visit_id`` None is the account's unapplied credit."""

    visit_id: str | None
    amount_minor: int


def in_order(amount_minor: int, due: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """(visit id, cents) of ``amount_minor`` over visits in their order, each up to what it is given with, none empty.
    What there is no room for is in no part.
    """
    left, parts = amount_minor, []
    for visit_id, most in due:
        part = min(left, most)
        if part > 0:
            parts.append((visit_id, part))
            left -= part
    return tuple(parts)


def allocate(amount_minor: int, instruction: Iterable[tuple[str, int]], owed: Mapping[str, int],
             *lists: Iterable[tuple[str, int]]) -> tuple[Part, ...]:
    """Spread a payment to the cent.

    ``owed`` is each visit's live patient balance, of this account's visits only. After the instruction, ``lists`` in
    order say what may be put where, oldest visit first; each amount is the most that its visit gets in all. No visit
    ever gets more than it owes; what nobody needs becomes credit.
    """
    left, given = amount_minor, dict[str, int]()
    wants = [(visit_id, wanted, False) for visit_id, wanted in instruction]
    wants += [(visit_id, most, True) for one in lists for visit_id, most in one]
    for visit_id, wanted, in_all in wants:
        got = given.get(visit_id, 0)
        room = max(owed.get(visit_id, 0) - got, 0)
        share = max(min(wanted - got if in_all else wanted, room, left), 0)
        if share:
            given[visit_id] = got + share
            left -= share
    parts = [Part(visit_id, share) for visit_id, share in given.items()]
    return (*parts, Part(None, left)) if left else tuple(parts)


def spread(amount_minor: int, weights: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Divide ``amount_minor`` in proportion to ``weights`` (key, cents), by largest remainder; ties go to the first.

    Sums to the amount exactly, and no key gets more than its weight while the amount is no more than all weights.
    Keys that get nothing are left out. Raises ValueError for a negative amount, or nothing to divide it by.
    """
    known = [(key, weight) for key, weight in weights if weight > 0]
    total = sum(weight for _, weight in known)
    if amount_minor < 0 or (amount_minor and not total):
        raise ValueError("an amount of nothing or more is divided by weights above nothing")
    if not amount_minor:
        return ()
    shares = [amount_minor * weight // total for _, weight in known]
    order = sorted(range(len(known)), key=lambda i: (-(amount_minor * known[i][1] % total), i))
    for place in order[:amount_minor - sum(shares)]:
        shares[place] += 1
    return tuple((key, share) for (key, _), share in zip(known, shares, strict=True) if share)


def take_back(amount_minor: int, credit_minor: int, paid: Sequence[Part]) -> tuple[Part, ...]:
    """Spread money that goes back: from the account's credit first (an overpayment is what is mostly refunded), then
    from the visits that the payment paid, each by its share. A rest that neither holds comes back as fewer cents than
    asked.

    ``credit_minor`` is the credit that this payment may answer for and that is still there.
    """
    credit = max(min(credit_minor, amount_minor), 0)
    visits = [(part.visit_id, part.amount_minor) for part in paid if part.visit_id is not None]
    rest = min(amount_minor - credit, sum(minor for _, minor in visits))
    taken = [Part(visit_id, minor) for visit_id, minor in spread(max(rest, 0), visits)]
    return (Part(None, credit), *taken) if credit else tuple(taken)
