"""How many SMS segments a text costs, and how to spend fewer on Spanish.

Source of the alphabet and of the limits: 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table) and
TS 23.040 (six octets of header in each part of a longer text): 160/153 septets, 70/67 UCS-2 units (T-17).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENDED = frozenset("^{}\\[~]|€\f")

#: What may be written plainer without changing a word's meaning. Spanish without these four accents stays readable
#: on a phone; with one of them a text falls from 160 characters to 70.
_PLAINER = str.maketrans({
    "á": "a", "í": "i", "ó": "o", "ú": "u", "Á": "A", "Í": "I", "Ó": "O", "Ú": "U", "ç": "c",
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2022": "-",
    "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u00ba": "o", "\u00aa": "a",
})


@dataclass(frozen=True, slots=True)
class Segments:
    """``characters`` are septets for GSM-7 (extension characters weigh two) and 16-bit units for UCS-2."""

    encoding: str
    count: int
    characters: int


def count(body: str) -> Segments:
    """Segments of ``body`` as the carriers bill it; an empty text is one segment."""
    if all(character in GSM7 or character in GSM7_EXTENDED for character in body):
        weights = [2 if character in GSM7_EXTENDED else 1 for character in body]
        return Segments("GSM-7", _parts(weights, 160, 153), sum(weights))
    weights = list(_units(body))
    return Segments("UCS-2", _parts(weights, 70, 67), sum(weights))


def save(body: str) -> str:
    """``body`` without á, í, ó, ú and typographer's signs if, and only if, that costs fewer segments.

    Decided for Spanish SMS: the templates are written with every accent, and a text that fits its segments with them
    keeps them. Where they would double the price and the time on the air (70 characters a part for 160) the four
    vowels that GSM-7 lacks lose theirs, as people write on a phone themselves; é, ñ, ü, ¿ and ¡ always stay.
    """
    plainer = unicodedata.normalize("NFC", body).translate(_PLAINER)
    return plainer if plainer != body and count(plainer).count < count(body).count else body


def _units(body: str) -> Iterator[int]:
    return (len(character.encode("utf-16-be")) // 2 for character in body)


def _parts(weights: list[int], alone: int, joined: int) -> int:
    """A character of two units is never cut between two parts, so parts are filled one by one."""
    if sum(weights) <= alone:
        return 1
    parts, room = 1, joined
    for weight in weights:
        if weight > room:
            parts, room = parts + 1, joined
        room -= weight
    return parts
