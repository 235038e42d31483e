"""Which visits a text names, among those that we know of: by number in our list, by month, by amount, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.views import VisitView
from handlers.core import Turn
from handlers.understanding.dates import MONTHS
from handlers.understanding.folding import fold

#: Words that are months and something else as well: no month in the middle of a sentence.
_ALSO_WORDS = frozenset({"may", "mar", "sep", "ago", "dic", "dec", "jan", "set", "sun", "mayo", "march"})
_BARE = 4  # words: a text that short names nothing but the visit


def listed(visits: Sequence[VisitView]) -> list[list[Any]]:
    """What has to be remembered of a list: [visit id, month, cents]. JSON-able, and no more than the patient saw."""
    return [[one.visit_id, one.service_on.month if one.service_on else 0, one.figures.patient_minor] for one in visits]


def named(turn: Turn, offered: Sequence[Sequence[Any]], by_number: bool) -> list[str]:
    """Ids of the visits that this text names; empty when it names none. ``by_number``: a list was shown."""
    slots = turn.reading.slots
    if slots.amount_is_all:
        return [one[0] for one in offered]
    if by_number:
        numbers = (int(slots.visit),) if slots.visit and slots.visit.isdecimal() else slots.choices
        if numbers:
            return [offered[n - 1][0] for n in numbers] if all(1 <= n <= len(offered) for n in numbers) else []
    months = _months(turn)
    found = [one[0] for one in offered if one[1] in months]
    if found or slots.amount_minor is None:
        return found
    same = [one[0] for one in offered if one[2] == slots.amount_minor]
    return same if len(same) == 1 else []


def _months(turn: Turn) -> frozenset[int]:
    words = fold(turn.reading.text).split()
    months = {MONTHS[word] for word in words if word in MONTHS and (len(words) <= _BARE or word not in _ALSO_WORDS)}
    visit = turn.reading.slots.visit or ""
    return frozenset(months | ({MONTHS[visit]} if visit in MONTHS else set()))
