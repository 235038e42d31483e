"""Everything that the model is shown, each text with its weight: written lines, patterns, mangled copies, noise."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from training.corpora import Utterance, key_of
from training.patterns import expand
from training.typing_noise import mangle

COPIES = 1
"""Mangled copies of each written line and of each sentence made from a pattern."""
WEIGHTS = {"written": 1.0, "pattern": 0.5, "typed": 0.5, "noise": 0.5}


@dataclass(frozen=True, slots=True)
class Sample:
    """One training text. ``label`` is the class; the weight says how much a mistake on it costs; ``kept_back`` is True
    for what the first of the two fits must not see, ``typed`` for mangled copies.
    """

    text: str
    label: str
    language: str
    weight: float
    kept_back: bool
    typed: bool = False


def gather(written: Iterable[Utterance], patterns: list[Utterance], noise: Iterable[Utterance], seed: int,
           kept_back: frozenset[str]) -> list[Sample]:
    """``kept_back`` holds keys of written texts; their copies, and sentences of patterns like them, go with them."""
    chance = random.Random(seed)
    shown: list[tuple[Utterance, bool]] = []
    for one in (*written, *expand(patterns, seed)):
        shown += [(each, key_of(one.text) in kept_back)
                  for each in (one, *(mangle(one, chance) for _ in range(COPIES)))]
    shown += [(one, False) for one in noise]
    return [Sample(one.text, one.label.partition("/")[0], one.language, WEIGHTS[one.origin], kept,
                   one.origin == "typed") for one, kept in shown]
