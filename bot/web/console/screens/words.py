"""The words that patients read, side by side in all languages; a change waits for a second person before anybody else
reads it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import words_changes
from billing.store import words_queries as store
from billing.store.tables import WordsChange
from bot import own_words
from bot.web.console.fields import Code, Maybe, Search, Ticked
from bot.web.console.table import Asked, Form, View, of_practice
from handlers.understanding.folding import unaccent
from templates import languages, page_words, source, wordcheck
from templates.format import LANGUAGES
from templates.render import TemplateError

SHOWN, PAGE = 100, 25
_SHEETS = {"email": "email_", "letter": "letter_"}


class Query(Form):
    """``q``: in a message's name or in its words, in any language; never anything about a patient. ``changed``: only
    messages in the practice's own words, or with a change that waits. ``start``: how many came before this page.
    """

    group: Literal["all", "texts", "email", "letter"] = "texts"
    purpose: Maybe[Code] = None
    q: Maybe[Search] = None
    changed: Ticked = False
    start: int = Field(default=0, ge=0, le=10_000)


class PagesQuery(Form):
    """``q``: in a name or in the words. ``start``: how many came before this page."""

    q: Maybe[Search] = None
    start: int = Field(default=0, ge=0, le=10_000)


class OneQuery(Form):
    template: Code = "help"


@dataclass(frozen=True, slots=True)
class Said:
    language: str
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class MessageLine:
    template: str
    purpose: str
    privacy: str
    said: list[Said]


@dataclass(frozen=True, slots=True)
class Change:
    """``old``: a release has changed the message since, so that these words stand aside. ``mine``: the reader's own."""

    wording_id: str
    template: str
    language: str
    words: str
    before: str
    reason: str
    status: str
    asked_by: str
    asked_at: datetime
    mine: bool
    old: bool
    reviewed_by: str
    reviewed_at: datetime | None
    review_note: str


@dataclass(frozen=True, slots=True)
class AllWords:
    """``total``: how many messages fit what was asked; a page has some of them."""

    messages: list[MessageLine]
    total: int
    languages: list[str]
    waiting: list[Change]


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One language's words as a phone shows them. ``level_tenths``: school grade in English, ease in Spanish."""

    language: str
    text: str
    own: bool
    version: str
    body: str
    segments: int
    encoding: str
    characters: int
    level_tenths: int
    easy: bool


@dataclass(frozen=True, slots=True)
class Message:
    template: str
    purpose: str
    privacy: str
    billed: bool
    placeholders: list[Placeholder]
    buttons: list[str]
    shown: list[Shown]
    history: list[Change]


@dataclass(frozen=True, slots=True)
class PageWord:
    name: str
    said: list[Said]


@dataclass(frozen=True, slots=True)
class PageWords:
    languages: list[str]
    words: list[PageWord]
    total: int


def read(session: Session, asked: Asked[Query]) -> AllWords:
    waiting = store.by_states(session, asked.practice_id, (words_changes.PROPOSED,), SHOWN)
    query, proposed = asked.query, {row.template for row in waiting}
    with own_words.spoken_for(session, asked.practice_id):
        found = [one for one in map(_line, messages(query.group)) if _fits(one, query, proposed)]
        return AllWords(found[query.start:query.start + PAGE], len(found), list(LANGUAGES),
                        [_change(row, asked.person.login) for row in waiting])


def _fits(line: MessageLine, query: Query, proposed: Collection[str]) -> bool:
    changed = line.template in proposed or any(one.own for one in line.said)
    return (query.purpose in (None, line.purpose) and (changed or not query.changed)
            and _holds(query.q, line.template, line.said))


def _holds(wanted: str | None, name: str, said: list[Said]) -> bool:
    """Whether all of the wanted words stand there, accents and capitals apart."""
    text = unaccent(" ".join([name, name.replace("_", " "), *(one.text for one in said)])).casefold()
    return all(one in text for one in unaccent(wanted or "").casefold().split())


def messages(group: str) -> list[str]:
    """The messages that have words of their own; an explanation's sentences are part of others."""
    every = [name for name in source.names(LANGUAGES[0]) if "/" not in name]
    if group == "all":
        return every
    if group in _SHEETS:
        return [name for name in every if name.startswith(_SHEETS[group])]
    return [name for name in every if not name.startswith(tuple(_SHEETS.values()))]


def _line(name: str) -> MessageLine:
    found = [source.load(name, language) for language in LANGUAGES]
    return MessageLine(name, found[0].purpose, found[0].privacy, [
        Said(one.language, one.text, one.version != source.shipped(name, one.language).version) for one in found])


def read_one(session: Session, asked: Asked[OneQuery]) -> Message | None:
    name = asked.query.template
    if "/" in name or name not in source.names(LANGUAGES[0]):
        return None
    with own_words.spoken_for(session, asked.practice_id):
        file, shown = source.load(name, LANGUAGES[0]), [shown_of(name, language) for language in LANGUAGES]
    history = [_change(row, asked.person.login) for row in
               store.of_message(session, asked.practice_id, name, SHOWN)]
    return Message(name, file.purpose, file.privacy, not name.startswith(tuple(_SHEETS.values())),
                   [Placeholder(*one) for one in file.placeholders],
                   [text if label == "#" else label for label, text in file.buttons], shown, history)


def shown_of(name: str, language: str, text: str = "") -> Shown:
    """In force, or with ``text`` instead."""
    found = source.load(name, language)
    words = text or found.text
    it = wordcheck.measure(name, language, words)
    return Shown(language, words, found.version != source.shipped(name, language).version, found.version, it.body,
                 it.segments, it.encoding, it.characters, it.level_tenths, it.easy)


def read_pages(session: Session, asked: Asked[PagesQuery]) -> PageWords:
    """These change with a release alone."""
    found = {language: page_words.every(language) for language in languages.codes()}
    every = [PageWord(key, [Said(one, words.get(key, ""), False) for one, words in found.items()])
             for key in found["en"]]
    fit, start = [one for one in every if _holds(asked.query.q, one.name, one.said)], asked.query.start
    return PageWords(list(found), fit[start:start + PAGE], len(fit))


def _change(row: WordsChange, me: str) -> Change:
    version = version_of(row)
    before = source.load(row.template, row.language).text if version else ""
    return Change(row.id, row.template, row.language, row.words, before, row.reason, row.status, row.asked_by,
                  row.asked_at, row.asked_by == me, row.shipped_version != version, row.reviewed_by or "",
                  row.reviewed_at, row.review_note)


def version_of(row: WordsChange) -> str:
    """Of the message's file today; empty when there is no such message any more."""
    try:
        return source.shipped(row.template, row.language).version
    except TemplateError:
        return ""


VIEWS = (
    View("words", "/words", "read", read, AllWords, Query, of_practice("words")),
    View("words_one", "/words/message", "read", read_one, Message, OneQuery),
    View("words_pages", "/words/pages", "read", read_pages, PageWords, PagesQuery),
)
ACTIONS = ()
