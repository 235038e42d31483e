"""Names as the office would write them: claim files carry everything in capitals, people do not read that well.

Only a name without any small letter is changed, and only its letters' case: what is stored stays what came in.
"""

from __future__ import annotations

import re

#: Joining words stay small inside a name.
_SMALL = frozenset({"and", "for", "of", "the", "de", "del", "la", "las", "los", "y"})
#: Words of two and three letters that are no initials; any other that short stays as it came (HMO, UHC, MD).
_SHORT = frozenset({"aid", "all", "bay", "dr", "gap", "inc", "jr", "mrs", "ms", "mr", "new", "old", "one", "sr", "st",
                    "san"})
#: Longer words that are initials, and names that are written in a way of their own.
_OWN = {one.upper(): one for one in (
    "AARP", "AFLAC", "AmeriHealth", "BlueCross", "BlueShield", "CareSource", "CHAMPVA", "EmblemHealth", "GEHA",
    "HealthFirst", "TRICARE", "UnitedHealthcare", "WellCare", "WellPoint")}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def written(name: str) -> str:
    """``MEDICARE PART B`` is ``Medicare Part B``, ``ELENA RIVERA, MD`` is ``Elena Rivera, MD``."""
    if not name.isupper():
        return name
    return _WORD.sub(lambda found: _word(found.group(), first=found.start() == 0), name)


def _word(word: str, *, first: bool) -> str:
    low = word.lower()
    if low in _SMALL:
        return word.capitalize() if first else low
    if word in _OWN:
        return _OWN[word]
    if low not in _SHORT and (len(word) < 4 or not re.search("[AEIOUYÁÉÍÓÚÜ]", word)):
        return word
    return "'".join(part.capitalize() for part in word.split("'")) if word[1:2] == "'" else word.capitalize()
