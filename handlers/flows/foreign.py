"""A text in a third language: a line in it that the practice had signed off, an interpreter's case, no demands.

Nothing is translated by machine (T-55: 45 CFR 92.201(c)(3)), and nobody is told that we did not understand.
"""

from __future__ import annotations

from dataclasses import replace

from babel import Locale

from handlers.core import Decision, Reply, Turn
from handlers.turns import open_case, stay
from handlers.understanding.folding import fold, words

#: How English and Spanish name the languages of templates/foreign.toml, folded.
_NAMES = {name: iso for iso, names in {
    "zh": "chinese mandarin cantonese chino mandarin cantones", "vi": "vietnamese vietnamita", "ko": "korean coreano",
    "tl": "tagalog filipino", "ar": "arabic arabe", "ru": "russian ruso", "fr": "french frances",
    "ht": "creole kreyol haitian criollo haitiano", "pt": "portuguese portugues", "pl": "polish polaco",
    "it": "italian italiano", "de": "german aleman", "hi": "hindi", "ja": "japanese japones",
    "fa": "farsi persian persa", "bn": "bengali bangla",
    "ur": "urdu", "uk": "ukrainian ucraniano", "he": "hebrew hebreo",
    "el": "greek griego", "th": "thai tailandes", "gu": "gujarati", "pa": "punjabi", "ta": "tamil",
    "am": "amharic amarico", "hy": "armenian armenio", "km": "khmer cambodian camboyano", "lo": "lao laosiano",
    "so": "somali"}.items() for name in names.split()}

_SHORT = 8  # words
_ASKING = words("speak speaks speaking in need want interpreter translator please habla hablan hablo hablar en "
                "necesito quiero interprete traductor favor")


def answer(turn: Turn, iso: str) -> Decision:
    """Answers and waits where we were: with the next text in our languages the conversation goes on."""
    language = Locale("en").languages.get(iso, iso)
    case = replace(open_case(turn, "interpreter", f"Interpreter needed: {language}", "language_unmet"),
                   dedupe=f"interpreter:{turn.talk.conversation_id}")
    signed = iso if iso in turn.practice.policy.interpreter_lines else ""
    return stay(turn, Reply("foreign", {"iso": signed})).also(case)


def asked_for(turn: Turn) -> str:
    """The same where the text says little else: "do you speak Vietnamese", "en francés por favor"."""
    said = fold(turn.reading.text).split()
    short = len(said) <= _SHORT and (len(said) <= 2 or any(word in _ASKING for word in said))
    return named(turn) if short else ""


def named(turn: Turn) -> str:
    """ISO 639-1 code of a third language that the text asks for by name ("Vietnamese please"), or empty."""
    found = {_NAMES[word] for word in fold(turn.reading.text).split() if word in _NAMES}
    return found.pop() if len(found) == 1 else ""
