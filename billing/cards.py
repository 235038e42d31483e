"""Find card numbers in what people type, and take them out before anything is stored (T-52, PCI DSS 3.x).

A find is a run of 13 to 19 digits, whole groups of it, with at most a space, dash or dot or two between digits, that
begins and is as long as a card brand's numbers and passes the Luhn check. Two telephone numbers in a row look alike;
a run that is grouped as telephone numbers throughout (3-3-4) is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

REPLACEMENT = "[card number removed]"
_REST = "[removed]"

_RUN = re.compile(r"\d(?:[ \t\r\n\u00a0\u2007\u202f.\-\u2010-\u2015]{0,3}\d)*")
_SHORTEST = 13
_GROUP = re.compile(r"\d+")
_EXPIRY_OR_CODE = re.compile(r"(?<![\d$.])(?:\d{1,2} ?[/\-] ?\d{2,4}|\d{3,4})(?![\d.])")

#: Sizes of the groups of a run that is nothing but telephone numbers, each perhaps behind a country code.
_TELEPHONES = re.compile(r"(?:(?:1,)?(?:3,3,4,|3,7,|6,4,|10,))+")

#: First digits and lengths by brand. Beginnings as the networks publish them; checked as text, longest need four.
_BRANDS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile(r"4"), frozenset({13, 16, 18, 19})),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|220[0-4]"), frozenset({16})),
    (re.compile(r"3[47]"), frozenset({15})),
    (re.compile(r"30[0-5]|3[689]"), frozenset(range(14, 20))),
    (re.compile(r"35"), frozenset(range(16, 20))),
    (re.compile(r"6|50|5[6-9]|8[12]"), frozenset(range(13, 20))),
)


@dataclass(frozen=True, slots=True)
class Redacted:
    text: str
    found: bool


def passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def find_cards(text: str) -> list[tuple[int, int]]:
    """Return the spans of card numbers in ``text``, in order and apart from each other."""
    found: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        if run.end() - run.start() < _SHORTEST:
            continue
        groups = [(match[0], run.start() + match.start(), run.start() + match.end())
                  for match in _GROUP.finditer(run[0])]
        if not _are_telephones(groups):
            found.extend(_cards_of(groups))
    return found


def redact(text: str) -> Redacted:
    """Replace each card number, and the expiry and security code behind it, which may not be kept either."""
    spans = find_cards(text)
    if not spans:
        return Redacted(text, False)
    pieces, end = [], 0
    for start, stop in spans:
        pieces.append(_strip(text[end:start]) if end else text[end:start])
        pieces.append(REPLACEMENT)
        end = stop
    pieces.append(_strip(text[end:]))
    return Redacted("".join(pieces), True)


def _strip(text: str) -> str:
    return _EXPIRY_OR_CODE.sub(_REST, text)


def _cards_of(groups: list[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(groups):
        last = _longest_card(groups, at)
        if last is None:
            at += 1
        else:
            yield groups[at][1], groups[last][2]
            at = last + 1


def _longest_card(groups: list[tuple[str, int, int]], first: int) -> int | None:
    digits, best = "", None
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > 19:
            break
        if _is_card(digits):
            best = last
    return best


def _is_card(digits: str) -> bool:
    brand = any(start.match(digits) and len(digits) in lengths for start, lengths in _BRANDS)
    return brand and len(set(digits)) > 1 and passes_luhn(digits)


def _are_telephones(groups: list[tuple[str, int, int]]) -> bool:
    return _TELEPHONES.fullmatch("".join(f"{len(group)}," for group, _, _ in groups)) is not None
