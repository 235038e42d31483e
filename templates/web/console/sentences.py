"""Sentences that the program says in English (why a message was withheld, why a step was refused) in the reader's
language: found by what they say, since rows of the store keep them as they were written.

``words/NAME.LANGUAGE.toml`` of FILES have them by key, with {1}, {2} for what changes from one to the next. What stands
in none is shown in English, and marked as English for whoever listens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

#: The files of words that hold sentences.
FILES = ("sentences", "reportsentences", "refusals", "moneyrefusals", "formfaults")
#: Where codes stand inside a sentence, such as the kinds of hold in "held: dispute, audit"; the last one counts.
_CODES = (("formfields", "names"), ("refusalcodes", "codes"), ("holdkinds", ""), ("lists", "states"))
#: A word of a sentence: no number, no name, no citation.
_WORD = re.compile(r"\b[a-z]{2,}\b")
_PLACE = re.compile(r"\{\d\}")
#: Letters of what is tried against the patterns, and how deep one sentence stands inside another. Whatever people type
#: into a reason comes through here too, and none of it may keep a page waiting.
_LONGEST, _DEEPEST = 600, 3


@pass_context
def told(context: Context, sentence: str | None) -> str:
    """The sentence in the page's language; what has none is marked as English. What has no letters is left alone."""
    if not sentence or context["lang"] == "en" or not any(one.isalpha() for one in sentence):
        return sentence or ""
    found = translate(sentence, context["w"])
    return found if found is not None else Markup('<span lang="en">{}</span>').format(sentence)


@pass_context
def if_ours(context: Context, words: str | None) -> str:
    """As ``told``, of what may be a colleague's own words as well: those stay as they are."""
    if not words or context["lang"] == "en":
        return words or ""
    found = translate(words, context["w"])
    return found if found is not None else words


def translate(sentence: str, words: Mapping[str, Any]) -> str | None:
    """None for a sentence that is not known. Several with semicolons or stops between are each looked up, and one that
    stands by itself, as a refusal does, without its capital and full stop.
    """
    if sentence.endswith("."):
        for bare in (f"{sentence[:1].lower()}{sentence[1:-1]}", sentence[:-1]):
            if found := _joined(bare, words):
                return f"{found[0].upper()}{found[1:]}."
    return _joined(sentence, words)


def _joined(sentence: str, words: Mapping[str, Any]) -> str | None:
    """Parts before the whole: a long whole is tried against hundreds of patterns, and is no sentence of its own."""
    for mark in ("; ", ". "):
        if mark in sentence and sentence not in _known()[0]:
            parts = [_one(part, words) for part in sentence.split(mark)]
            if None not in parts:
                return mark.join(part or "" for part in parts)
    return _one(sentence, words)


def _one(sentence: str, words: Mapping[str, Any], depth: int = 0) -> str | None:
    exact, patterns = _known()
    if (key := exact.get(sentence)) is not None:
        return _text(words, key)
    if len(sentence) > _LONGEST or depth > _DEEPEST:
        return None
    matches = ((match, key) for parts, pattern, key in patterns if all(part in sentence for part in parts)
               and (match := pattern.fullmatch(sentence)) is not None)
    return next((found for match, key in matches if (found := _filled(_text(words, key), match, words, depth))), None)


def _filled(text: str, match: re.Match[str], words: Mapping[str, Any], depth: int) -> str | None:
    """What changes is a number, a name, some codes, or a sentence of its own; None where that one is not known: half a
    sentence in each language helps nobody.
    """
    alone = not any(one.isalpha() for one in _PLACE.sub("", text))
    parts = {name: _part(part, words, depth, whole=alone and name == "p1") for name, part in match.groupdict().items()}
    return None if None in parts.values() else _PLACE.sub(lambda place: parts[f"p{place[0][1]}"] or "", text)


def _part(text: str, words: Mapping[str, Any], depth: int, *, whole: bool) -> str | None:
    """``whole``: nothing else says anything, so this has to be a sentence that is known."""
    found = _one(text, words, depth + 1)
    if found is not None:
        return found
    items, codes = text.split(", "), _codes(words)
    if whole or any(len(_WORD.findall(one)) > 2 for one in items if one not in codes):
        return None
    return ", ".join(codes.get(one, one) for one in items)


def _codes(words: Mapping[str, Any]) -> Mapping[str, str]:
    tables: dict[str, str] = {}
    for file, table in _CODES:
        tables |= words[file][table] if table else words[file]
    return tables


Key = tuple[str, str, str]


@cache
def _known() -> tuple[Mapping[str, Key], list[tuple[list[str], re.Pattern[str], Key]]]:
    """English sentences without and with places, each with where its words stand; the most particular first. What
    stands between the places is looked for before the pattern is tried: of hundreds, few have it.
    """
    from templates.web.console import words

    exact: dict[str, Key] = {}
    patterns: list[tuple[str, Key]] = []
    for file in FILES:
        for table, found in words("en")[file].items():
            for name, text in found.items():
                key = (file, table, name)
                if _PLACE.search(text):
                    patterns.append((text, key))
                else:
                    exact[text] = key
    patterns.sort(key=lambda one: -len(_PLACE.sub("", one[0])))
    return exact, [(_PLACE.split(text), _compiled(text), key) for text, key in patterns]


def _compiled(text: str) -> re.Pattern[str]:
    written = re.escape(text)
    return re.compile(re.sub(r"\\\{(\d)\\\}", r"(?P<p\1>.+?)", written), re.DOTALL)


def _text(words: Mapping[str, Any], key: Key) -> str:
    file, table, name = key
    return str(words[file][table][name])
