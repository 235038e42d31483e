"""How hard a text is to read: Flesch-Kincaid grade for English, INFLESZ (Szigriszt) for Spanish.

Formulas: Kincaid et al. 1975 (US Navy), grade = 0.39 words/sentence + 11.8 syllables/word - 15.59; Szigriszt Pazos
1992, ease = 206.835 - 62.3 syllables/word - words/sentence, where Barrio-Cantalejo 2008 calls 65 and more "quite
easy", the level of primary school. What a template fills in (names, links, amounts) is not counted: it is a plain word.
"""

from __future__ import annotations

import re
from fractions import Fraction

_LINK = re.compile(r"https?://\S+")
_NUMBER = re.compile(r"[$#(]*\d[\d,.:/()-]*(?: \d{3}-\d{4})?")
_EN_VOWELS = re.compile(r"[aeiouy]+")
_ES_VOWELS = re.compile(r"[aeiouáéíóúü]")
_STRONG = "aeoáéíóú"


#: The school grade that English stays within, and the ease that Spanish reaches.
MOST_GRADE, LEAST_EASE = 6, 65


def grade_english(text: str) -> Fraction:
    sentences, words = _count(text)
    syllables = sum(syllables_english(word) for word in words)
    return Fraction(39 * len(words), 100 * sentences) + Fraction(118 * syllables, 10 * len(words)) - Fraction(1559, 100)


def ease_spanish(text: str) -> Fraction:
    sentences, words = _count(text)
    syllables = sum(syllables_spanish(word) for word in words)
    return Fraction(206_835, 1000) - Fraction(623 * syllables, 10 * len(words)) - Fraction(len(words), sentences)


def syllables_english(word: str) -> int:
    lower = word.lower()
    found = len(_EN_VOWELS.findall(lower))
    if lower.endswith("e") and not lower.endswith(("le", "ee", "ie")) and found > 1:
        found -= 1
    if lower.endswith("ed") and not lower.endswith(("ted", "ded")) and found > 1:
        found -= 1
    return max(found, 1)


def syllables_spanish(word: str) -> int:
    """A vowel is a syllable of its own unless it glides: an unaccented i or u beside another vowel."""
    lower = word.lower().replace("qu", "k").replace("gue", "ge").replace("gui", "gi")
    lower = re.sub(r"y$", "i", lower)
    found, before = 0, ""
    for letter in lower:
        if not _ES_VOWELS.fullmatch(letter):
            before = ""
            continue
        apart = letter in _STRONG and before in _STRONG
        if not before or apart or "í" in (letter, before) or "ú" in (letter, before):
            found += 1
        before = letter
    return max(found, 1)


def _count(text: str) -> tuple[int, list[str]]:
    plain = _NUMBER.sub("ten", _LINK.sub("link.", text))
    sentences = [part for part in re.split(r"[.!?:;\n)]+(?:\s|$)", plain) if re.search(r"\w", part)]
    return max(len(sentences), 1), re.findall(r"[^\W\d_]+(?:'[a-z]+)?", plain) or ["-"]
