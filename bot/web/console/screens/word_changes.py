"""Other words for a message: tried at once, proposed by one person, in force when a second one has read them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from billing import words_changes
from billing.store import words_queries as store
from billing.store.tables import WordsChange
from bot.web.console.fields import Code, Language, LongWords, Reason
from bot.web.console.screens.words import Shown, shown_of, version_of
from bot.web.console.table import Action, Asked, Done, Form, Missing, there
from templates import source, wordcheck
from templates.render import TemplateError


class FaultyWords(ValueError):
    """Words that no second person is asked to read. The text has the codes of what is wrong, and nothing of the words;
    words.try says it all.
    """


class Try(Form):
    template: Code
    language: Language
    words: LongWords


class Propose(Try):
    reason: Reason


class Note(Form):
    note: Reason


@dataclass(frozen=True, slots=True)
class Tried:
    """``faults``: what is wrong; without any the words may be proposed. ``shown`` None: they cannot be filled in."""

    template: str
    language: str
    words: str
    faults: list[wordcheck.Fault]
    shown: Shown | None


def attempt(session: Session, asked: Asked[Try]) -> Done:
    """What is wrong with words, and how they would look; nothing is kept."""
    form = asked.query
    tried = Tried(form.template, form.language, form.words, _faults(form), _safely_shown(form))
    return Done("message_words", form.template, "/words", "", tried, "words_tried")


def _safely_shown(form: Try) -> Shown | None:
    """Only what words may hold is filled in; anything else could run."""
    if wordcheck.check_language(form.template, form.language, form.words):
        return None
    try:
        return shown_of(form.template, form.language, form.words)
    except TemplateError:
        return None


def propose(session: Session, asked: Asked[Propose]) -> Done:
    form = asked.query
    if faults := _faults(form):
        raise FaultyWords("these words do not do: " + ", ".join(dict.fromkeys(one.code for one in faults)))
    row = words_changes.propose(
        session, asked.practice_id, template=form.template, language=form.language, words=form.words,
        shipped_version=source.shipped(form.template, form.language).version, reason=form.reason,
        by=asked.person.login, now=asked.now)
    return Done("words_change", row.id, "/words", "words_proposed", {"wording_id": row.id})


def _faults(form: Try) -> list[wordcheck.Fault]:
    if "/" in form.template or form.template not in source.names(form.language):
        raise Missing
    return wordcheck.check(form.template, form.language, form.words)


def approve(session: Session, asked: Asked[Note]) -> Done:
    row = _waiting(session, asked)
    words_changes.approve(session, asked.practice_id, row.id, by=asked.person.login, note=asked.query.note,
                          shipped_version=version_of(row), policy=asked.policy, now=asked.now)
    return Done("words_change", row.id, "/words", "words_in_force", {"status": row.status})


def decline(session: Session, asked: Asked[Note]) -> Done:
    row = _waiting(session, asked)
    words_changes.decline(session, asked.practice_id, row.id, by=asked.person.login, note=asked.query.note,
                          now=asked.now)
    return Done("words_change", row.id, "/words", "words_declined", {"status": row.status})


def _waiting(session: Session, asked: Asked[Note]) -> WordsChange:
    return there(store.find(session, asked.practice_id, asked.path["wording_id"]))


VIEWS = ()
ACTIONS = (
    Action("words.try", "/words/try", "cases", Try, attempt),
    Action("words.propose", "/words/changes", "cases", Propose, propose),
    Action("words.approve", "/words/changes/{wording_id}/approval", "approve", Note, approve),
    Action("words.decline", "/words/changes/{wording_id}/refusal", "approve", Note, decline),
)
