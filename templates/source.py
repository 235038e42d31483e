"""A template file: its header, its words, its version. The header says what the words may use and how private they are.

    purpose: reply
    privacy: amounts
    placeholders: amount_minor:money, on:date, url:link
    buttons: Receipt=RECEIPT
    ---
    We received {{ amount_minor|money }} on {{ on|day }}. Receipt: {{ url }} Reply RECEIPT to see it again.

Buttons are for channels that have them; they only repeat what the words offer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
PRIVACY = ("open", "amounts")
PURPOSES = ("reply", "stop_confirmation", "start_confirmation", "help", "emergency", "receipt", "statement",
            "reminder", "notice", "staff", "sentence")
TYPES = ("money", "date", "moment", "text", "link", "phone", "count", "hours", "list", "map", "flag")


class TemplateError(Exception):
    """A template that cannot be used, or arguments that do not fit it. Never carries an argument's value."""


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    language: str
    purpose: str
    privacy: str
    placeholders: tuple[tuple[str, str], ...]  # (name, type); a type ending in "?" may be None
    text: str
    version: str
    buttons: tuple[tuple[str, str], ...] = ()  # (label, text that it stands for); ("#", name): a number for each item

    @property
    def types(self) -> dict[str, str]:
        return dict(self.placeholders)


def names(language: str) -> tuple[str, ...]:
    """Every message there is in ``language``; the sentences of an explanation are named ``explain/...``."""
    root = FOLDER / language
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.txt")))


@dataclass(frozen=True, slots=True)
class OwnWords:
    """A practice's own words for a message. ``instead_of``: the version of the file that they were written for; where a
    release has changed that file they stand aside, as its placeholders may be others.
    """

    text: str
    instead_of: str


#: By (name, language), of the practice that is being spoken for in this moment.
_OWN: ContextVar[Mapping[tuple[str, str], OwnWords]] = ContextVar("own_words", default={})  # noqa: B039 - never changed


@contextmanager
def speaking(own: Mapping[tuple[str, str], OwnWords]) -> Iterator[None]:
    """Until the end of the block messages are in these words, where there are any for them."""
    token = _OWN.set(own)
    try:
        yield
    finally:
        _OWN.reset(token)


def load(name: str, language: str) -> Source:
    """The practice's own words where it has any, else the file's. Raises TemplateError as ``shipped``."""
    own = _OWN.get().get((name, language))
    return shipped(name, language) if own is None else _in_own_words(name, language, own)


@lru_cache(maxsize=1024)
def _in_own_words(name: str, language: str, own: OwnWords) -> Source:
    file = shipped(name, language)
    if own.text == file.text or own.instead_of != file.version:
        return file
    version = hashlib.sha256(f"{file.version}\n{own.text}".encode()).hexdigest()[:12]
    return replace(file, text=own.text, version=version)


@lru_cache(maxsize=1024)
def shipped(name: str, language: str) -> Source:
    """The words as they came with the program. Raises TemplateError naming the file, the header line and what to do."""
    path = FOLDER / language / f"{name}.txt"
    if not path.is_relative_to(FOLDER) or ".." in name or not path.is_file():
        raise TemplateError(f"no template {name!r} in {language!r}: add templates/{language}/{name}.txt")
    raw = path.read_bytes()
    head, found, text = raw.decode("utf-8").partition("\n---\n")
    if not found:
        raise TemplateError(f"templates/{language}/{name}.txt: put a line of --- between header and words")
    fields = _header(head, f"templates/{language}/{name}.txt")
    return Source(name, language, fields["purpose"], fields["privacy"], _placeholders(fields, name, language),
                  text.rstrip("\n"), hashlib.sha256(raw).hexdigest()[:12], _buttons(fields, name, language))


def _header(head: str, file: str) -> dict[str, str]:
    fields: dict[str, str] = {"placeholders": "", "buttons": ""}
    for number, line in enumerate(head.splitlines(), 1):
        key, colon, value = line.partition(":")
        if not colon or key not in ("purpose", "privacy", "placeholders", "buttons"):
            raise TemplateError(f"{file}: line {number}: write purpose:, privacy:, placeholders: or buttons:")
        fields[key] = value.strip()
    if fields.get("privacy") not in PRIVACY or fields.get("purpose") not in PURPOSES:
        raise TemplateError(f"{file}: the header needs a privacy of {PRIVACY} and a purpose of {PURPOSES}")
    return fields


def _placeholders(fields: dict[str, str], name: str, language: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for item in filter(None, (part.strip() for part in fields["placeholders"].split(","))):
        key, _, kind = item.partition(":")
        if kind.removesuffix("?") not in TYPES:
            raise TemplateError(f"templates/{language}/{name}.txt: {key!r} needs a type of {', '.join(TYPES)}")
        pairs.append((key, kind))
    return tuple(pairs)


def _buttons(fields: dict[str, str], name: str, language: str) -> tuple[tuple[str, str], ...]:
    """``Yes=YES, #visits``: a label with the text it stands for, or a number for each item of a list."""
    found = []
    for item in filter(None, (part.strip() for part in fields["buttons"].split(","))):
        label, equals, text = (part.strip() for part in item.partition("="))
        if item.startswith("#"):
            label, text = "#", item[1:]
        if not label or not text or (label != "#" and not equals):
            raise TemplateError(f"templates/{language}/{name}.txt: buttons: write Label=TEXT or #list, with commas")
        found.append((label, text))
    return tuple(found)
