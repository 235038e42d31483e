"""How a patient wants to be reached: one short menu, and free words straight to what they mean."""

from __future__ import annotations

import re

from handlers.core import Decision, Reply, State, Turn
from handlers.flows import hours, language, privacy, verify, ways
from handlers.flows.flow import Flow
from handlers.turns import ask
from handlers.understanding.folding import fold
from handlers.understanding.times import find_hours

NAME = "preferences"
STEPS = ("menu",)
_MENU = ("language", "hours", "ways", "privacy", "passcode")

_PASSCODE = re.compile(
    r"\b(?:pass ?code|pass ?word|pin|clave|contrasena|codigo (?:de acceso|secreto|personal|propio))\b")
_AMOUNTS = re.compile(r"\b(?:amounts?|cantidad(?:es)?|montos?)\b")
_TELEGRAM = re.compile(r"\btelegram\b")
_EMAIL = re.compile(r"\be ?mails?\b|\bcorreo electronico\b")
_CALL = re.compile(r"\b(?:call|calls|phone me|ring|llam\w+|por telefono)\b")
_TEXT = re.compile(r"\b(?:texts?|text me|texting|texto|textos|mensajes?|escrib\w+)\b")
_PAPER = re.compile(r"\b(?:paper|mail|mailed|letters?|post|papel|cartas?|correo)\b")
_HOURS = re.compile(r"\b(?:hours?|times?|late|early|night|horas?|horario|tarde|temprano|noche)\b")
_WORDS = (("email", _EMAIL), ("paper", _PAPER), ("call", _CALL), ("text", _TEXT))


def start(turn: Turn, intent: str) -> Decision:
    if intent == "amounts":
        return verify.start(turn, intent)
    return _named(turn) or _ask(turn)


def answer(turn: Turn) -> Decision | None:
    choices = turn.reading.slots.choices
    if len(choices) == 1 and choices[0] <= len(_MENU):
        return Decision((), State(after=_MENU[choices[0] - 1]))
    return None if turn.reading.intent == language.NAME else _named(turn)  # switched in between, this list stays


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("preferences_ask"),)


def interrupts(turn: Turn) -> bool:
    """Hours for texts, said in the middle of something else: their numbers are no answer to what was asked."""
    reading = turn.reading
    if reading.intent != NAME or turn.talk.state.flow in (NAME, hours.NAME, ways.NAME, privacy.NAME):
        return False
    heard = find_hours(reading.text)
    return (heard.hours is not None or heard.unclear_hour > 0) and _TEXT.search(fold(reading.text)) is not None


def _ask(turn: Turn) -> Decision:
    return ask(turn, NAME, "menu", {"expects": "choice"}, Reply("preferences_ask"))


def _named(turn: Turn) -> Decision | None:
    """What free words ask for; None when they name nothing of the menu. "Don't call me at work" wants no calls."""
    text, folded = turn.reading.text, fold(turn.reading.text)
    if _PASSCODE.search(folded):
        return Decision((), State(after="passcode"))
    if wish := privacy.find_wish(text):
        return privacy.grant(turn, wish)
    if _AMOUNTS.search(folded):
        return Decision((), State(after="amounts"))
    if _TELEGRAM.search(folded):
        return ways.named(turn, "telegram")
    heard = find_hours(text)
    if (heard.hours or heard.unclear_hour) and not (_CALL.search(folded) and not _TEXT.search(folded)):
        return hours.start(turn, NAME)
    if language.wanted(turn):
        return Decision((), State(after="language"))
    way = next((name for name, pattern in _WORDS if pattern.search(folded)), "")
    if _HOURS.search(folded) and way in ("", "text"):
        return hours.start(turn, NAME)
    return ways.named(turn, way) if way else None


FLOW = Flow(NAME, STEPS, ("preferences", "amounts"), start, answer, repeat)
