"""English or Spanish: switched by asking for it, or by simply writing in it; remembered either way."""

from __future__ import annotations

from billing.commands import SetLanguage
from handlers.core import Decision, Reply, Text, Turn
from handlers.flows import foreign
from handlers.flows.flow import Flow
from handlers.turns import ask
from handlers.understanding.folding import fold

NAME = "language"
STEPS = ("which",)
_SPANISH = frozenset({"spanish", "espanol", "castellano", "espanish"})
_ENGLISH = frozenset({"english", "ingles"})
#: Answers that people give in either language, and that say nothing about theirs.
_NEUTRAL = frozenset({"yes", "no", "back", "repeat"})


def start(turn: Turn, intent: str) -> Decision:
    target = wanted(turn)
    if not target and (iso := foreign.named(turn)):
        return foreign.answer(turn, iso)
    if not target:
        return ask(turn, NAME, "which", {}, Reply("language_ask"))
    return Decision((Reply("language_set"),), language=target).also(SetLanguage(target))


def answer(turn: Turn) -> Decision | None:
    return start(turn, NAME) if wanted(turn) or foreign.named(turn) else None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("language_ask"),)


def wanted(turn: Turn) -> str:
    """The language that was named, or an empty string when none or both were."""
    words = set(fold(turn.reading.text).split())
    spanish, english = bool(words & _SPANISH), bool(words & _ENGLISH)
    if spanish == english:
        return ""
    return "es" if spanish else "en"


def heard(turn: Turn) -> str:
    """The language to go on in when the text is in another than the conversation; empty: no change.

    A language that was chosen gives way only to a whole sentence. English key words that our Spanish texts
    themselves ask for (STOP, HELP, YES) change nothing.
    """
    reading, talk = turn.reading, turn.talk
    if isinstance(turn.message, Text) and turn.message.card_number:
        return ""  # what was cut out left English words behind
    if reading.intent == "language" and (target := wanted(turn)):
        return target if target != talk.language else ""
    spoken, words = reading.language or "", len(reading.text.split())
    if spoken not in ("en", "es") or spoken == talk.language or reading.intent in _NEUTRAL:
        return ""
    if talk.language_chosen:
        return spoken if words >= 4 else ""
    if words < 2 and (spoken == "en" and reading.fixed):
        return ""
    return spoken if words >= 2 or reading.confidence >= 0.9 else ""


FLOW = Flow(NAME, STEPS, ("language",), start, answer, repeat)
