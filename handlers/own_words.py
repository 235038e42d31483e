"""What patients say in their own words: kept as said where it is words at all, let go where it is another subject.

The model may guess a subject from any text, also from the middle of an answer; so a question that takes free words
gives way to another subject only for a short text or a question, never for a sentence that tells us something.
"""

from __future__ import annotations

import re

from handlers.core import Text, Turn
from handlers.understanding.folding import fold
from handlers.understanding.model.classify import KNOWN, SURE

#: Kept of one answer; a text is never longer, a chat message may be.
MOST = 600
_SHORT = 6  # words
_SUBJECTS = frozenset({
    "balance", "explain", "due_date", "statement", "itemised_bill", "insurance_status", "pay", "minimum_payment",
    "plan", "receipt", "refund_status", "saved_card", "language", "capabilities", "is_this_real", "are_you_a_robot",
    "greeting", "thanks", "goodbye", "preferences", "cannot_pay", "dispute", "already_paid", "insurance_update",
    "medical", "stop_which", "help", "opt_out", "opt_in", "human"})
_INITIALS = frozenset({"bcbs", "bcbstx", "bcn", "mvp", "phcs", "cms", "mr", "mrs", "dr", "ct", "mri"})
_VOWEL = re.compile(r"[aeiou]")
_SKIP = re.compile(r"\b(?:skip|omitir|omita|saltar|pasar|dont have (?:it|one|that|the card)|do not have (?:it|one)|"
                   r"not (?:here|with me)|dont know|do not know|not sure|no idea|cant find|no (?:lo|la) tengo|"
                   r"no (?:lo |la )?se|no estoy segur[oa]|no (?:lo|la) encuentro|ni idea)\b")


def is_words(text: str) -> bool:
    """Whether somebody meant to say something: a word that can be spoken, or initials that are names."""
    return any(word in _INITIALS or (len(word) > 1 and _VOWEL.search(word) is not None) for word in fold(text).split())


def is_skip(turn: Turn) -> bool:
    """"Skip", "I don't have it here", "no": on to the next question."""
    return turn.reading.intent == "no" or (
        len(turn.reading.text.split()) <= _SHORT + 2 and _SKIP.search(fold(turn.reading.text)) is not None)


def is_other_subject(turn: Turn, own: frozenset[str]) -> bool:
    """Whether this text leaves the open question for another subject. ``own``: intents that are an answer to it."""
    reading = turn.reading
    needed = SURE if turn.talk.state.data.get("expects") == "name" else KNOWN
    if reading.confidence < needed or reading.intent not in _SUBJECTS - own:
        return False
    return len(reading.text.split()) <= _SHORT or "?" in reading.text


def tells(turn: Turn, own: frozenset[str] = frozenset()) -> bool:
    """Whether this text is an answer in free words."""
    return (turn.reading.intent not in ("yes", "no") and is_words(turn.reading.text)
            and not is_other_subject(turn, own))


def kept(turn: Turn) -> str:
    """The text as it was said, for staff."""
    return turn.reading.text.strip()[:MOST]


def is_picture(turn: Turn) -> bool:
    return isinstance(turn.message, Text) and turn.message.media > 0
