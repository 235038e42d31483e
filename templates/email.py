"""An e-mail's two forms, plain text and simple HTML, made of the same reviewed words: nothing is said in one alone.

No picture, no script, no style from elsewhere, nothing that tells us that it was read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
_LINK = re.compile(r"(https?://[^\s<>\"]+[^\s<>\".,;:!?)])")


@dataclass(frozen=True, slots=True)
class Parts:
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a paragraph; ``href`` is empty for words."""

    text: str
    href: str = ""


def parts(body: str, language: str, practice: str, stop_url: str = "") -> Parts:
    """``body``'s lines as paragraphs; ``stop_url`` adds the line that leads to no more of them."""
    said = _words(language)
    paragraphs = [line.strip() for line in body.splitlines() if line.strip()]
    stop = f"{said['stop']} {stop_url}" if stop_url else ""
    page = _environment().get_template("email.html").render(
        language=language if language in ("en", "es") else "en", title=said["title"], practice=practice,
        paragraphs=[pieces(one) for one in paragraphs], stop=said["stop"] if stop_url else "", stop_url=stop_url,
        stop_link=said["stop_link"])
    return Parts("\n\n".join([*paragraphs, *([stop] if stop else [])]) + "\n", page)


def pieces(line: str) -> list[Piece]:
    return [Piece(one, one if _LINK.fullmatch(one) else "") for one in _LINK.split(line) if one]


@cache
def _words(language: str) -> Mapping[str, str]:
    found: Mapping[str, Mapping[str, str]] = tomllib.loads((_HERE / "email.toml").read_text(encoding="utf-8"))
    return found.get(language, found["en"])


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)
