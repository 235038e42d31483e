"""What a visitor could say next as a sample patient: what answers the open question, then what people ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.people import Person
from handlers.core import State

#: In an order that fills the rows of a phone.
_ASKS = {
    "en": ("pay", "human", "this is wrong", "i cant pay", "STOP", "is this a scam?", "are you a robot?",
           "i have other insurance"),
    "es": ("pagar", "persona", "esto está mal", "no puedo pagar", "STOP", "¿es una estafa?", "¿eres un robot?",
           "tengo otro seguro"),
}
_PARTING = {"en": "UNLINK", "es": "DESCONECTAR"}
_YES_NO = {"en": ("yes", "no"), "es": ("sí", "no")}
_AMOUNTS = {"en": ("all", "$20"), "es": ("todo", "$20")}
_CHOICES = ("1", "2", "3")


def hints(person: Person, channel: str, state: State, buttons: bool) -> list[dict[str, Any]]:
    """Return {"say", "now"} in order; ``now``: it answers what is asked just now. ``buttons``: the newest message has
    some, which say the answers already.
    """
    words = person.language if person.language in _ASKS else "en"
    answers = _answers(person, words, state) if state.data.get("expects") == "identity" or not buttons else ()
    asks = (person.try_saying, *_ASKS[words], "telegram" if channel == "sms" else _PARTING[words])
    return [*({"say": one, "now": True} for one in answers),
            *({"say": one, "now": False} for one in dict.fromkeys(asks) if one not in answers)]


def _answers(person: Person, words: str, state: State) -> Sequence[str]:
    expects: Any = state.data.get("expects", "")
    if not state.flow:
        return ()
    if expects == "identity":
        return (f"{person.born_on} {person.postal_code}",)
    by_kind: Mapping[str, Sequence[str]] = {"choice": _CHOICES, "amount": _AMOUNTS[words], "name": ()}
    return by_kind.get(str(expects), _YES_NO[words])
