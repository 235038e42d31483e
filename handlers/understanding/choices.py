"""Numbers picked from a list, and plain yes and no. Only where a text says nothing else."""

from __future__ import annotations

import re

from handlers.understanding.folding import words

_ORDINALS = {word: number for number, words in enumerate((
    "first 1st primera primero primer 1a 1ra 1ro", "second 2nd segunda segundo 2a 2da 2do",
    "third 3rd tercera tercero tercer 3a 3ra", "fourth 4th cuarta cuarto 4ta", "fifth 5th quinta quinto 5ta",
    "sixth 6th sexta sexto", "seventh 7th septima septimo", "eighth 8th octava octavo", "ninth 9th novena noveno"), 1)
    for word in words.split()}
_NUMBERS = {"one": 1, "uno": 1, "una": 1, "dos": 2, "tres": 3, "two": 2, "three": 3, "cuatro": 4, "four": 4}
_FILLERS = words(
    "the a and y e la el las los number numero no num option opcion please por favor visit visits visita visitas "
    "pay pagar quiero i want to for de del also tambien choose escojo me gustaria just solo only ones")

YES = words(
    "yes y yeah yep yup ya yea sure ok okay k si sip correct right confirm confirmed claro dale va correcto "
    "exacto absolutely definitely vale sale bueno ye yess yesss sii siii adelante bien please")
NO = words(
    "no n nope nah not now nel nunca never negative negativo")
_YES_PHRASES = frozenset({"go ahead", "do it", "sounds good", "thats right", "that is right", "por supuesto",
                          "de acuerdo", "esta bien", "asi es", "hagale", "yes please", "si por favor",
                          "si claro", "yes thanks", "yes thank you", "si gracias", "yes i do",
                          "yes i agree", "i agree", "acepto", "confirmo", "lets do it", "claro que si", "of course"})
_NO_PHRASES = frozenset({"no thanks", "no thank you", "no gracias", "not now", "ahora no", "not yet", "todavia no",
                         "no quiero", "i dont want to", "no way", "mejor no", "por ahora no", "not today", "hoy no",
                         "no i dont", "no please", "dont", "do not"})
#: Thanks are left out on purpose: "ok thanks" closes a talk, it agrees to nothing.
_POLITE = words(
    "please pls por favor the it is that sir maam")


def find_choices(digits: str) -> tuple[int, ...]:
    """``1 and 3`` -> (1, 3); empty when the text holds any other word, money or a number above 20."""
    if "$" in digits or re.search(r"\d[.,]\d{2}\b", digits):
        return ()
    found: list[int] = []
    for word in re.findall(r"[a-z]+|\d+[a-z]*", digits):
        number = _ORDINALS.get(word) or _NUMBERS.get(word) or (int(word) if word.isdecimal() else 0)
        if 1 <= number <= 20:
            found.append(number)
        elif number or word not in _FILLERS:
            return ()
    if len(found) > 1 and found[-1] == 1 and re.search(r"\b(?:one|una|uno)$", digits):
        found.pop()  # "the third one"
    return tuple(dict.fromkeys(found))


def find_yes_no(folded: str) -> str:
    """``yes`` or ``no`` when the whole text says that and nothing more; anything with a "but" is neither."""
    if folded in _YES_PHRASES:
        return "yes"
    if folded in _NO_PHRASES:
        return "no"
    words = [word for word in folded.split() if word not in _POLITE]
    if not words or len(words) > 4:
        return ""
    if all(word in YES for word in words):
        return "yes"
    return "no" if all(word in NO for word in words) else ""
