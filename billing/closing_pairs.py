"""Which line of the bank is which payout, remittance or deposit. Pure: lines and expectations in, pairs out.

A trace number in the bank's text decides (the reassociation trace of 45 CFR 162.1602: TRN02 of the 835 travels with
the payment). Without one, amount and day have to fit, and fit one expectation better than any other: what two
different things could be is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.calendar import is_federal_holiday

#: A shorter number is found in any text by accident.
SHORTEST_TRACE = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A booking at the bank that nothing was matched to. Cents, positive came in."""

    line_id: str
    booked_on: date
    amount_minor: int
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Money that should be seen at the bank around a day. ``kind``: payout, remittance, deposit,
    agency.

    ``earliest`` and ``latest`` are business days before (negative) and after ``due_on``.
    """

    kind: str
    ref: str
    amount_minor: int
    due_on: date
    trace: str = ""
    earliest: int = -3
    latest: int = 3


@dataclass(frozen=True, slots=True)
class Pair:
    line_id: str
    kind: str
    ref: str
    by_trace: bool


def business_days(start: date, end: date) -> int:
    """Business days from ``start`` to ``end``, negative backwards; weekends and federal holidays count for nothing."""
    if end < start:
        return -business_days(end, start)
    days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(1 for day in days if day.weekday() < 5 and not is_federal_holiday(day))


def pair(lines: Sequence[Line], expected: Sequence[Expected]) -> list[Pair]:
    """Pair what can be paired without a doubt, by trace first, then the nearest days first."""
    found = _by_trace(lines, expected)
    while True:
        taken_lines, taken = {p.line_id for p in found}, {(p.kind, p.ref) for p in found}
        more = _nearest([line for line in lines if line.line_id not in taken_lines],
                        [e for e in expected if (e.kind, e.ref) not in taken])
        if not more:
            return found
        found.extend(more)


def _by_trace(lines: Sequence[Line], expected: Sequence[Expected]) -> list[Pair]:
    found: list[Pair] = []
    traced = [e for e in expected if len(e.trace) >= SHORTEST_TRACE]
    for line in lines:
        taken = {p.ref for p in found}
        fitting = [e for e in traced if e.ref not in taken and e.amount_minor == line.amount_minor
                   and names(line.text, e.trace)]
        if len(fitting) == 1:
            found.append(Pair(line.line_id, fitting[0].kind, fitting[0].ref, True))
    return found


def names(text: str, trace: str) -> bool:
    """Whether the bank's text holds the trace as a word of its own; banks pad it with zeros and set it in stars."""
    wanted = trace.upper().lstrip("0")
    return bool(wanted) and any(word.lstrip("0") == wanted for word in re.split(r"[^A-Z0-9-]+", text.upper()))


def _nearest(lines: Sequence[Line], expected: Sequence[Expected]) -> list[Pair]:
    """One round: pairs at the smallest distance that is there without a doubt; each side taken once."""
    ranked = sorted(((best[0], line.booked_on, line.line_id, best[1]) for line in lines
                     if (best := _best(line, expected))), key=lambda r: r[:3])
    found: list[Pair] = []
    taken: set[tuple[str, str]] = set()
    for distance, _, line_id, fitting in ranked:
        free = [e for e in fitting if (e.kind, e.ref) not in taken]
        if distance == ranked[0][0] and free:
            taken.add((free[0].kind, free[0].ref))
            found.append(Pair(line_id, free[0].kind, free[0].ref, False))
    return found


def _best(line: Line, expected: Sequence[Expected]) -> tuple[int, list[Expected]] | None:
    """The nearest expectations of a line; None where none fits, or where two different things do equally well."""
    by_distance: dict[int, list[Expected]] = {}
    for one in expected:
        days = business_days(one.due_on, line.booked_on)
        if one.amount_minor == line.amount_minor and one.earliest <= days <= one.latest and _may_be(line.text, one):
            by_distance.setdefault(abs(days), []).append(one)
    if not by_distance:
        return None
    nearest = sorted(by_distance[min(by_distance)], key=lambda e: e.ref)
    alike = len(nearest) == 1 or {e.kind for e in nearest} == {"payout"}
    return (min(by_distance), nearest) if alike else None


def _may_be(text: str, one: Expected) -> bool:
    """What the bank's own words rule out: Stripe names itself, and payers' EFTs are labelled HCCLAIMPMT (CAQH CORE
    operating rule 370 with the Nacha rules for healthcare EFT).
    """
    words = text.upper()
    if "HCCLAIMPMT" in words:
        return one.kind == "remittance"
    return one.kind == "payout" if "STRIPE" in words else True
