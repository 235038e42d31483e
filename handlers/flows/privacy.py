"""Confidential communication (45 CFR 164.522(b)): granted, recorded, never asked why; a person sets up the other way.

Until then nothing about the account goes to this number of our own accord, and nothing to any of its numbers.
"""

from __future__ import annotations

import re
from dataclasses import replace

from billing.commands import RecordPreference
from handlers import own_words
from handlers.core import Decision, Reply, State, Turn
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, open_case, phone
from handlers.understanding.folding import fold

NAME = "privacy"
STEPS = ("which", "where")

_WHO = (r"(?:husband|wife|spouse|partner|boyfriend|girlfriend|mother|mom|father|dad|parents|family|son|daughter|kids?|"
        r"children|roommate|ex|esposo|esposa|marido|mujer|pareja|novio|novia|mama|papa|madre|padre|padres|familia|"
        r"hijo|hija|hijos|suegra|suegro|compañero)")
_CONFIDENTIAL = re.compile(
    rf"\b(?:keep|hide|tell|know|knows|see|sees|seeing|read|reads|find out|sepa|sepan|vea|vean|lea|lean|entere|enteren|"
    rf"diga|digan|cuente|without|sin que)\b.{{0,40}}\b{_WHO}\b|\b{_WHO}\b.{{0,40}}\b(?:know|see|read|find out|sepa|vea|"
    rf"lea|entere|reads|sees)\b|"
    r"\b(?:private|privately|confidential\w*|privacy|privad[oa]s?|privacidad|confidencial\w*|secret\w*)\b|"
    r"\b(?:dont|do not|not|never|no) (?:\w+ ){0,4}(?:this|my) (?:number|phone|cell)\b|"
    r"\bno (?:\w+ ){0,5}(?:este|a mi) (?:numero|telefono|celular)\b|"
    r"\b(?:another|other|different|otra|otro) (?:address|phone|number|direccion|telefono|numero|domicilio)\b")
_PLACE = re.compile(r"\b(?:at|to) (?:my )?(?:work|job|office|workplace)\b|"
                    r"\b(?:en|a) (?:el |mi |la )?(?:trabajo|oficina)\b|\bal trabajo\b")
_CHANGE = re.compile(
    r"\b(?:new|changed?|changing|update|correct|nuev[oa]|cambi\w+|actualiz\w+) (?:\w+ ){0,3}(?:phone|number|cell|"
    r"address|e ?mail|numero|telefono|celular|direccion|domicilio|correo)\b|"
    r"\b(?:phone|number|address|e ?mail|numero|telefono|direccion|correo) (?:has |is |ha )?(?:changed?|new|cambi\w+|"
    r"nuev[oa])\b|"
    r"\b(?:i|we) (?:have )?moved\b|\b(?:me|nos) (?:mude|mudamos|he mudado|cambie de casa)\b")
_MENU = ("confidential", "place", "amounts")


def find_wish(text: str) -> str:
    """confidential, place or change; empty for none of them."""
    folded = fold(text)
    for name, pattern in (("place", _PLACE), ("change", _CHANGE), ("confidential", _CONFIDENTIAL)):
        if pattern.search(folded):
            return name
    return ""


def start(turn: Turn, intent: str) -> Decision:
    wish = find_wish(turn.reading.text)
    return grant(turn, wish) if wish else ask(turn, NAME, "which", {"expects": "choice"}, Reply("privacy_ask"))


def answer(turn: Turn) -> Decision | None:
    choices = turn.reading.slots.choices
    if turn.talk.state.step == "where":
        named = _PLACE.search(fold(turn.reading.text)) or own_words.tells(turn, frozenset({"preferences"}))
        return _place(turn) if named else None
    if choices == (2,):
        return ask(turn, NAME, "where", {}, Reply("privacy_where"))
    if len(choices) == 1 and choices[0] <= len(_MENU):
        return grant(turn, _MENU[choices[0] - 1])
    wish = find_wish(turn.reading.text)
    return grant(turn, wish) if wish else None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("privacy_where" if turn.talk.state.step == "where" else "privacy_ask"),)


def grant(turn: Turn, wish: str) -> Decision:
    match wish:
        case "amounts":
            return Decision((), State(after="amounts"))
        case "place":
            return _place(turn)
        case "change":
            return _change(turn)
    return _confidential(turn)


def _confidential(turn: Turn) -> Decision:
    account_id = turn.account.account_id if turn.account else None
    case = open_case(turn, "confidential", "Wants to be reached another way: agree on it before closing",
                     "confidential_contact")
    return Decision((Reply("privacy_granted", {"phone": phone(turn)}),)).also(
        RecordPreference("confidential", {"on": True}, turn.reading.text, account_id), case)


def _place(turn: Turn) -> Decision:
    case = replace(open_case(turn, "preferences", "Patient names a place not to call"),
                   dedupe=f"preferences:place:{turn.talk.conversation_id}")
    return Decision((Reply("privacy_place"),)).also(
        RecordPreference("place", {}, turn.reading.text, turn.account.account_id if turn.account else None), case)


def _change(turn: Turn) -> Decision:
    """A number, an address, an e-mail address: never by text alone: whoever holds the phone could take the bills."""
    case = replace(open_case(turn, "preferences", "Patient reports a new number or address: check it with them"),
                   dedupe=f"preferences:change:{turn.talk.conversation_id}")
    return Decision((Reply("contact_change", {"by_at": answer_by(turn)}),)).also(case)


FLOW = Flow(NAME, STEPS, ("privacy",), start, answer, repeat)
