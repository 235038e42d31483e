"""Patterns to sentences: ``[pay|settle] my bill [please|]`` with ``{amount}`` and its like filled in."""

from __future__ import annotations

import random
import re

from training.corpora import Utterance

PER_PATTERN = 10
PER_CLASS = 500
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_BLANK = re.compile(r"\{(\w+)\}")

FILLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "amount": ("$50", "$25", "40 dollars", "100", "$120.50", "20 bucks", "fifty dollars", "$1,200", "75"),
        "date": ("friday", "the 15th", "next friday", "12/15", "tomorrow", "march 3", "the end of the month", "monday",
                 "next week", "payday", "the first"),
        "count": ("3", "4", "six", "12", "two", "five", "10"),
        "interval": ("month", "week", "two weeks", "other week"),
        "person": ("my husband", "my mom", "my wife", "my son", "my daughter", "my dad", "my grandmother", "my brother",
                   "my kid", "me"),
        "payer": ("medicare", "medicaid", "blue cross", "aetna", "my insurance", "united", "cigna", "humana",
                  "tricare"),
        "provider": ("the doctor", "the clinic", "your office", "the hospital", "the lab", "the dentist"),
        "month": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                  "november", "december"),
        "language": ("spanish", "english", "español"),
        "biller": ("electric", "water", "gas", "phone", "cell phone", "cable", "internet", "trash", "power",
                   "credit card",
                   "car", "rent", "mortgage", "tuition", "hoa", "dentist", "hospital", "medical", "lab", "ambulance",
                   "heating", "insurance", "student loan", "tv", "streaming", "visa", "utility", "doctor"),
        "utility": ("electric", "water", "gas", "phone", "cable", "internet", "trash", "power", "credit card", "car",
                    "rent", "tuition", "hoa", "tv", "student loan", "mortgage", "store", "car insurance"),
        "company": ("verizon", "comcast", "at&t", "t-mobile", "duke energy", "spectrum", "the electric company",
                    "the hospital", "my landlord", "the water company", "amex", "chase", "netflix", "labcorp", "quest",
                    "the clinic", "my dentist", "the bank"),
        "tongue": ("french", "german", "chinese", "italian", "mandarin", "portuguese", "russian", "arabic", "korean",
                   "japanese", "vietnamese", "greek", "creole", "tagalog", "hindi", "polish"),
        "reason": ("i lost my job", "it's too much", "i was never there", "it's wrong", "i got laid off",
                   "i'm on disability", "money is tight"),
    },
    "es": {
        "amount": ("$50", "$25", "40 dólares", "100", "$120.50", "20 dolares", "cincuenta dólares", "$1,200", "75"),
        "date": ("el viernes", "el 15", "el próximo viernes", "12/15", "mañana", "el 3 de marzo", "fin de mes",
                 "el lunes", "la próxima semana", "el día primero"),
        "count": ("3", "4", "seis", "12", "dos", "cinco", "10"),
        "interval": ("mes", "semana", "quincena", "dos semanas"),
        "person": ("mi esposo", "mi mamá", "mi esposa", "mi hijo", "mi hija", "mi papá", "mi abuela", "mi hermano",
                   "mi niño", "mí"),
        "payer": ("medicare", "medicaid", "blue cross", "aetna", "mi seguro", "united", "cigna", "humana",
                  "mi aseguranza"),
        "provider": ("el doctor", "la clínica", "su oficina", "el hospital", "el laboratorio", "el dentista"),
        "month": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
                  "noviembre", "diciembre"),
        "language": ("español", "inglés", "english"),
        "biller": ("de la luz", "del agua", "del gas", "del teléfono", "del celular", "del cable", "de internet",
                   "de la tarjeta de crédito", "del carro", "de la renta", "de la hipoteca", "de la escuela",
                   "del dentista", "del hospital", "del laboratorio", "de la ambulancia", "del seguro", "de la basura"),
        "utility": ("de la luz", "del agua", "del gas", "del teléfono", "del cable", "de internet", "de la renta",
                    "de la tarjeta de crédito", "del carro", "de la escuela"),
        "company": ("verizon", "telmex", "movistar", "la compañía de luz", "el hospital", "el casero", "t-mobile",
                    "la compañía del agua", "la clínica", "el dentista", "el banco", "netflix", "labcorp"),
        "tongue": ("francés", "alemán", "chino", "italiano", "portugués", "ruso", "árabe", "coreano", "japonés",
                   "vietnamita", "criollo", "mandarín"),
        "reason": ("perdí mi trabajo", "es mucho dinero", "nunca estuve ahí", "está mal", "me despidieron",
                   "estoy incapacitado", "ando corto de dinero"),
    },
}


def expand(patterns: list[Utterance], seed: int) -> list[Utterance]:
    """Up to PER_PATTERN different sentences of each pattern and PER_CLASS of a class and language, by chance."""
    by_class: dict[tuple[str, str], list[Utterance]] = {}
    for pattern in patterns:
        chance = random.Random(f"{seed} {pattern.text}")
        lines = dict.fromkeys(fill(pattern.text, pattern.language, chance) for _ in range(PER_PATTERN))
        made = [Utterance(line, pattern.label, pattern.language, "pattern") for line in lines]
        by_class.setdefault((pattern.label, pattern.language), []).extend(made)
    kept: list[Utterance] = []
    for name, made in by_class.items():
        random.Random(f"{seed} {name}").shuffle(made)
        kept.extend(made[:PER_CLASS])
    return kept


def fill(pattern: str, language: str, chance: random.Random) -> str:
    """One sentence. Raises KeyError for a placeholder that nobody fills."""
    line = _CHOICE.sub(lambda match: chance.choice(match[1].split("|")), pattern)
    line = _BLANK.sub(lambda match: chance.choice(FILLINGS[language][match[1]]), line)
    return " ".join(line.split())
