"""The pages say the same things in every language."""

from __future__ import annotations

import re
from pathlib import Path

from templates import web

_PAGES = Path(web.__file__).parent


def test_every_language_has_the_same_words_with_the_same_marks() -> None:
    english, spanish = web.words("en"), web.words("es")
    assert set(english) == set(spanish)
    marks = re.compile(r"\{(\w+)\}")
    assert {key: sorted(marks.findall(text)) for key, text in english.items()} == {
        key: sorted(marks.findall(text)) for key, text in spanish.items()}


def test_every_word_that_a_page_names_is_there() -> None:
    named = {word for page in _PAGES.glob("*.html") for word in re.findall(r"\bw\.(\w+)", page.read_text("utf-8"))}
    assert named <= set(web.words("en"))


def test_the_language_is_the_chosen_one_then_the_accounts_then_the_browsers() -> None:
    assert web.choose("es", "en") == "es"
    assert web.choose(None, "es", "en-US") == "es"
    assert web.choose("xx", None, "fr-FR,es-MX;q=0.9,en;q=0.8") == "es"
    assert web.choose(None, "") == "en"
