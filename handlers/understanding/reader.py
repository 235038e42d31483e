"""Text in, Reading out: fixed words first, then the grammar of yes and no, then the model. Slots by grammar alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from handlers.core import Reading, Slots, State
from handlers.understanding import choices, dates, fixed, grammar
from handlers.understanding.folding import fold, unaccent, words
from handlers.understanding.foreign import find_foreign
from handlers.understanding.languages import find_language, weigh_language
from handlers.understanding.model.classify import KNOWN, Guess, classify, classify_many

#: Names that only the conversation uses, and what they are in the published list of intents.
_PUBLISHED = {"stop_which": "plan", "medical": "out_of_scope", "anger": "out_of_scope", "bankrupt": "human",
              "attorney": "human"}
_THUMBS = ("\U0001f44d", "\u2705", "\U0001f44c")
#: What code decides by its own words the model may hear in other words too, when it is this sure (DESIGN.md: it may
#: add an opt-out, never take one away). Consent is restored by START alone (T-12), so opt_in is not among them.
_HEARD_BY_MODEL = {"opt_out": 0.85, "emergency": 0.75, "wrong_number": 0.75, "human": 0.6}
#: What is grave when it is misheard has to be heard clearly, in words and not in numbers.
_GRAVE = {"deceased": 0.75, "bankrupt": 0.7, "attorney": 0.7, "emergency": KNOWN, "opt_out": KNOWN}
_TOLD = 2  # words
UNSURE = 0.4
#: Dying in a manner of speaking.
_MANNER_OF_SPEAKING = re.compile(
    r"\b(?:death of (?:me|us)|killing me|bored to death|scared to death|dying (?:to|for|of)|die laughing|dead tired|"
    r"me muero de (?:risa|hambre|pena|verguenza|sueno|calor|frio|ganas|coraje)|me (?:mata|matan|estan matando) con)\b")
#: Neither a yes nor a no nor a wish; whoever does not know is helped by the question put again.
_UNDECIDED = frozenset({
    "i dont know", "dont know", "idk", "i do not know", "not sure", "im not sure", "i am not sure", "maybe", "perhaps",
    "hmm", "hm", "um", "well", "depends", "it depends", "no se", "pues no se", "no lo se", "quien sabe", "quizas",
    "quiza", "tal vez", "a lo mejor", "puede ser", "depende", "no estoy seguro", "no estoy segura", "pues", "este"})
_BUT = re.compile(r"^(?:\W*\w+){1,4}?\W+(?:but|pero)\b\W*(?=\w)", re.IGNORECASE)
_SMALL = frozenset({"yes", "no", "back", "greeting", "thanks", "goodbye", "repeat"})
_MONEY_ALONE = 4  # words: "$50 please", nothing else said
_MONEY_WORDS = words(
    "dollar dollars bucks usd us dolar dolares and y con cents centavos please pls por favor fifty twenty thirty forty "
    "hundred cien cincuenta veinte treinta cuarenta doscientos ok now today ahora hoy")


def read(text: str, language: str, today: date, state: State | None = None) -> Reading:
    """Read one text. ``language`` is the conversation's, used where the text does not tell; ``today`` is the
    practice-local day; ``state`` tells by data["expects"] what was asked for (amount, choice, identity).
    """
    reading = _by_rules(text, language, today, state)
    return reading if reading.intent else _by_model(reading, classify(_heart(text)), state)


def prepare(text: str) -> None:
    """Ask the model about a text that is about to be read. It remembers, so that the reading itself is quick: a turn is
    one transaction, and no model runs inside one.
    """
    classify(_heart(text))


def read_many(texts: Sequence[tuple[str, str]], today: date) -> list[Reading]:
    """The same for (text, language) pairs outside a conversation; quicker, since the model reads them together."""
    readings = [_by_rules(text, language, today, None) for text, language in texts]
    open_ = [place for place, reading in enumerate(readings) if not reading.intent]
    for place, guess in zip(open_, classify_many([_heart(readings[place].text) for place in open_]), strict=True):
        readings[place] = _by_model(readings[place], guess, None)
    return readings


def to_json(reading: Reading, language: str = "en", currency: str = "USD") -> dict[str, Any]:
    """One line of ``plainbill understand --jsonl``; ``language`` stands in where the text does not tell."""
    slots, amount = reading.slots, reading.slots.amount_minor
    return {
        "text": reading.text, "language": reading.language or language,
        "intent": _PUBLISHED.get(reading.intent, reading.intent), "confidence": round(reading.confidence, 2),
        "slots": {"amount_minor": amount, "currency": currency if amount is not None else None,
                  "date": slots.date.isoformat() if slots.date else None, "day_of_month": slots.day_of_month,
                  "count": slots.count, "interval": slots.interval, "visit": slots.visit}}


def _by_rules(text: str, language: str, today: date, state: State | None) -> Reading:
    """What code decides; ``intent`` is empty where it decides nothing and the model is asked."""
    expects = str(state.data.get("expects", "")) if state else ""
    found = find_language(text)
    slots = grammar.find_slots(text, found or language, today, expects)
    reading = Reading(text, found, "", 0.0, slots)
    if name := fixed.find_fixed(text):
        if name == "human" and fixed.is_death(fold(text)):  # a person takes that over as well
            return replace(reading, intent="deceased", confidence=1.0, certain=True)
        return replace(reading, intent=_fixed_intent(name, fold(text)), confidence=1.0, fixed=name, certain=True)
    if foreign := find_foreign(text):
        return replace(reading, language="other", intent="out_of_scope", foreign=foreign)
    intent, confidence = _plain_intent(text, slots, today)
    return replace(reading, intent=intent, confidence=confidence, certain=intent in ("yes", "no"))


def _fixed_intent(name: str, folded: str) -> str:
    """An emergency is heard beside any other fixed word, a wrong number beside an opt-out."""
    if fixed.is_emergency(folded):
        return "emergency"
    return "wrong_number" if fixed.is_wrong_number(folded) and name == "opt_out" else name


def _plain_intent(text: str, slots: Slots, today: date) -> tuple[str, float]:
    folded = fold(text)
    if fixed.is_unclear_stop(folded):
        return "stop_which", 0.9
    if fixed.is_limited(folded) or folded == "telegram":  # our own texts say to text that word
        return "preferences", 0.9
    if not folded:
        return ("yes", 0.9) if any(sign in text for sign in _THUMBS) else ("out_of_scope", 0.0)
    if answer := choices.find_yes_no(folded):
        return answer, 0.95
    if folded in _UNDECIDED:
        return "out_of_scope", 0.0
    if slots.amount_minor and _says_only_money(folded):
        return "pay", 0.6  # an offer to pay, which still needs a yes to the exact amount
    if _is_bare(text, slots, today):
        return "out_of_scope", 0.0
    return "", 0.0


def _says_only_money(folded: str) -> bool:
    said = folded.split()
    return len(said) <= _MONEY_ALONE and all(word.isdecimal() or word in _MONEY_WORDS for word in said)


def _is_bare(text: str, slots: Slots, today: date) -> bool:
    """Numbers, dates and places in a list answer a question of ours and mean nothing by themselves."""
    left = dates.without_dates(unaccent(text).lower(), today)
    return bool(slots.choices) or not re.search(r"[^\W\d_]{2}", left)


def _is_one_word(text: str) -> bool:
    """What a bare word does, the fixed lists decide; "stopped" is not "stop"."""
    return len(fold(text).split()) < 2


def _heart(text: str) -> str:
    """What follows the "but" of "yes but why so much": that is what is wanted."""
    match = _BUT.match(text)
    return text[match.end():] if match and choices.find_yes_no(fold(match[0].rsplit(maxsplit=1)[0])) else text


def _by_model(reading: Reading, guess: Guess, state: State | None) -> Reading:
    intent, sure, slots = guess.intent, guess.confidence, reading.slots
    asked = state is not None and state.data.get("expects") == "amount"
    if asked and intent in _SMALL and (slots.amount_minor or slots.ambiguous_amount or slots.amount_is_all):
        intent, sure = "pay", KNOWN  # "better 30" is an amount where one was asked for, whatever it sounds like
    if intent == "pay" and (slots.interval or slots.count):
        intent = "plan"
    if intent in _GRAVE and (sure < _GRAVE[intent] or len(re.findall(r"[^\W\d_]{2,}", reading.text)) < _TOLD):
        sure = min(sure, UNSURE)
    if intent == "emergency" and _MANNER_OF_SPEAKING.search(fold(reading.text)):
        intent, sure = "out_of_scope", 0.0
    if sure < KNOWN:
        intent = "out_of_scope"  # a guess that nobody may act on
    heard = intent if sure >= _HEARD_BY_MODEL.get(intent, 2) and not _is_one_word(reading.text) else ""
    language = weigh_language(reading.text, reading.language, guess.spanish)
    return replace(reading, language=language, intent=intent, confidence=sure, fixed=heard)
