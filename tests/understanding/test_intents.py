"""Intents, the language of a text, and the published shape of a reading."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.understanding import read, to_json
from handlers.understanding.model.classify import KNOWN
from tests.understanding import samples

TODAY = date(2026, 11, 3)
CASES = [(intent, text) for intent, texts in samples.INTENTS.items() for text in texts]


@pytest.mark.parametrize(("intent", "text"), CASES, ids=[text for _, text in CASES])
def test_a_plain_wording_of_each_intent_is_understood(intent: str, text: str) -> None:
    assert read(text, "en", TODAY).intent == intent


def test_junk_is_not_understood_and_what_is_understood_says_so() -> None:
    assert read("xkcd qwop", "en", TODAY).confidence < KNOWN
    assert read("what do i owe", "en", TODAY).confidence >= KNOWN
    assert read("what's the weather", "en", TODAY).confidence >= KNOWN


@pytest.mark.parametrize(("text", "language"), [
    ("how much do i owe", "en"), ("cuánto debo", "es"), ("10001", None), ("ok", None), ("hola", "es"),
    ("03/14/1980 10001", None), ("quiero pagar", "es"), ("pay $50 please", "en"), ("STOP", None)])
def test_the_language_is_told_only_where_the_text_tells_it(text: str, language: str | None) -> None:
    assert read(text, "en", TODAY).language == language


@pytest.mark.parametrize(("text", "intent"), [
    ("i forgot my pasword", "out_of_scope"), ("balnce", "balance"), ("insurence paid?", "insurance_status"),
    ("recibo porfavor", "receipt"), ("reembolzo", "refund_status")])
def test_a_typing_mistake_is_mended_and_a_foreign_word_is_not(text: str, intent: str) -> None:
    assert read(text, "en", TODAY).intent == intent


def test_the_published_shape_names_only_published_intents() -> None:
    texts = [*samples.OPT_OUT, *samples.HUMAN, *samples.EMERGENCY, *(text for _, text in CASES)]
    for text in texts:
        shown = to_json(read(text, "en", TODAY))
        assert shown["intent"] in samples.PUBLISHED_INTENTS
        assert list(shown) == ["text", "language", "intent", "confidence", "slots"]
        assert list(shown["slots"]) == ["amount_minor", "currency", "date", "day_of_month", "count", "interval",
        "visit"]


def test_the_published_shape_carries_the_slots() -> None:
    shown = to_json(read("pay $20 on visit 2 on the 15th", "en", TODAY))
    assert shown["slots"] == {"amount_minor": 2000, "currency": "USD", "date": "2026-11-15", "day_of_month": 15,
                              "count": None, "interval": None, "visit": "2"}
    assert to_json(read("in 6 payments every two weeks", "en", TODAY))["slots"]["count"] == 6
    assert to_json(read("cada dos semanas", "es", TODAY))["slots"]["interval"] == "two_weeks"
