"""The console's words: the same in every language, none missing, none left over; kept libraries as released."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from templates.web import console

HERE = Path(console.__file__).parent
DIGESTS = {
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "pico.min.css": "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def flat(words: dict[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        here = f"{path}.{key}" if path else key
        found |= flat(value, here) if isinstance(value, dict) else {here: value}
    return found


@pytest.mark.parametrize("language", console.LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_placeholders(language: str) -> None:
    english, other = flat(console.words("en")), flat(console.words(language))
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", other[key])) == sorted(re.findall(r"\{\w+\}", text)), key
        assert text.strip(), key


def test_spanish_is_not_english_left_standing() -> None:
    english, spanish = flat(console.words("en")), flat(console.words("es"))
    same = [key for key, text in english.items() if len(text.split()) > 2 and spanish[key] == text]
    assert same == []


def test_every_word_that_a_page_names_is_there() -> None:
    words = flat(console.words("en"))
    tables = {key.rpartition(".")[0] for key in words} | set(console.words("en"))
    for path in HERE.glob("*.html"):
        for named in re.findall(r"\bw\.([a-z_]+(?:\.[a-z_]+)+)", path.read_text(encoding="utf-8")):
            word = named.removesuffix(".items").removesuffix(".format")
            assert word in words or word in tables, f"{path.name}: {named}"


def test_no_page_has_code_or_style_inside_it_or_asks_another_host() -> None:
    for path in HERE.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src=)|hx-on|https?://|javascript:", text)
        assert found is None, path.name
        assert "|safe" not in text, path.name


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_kept_libraries_are_as_their_makers_released_them(name: str) -> None:
    content = (HERE.parent / "vendor" / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == DIGESTS[name]


def test_no_word_is_named_like_what_every_table_can_do() -> None:
    """``w.frame.keys`` would print a method, and StrictUndefined would not notice."""
    assert [key for key in flat(console.words("en")) if set(key.split(".")) & set(dir({}))] == []
