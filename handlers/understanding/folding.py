"""One plain form of a text for looking up words: lower case, no accents, no punctuation, single spaces."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile(r"['\u2018\u2019`\u00b4]")
_NOT_WORD = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """``¿Cuánto debo?`` -> ``cuanto debo``; ``don't`` -> ``dont``. Signs inside numbers go too: see amounts."""
    plain = unaccent(text).casefold()
    return _NOT_WORD.sub(" ", _APOSTROPHES.sub("", plain)).strip()


def words(listed: str) -> frozenset[str]:
    """A set of words from a text that lists them."""
    return frozenset(listed.split())


def unaccent(text: str) -> str:
    """Letters without their accents; ñ becomes n, so that a phone without Spanish keys writes the same word."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
