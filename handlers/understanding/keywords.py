"""Intents by key phrases, with room for typing mistakes. A model behind the same ``reader.read`` may replace it.

A phrase counts when its words come in order with at most two others between any two. The longest phrase wins; a
phrase of one word in a long text is weak. Words near a key word (rapidfuzz) are taken for it, words of stopping never.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from handlers.understanding import fixed, phrases_en, phrases_es
from handlers.understanding.folding import fold, words

PHRASES = {"en": phrases_en.PHRASES, "es": phrases_es.PHRASES}
INTENTS = tuple(phrases_en.PHRASES)
KNOWN = 0.5
"""Below this confidence a text counts as not understood."""

_GAP = 2
#: On a tie of words the more cautious reading wins: a person's trouble before a payment.
_RANK = {name: place for place, name in enumerate((
    "deceased", "bankrupt", "attorney", "cannot_pay", "dispute", "already_paid", "insurance_update", "refund_status",
    "are_you_a_robot", "is_this_real", "language", "back", "out_of_scope", "medical", "itemised_bill",
    "insurance_status", "minimum_payment", "plan", "saved_card", "explain", "due_date", "receipt", "statement",
    "balance", "pay", "preferences", "repeat", "capabilities", "goodbye", "thanks", "greeting"))}
_SMALL_TALK = frozenset({"greeting", "thanks", "goodbye"})
_SHORT_ONLY = frozenset({"back", "repeat", "greeting", "thanks", "goodbye", "language"})
_STOPPING = fixed.OPT_OUT | fixed.UNCLEAR | fixed.OPT_IN
#: Common words one letter away from a key word; they are what they are.
_COMMON = words(
    "there their where these those other after about right maybe would could should still never every people "
    "because before money doctor months weeks sister mother father brother plane plans cuando donde desde antes "
    "despues mucho mismo tiempo mejor siempre nunca")


@dataclass(frozen=True, slots=True)
class Guess:
    intent: str
    confidence: float
    language: str


def find_intent(text: str) -> Guess | None:
    """The best guess in either language, or None when no phrase occurs at all."""
    words = [_mend(word) for word in fold(text).split()]
    found = sorted(_guesses(words), key=lambda guess: (-guess[0], _RANK[guess[1].intent]))
    serious = [guess for _, guess in found if guess.intent not in _SMALL_TALK and guess.confidence >= KNOWN]
    if serious:
        return serious[0]
    return found[0][1] if found else None


def _guesses(words: list[str]) -> Iterator[tuple[int, Guess]]:
    """Each phrase that occurs, with its weight: words first, then letters."""
    starts = _starts()
    for place, word in enumerate(words):
        for language, intent, phrase in starts.get(word, ()):
            if _goes_on(phrase[1:], words, place):
                weight = len(phrase) * 1000 + sum(map(len, phrase))
                yield weight, Guess(intent, _confidence(intent, phrase, words), language)


def _confidence(intent: str, phrase: tuple[str, ...], words: list[str]) -> float:
    if intent in _SHORT_ONLY and len(words) > 2 * len(phrase) + 2:
        return 0.3
    if len(phrase) == 1:
        return 0.95 if len(words) == 1 else 0.75 if len(words) <= 6 else 0.55 if len(words) <= 14 else 0.4
    return min(0.95, 0.7 + 0.1 * len(phrase))


def _goes_on(rest: tuple[str, ...], words: list[str], at: int) -> bool:
    for wanted in rest:
        window = words[at + 1:at + 2 + _GAP]
        if wanted not in window:
            return False
        at += 1 + window.index(wanted)
    return True


@lru_cache(maxsize=1)
def _starts() -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """(language, intent, phrase) by the phrase's first word."""
    starts: dict[str, list[tuple[str, str, tuple[str, ...]]]] = defaultdict(list)
    for language, table in PHRASES.items():
        for intent, phrases in table.items():
            for phrase in phrases:
                split = tuple(phrase.split())
                starts[split[0]].append((language, intent, split))
    return dict(starts)


@lru_cache(maxsize=1)
def _key_words() -> frozenset[str]:
    return frozenset(word for phrases in _starts().values() for _, _, phrase in phrases for word in phrase)


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[str, ...]:
    return tuple(sorted(word for word in _key_words() if len(word) >= 5 and word not in _STOPPING))


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    return _key_words() | _STOPPING | _COMMON


@lru_cache(maxsize=4096)
def _mend(word: str) -> str:
    if len(word) < 5 or word in _known_words():
        return word
    found = process.extractOne(word, _vocabulary(), scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    return found[0] if found and found[0][0] == word[0] else word
