"""A letter as accessible PDF (PDF/UA-1): words behind a window envelope's address, and the statement they are about.

One letter is one file to the byte, whenever it is asked for: everything in it comes from a print run's own content
(billing/mailing.py) and the statement's snapshot.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from templates import statement
from templates.names import written
from templates.statement_page import frame
from templates.statement_words import day, phone_words

_HERE = Path(__file__).parent
_PAGE = re.compile(rb"/Type\s*/Page\b")


def pdf(letter: Mapping[str, Any], content: Mapping[str, Any] | None) -> bytes:
    """``letter``: body, language, number, practice, name, address, made_on; ``content``: the statement's snapshot, if
    one goes along. Takes about 60 ms: never call it inside a transaction.
    """
    return statement.compiled("letter.typ", page(letter, content))


def pictures(letter: Mapping[str, Any], content: Mapping[str, Any] | None, ppi: int = 110) -> list[bytes]:
    """The same pages as PNG, for a look at them."""
    return statement.drawn("letter.typ", page(letter, content), ppi)


def page(letter: Mapping[str, Any], content: Mapping[str, Any] | None) -> dict[str, Any]:
    """Every string of the letter and of its statement."""
    language, practice = letter["language"], letter["practice"]
    said = _words(language)
    sheet = statement.sheet(content, language) if content is not None else frame(practice, "", language)
    lines = [line.strip() for line in letter["body"].splitlines() if line.strip()]
    return {
        **sheet, "made_on": letter["made_on"], "title": said["title"].format(practice=practice["legal_name"]),
        "letter": {
            "from": frame(practice, "", language)["practice"],
            "to": [written(letter["name"]), *postal_lines(letter["address"])], "day": day(letter["made_on"], language),
            "heading": said["heading"], "paragraphs": lines, "number": said["number"].format(number=letter["number"]),
            "foot": f"{practice['name']} · {phone_words(practice['phone'])}", "with_statement": content is not None}}


def postal_lines(address: str) -> list[str]:
    """Street, what the street needs, town with state and ZIP: at most three lines, as a mail house reads them."""
    parts = [part.strip() for part in re.split(r"[\n,]", address) if part.strip()]
    if len(parts) < 3:
        return parts
    *streets, town, state = parts
    return [*([streets[0], ", ".join(streets[1:])] if len(streets) > 1 else streets), f"{town}, {state}"]


def count_pages(data: bytes) -> int:
    """How many pages a PDF of ours has."""
    return len(_PAGE.findall(data))


@cache
def _words(language: str) -> Mapping[str, str]:
    found: Mapping[str, Mapping[str, str]] = tomllib.loads((_HERE / "letter.toml").read_text(encoding="utf-8"))
    return found.get(language, found["en"])
