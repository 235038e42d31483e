"""How many SMS segments a text takes (GSM 03.38, 3GPP TS 23.038), as Twilio counts them."""

from __future__ import annotations

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "^{}\\[~]|€\f"


def count_segments(text: str) -> int:
    """1 for an empty text; GSM-7 160 or 153 septets a segment, UCS-2 70 or 67 code units."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        weights = [2 if character in _EXTENDED else 1 for character in text]
        return _fill(weights, single=160, several=153)
    weights = [len(character.encode("utf-16-be")) // 2 for character in text]
    return _fill(weights, single=70, several=67)


def _fill(weights: list[int], single: int, several: int) -> int:
    if sum(weights) <= single:
        return 1
    segments, room = 1, several
    for weight in weights:
        # An escape pair or a surrogate pair is never cut in two.
        if weight > room:
            segments, room = segments + 1, several
        room -= weight
    return segments
