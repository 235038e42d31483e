"""Text in, Reading out: fixed words first, then slots by grammar, then the intent."""

from __future__ import annotations

from datetime import date
from typing import Any

from handlers.core import Reading, Slots, State
from handlers.understanding import choices, fixed, grammar, keywords
from handlers.understanding.folding import fold
from handlers.understanding.languages import find_language

#: Names that only the conversation uses, and what they are in the published list of intents.
_PUBLISHED = {"stop_which": "plan", "medical": "out_of_scope", "bankrupt": "human", "attorney": "human"}
_THUMBS = ("\U0001f44d", "\u2705", "\U0001f44c")


def read(text: str, language: str, today: date, state: State | None = None) -> Reading:
    """Read one text. ``language`` is the conversation's, used where the text does not tell; ``today`` is the
    practice-local day; ``state`` tells by data["expects"] what was asked for (amount, choice, identity).
    """
    expects = str(state.data.get("expects", "")) if state else ""
    found = find_language(text)
    slots = grammar.find_slots(text, found or language, today, expects)
    intent, confidence, spoken = _intent(text, slots)
    name = fixed.find_fixed(text)
    if name:
        intent, confidence = _fixed_intent(name, fold(text)), 1.0
    return Reading(text, found or spoken, intent, confidence, slots, name)


def to_json(reading: Reading, language: str = "en", currency: str = "USD") -> dict[str, Any]:
    """One line of ``plainbill understand --jsonl``; ``language`` stands in where the text does not tell."""
    slots, amount = reading.slots, reading.slots.amount_minor
    return {
        "text": reading.text, "language": reading.language or language,
        "intent": _PUBLISHED.get(reading.intent, reading.intent), "confidence": round(reading.confidence, 2),
        "slots": {"amount_minor": amount, "currency": currency if amount is not None else None,
                  "date": slots.date.isoformat() if slots.date else None, "day_of_month": slots.day_of_month,
                  "count": slots.count, "interval": slots.interval, "visit": slots.visit}}


def _fixed_intent(name: str, folded: str) -> str:
    """An emergency is heard beside any other fixed word, a wrong number beside an opt-out."""
    if fixed.is_emergency(folded):
        return "emergency"
    return "wrong_number" if fixed.is_wrong_number(folded) and name == "opt_out" else name


def _intent(text: str, slots: Slots) -> tuple[str, float, str | None]:
    folded = fold(text)
    if fixed.is_unclear_stop(folded):
        return "stop_which", 0.9, None
    if not folded:
        return ("yes", 0.9, None) if any(sign in text for sign in _THUMBS) else ("out_of_scope", 0.0, None)
    if answer := choices.find_yes_no(folded):
        return answer, 0.95, None
    guess = keywords.find_intent(text)
    if guess is None:
        # Money named and nothing else said: an offer to pay, which still needs a yes to the exact amount.
        return ("pay", 0.6, None) if slots.amount_minor else ("out_of_scope", 0.0, None)
    if guess.intent == "pay" and (slots.interval or slots.count):
        return "plan", guess.confidence, guess.language
    return guess.intent, guess.confidence, guess.language
