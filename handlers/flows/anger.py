"""Anger is heard, not argued with: an apology for the trouble and one offer; the second time in a row, a person."""

from __future__ import annotations

from handlers.core import Decision, Reply, State, Turn
from handlers.flows import person
from handlers.flows.flow import Flow
from handlers.turns import ask

NAME = "anger"
STEPS = ("offer",)
_OFFERS = ("explain", "human")


def start(turn: Turn, intent: str) -> Decision:
    return ask(turn, NAME, "offer", {"expects": "choice"}, Reply("anger"))


def answer(turn: Turn) -> Decision | None:
    if turn.reading.intent == NAME:
        handed = person.start(turn, "human")
        return Decision((Reply("anger_again"), *handed.replies)).also(*handed.commands)
    choices = turn.reading.slots.choices
    if len(choices) == 1 and choices[0] <= len(_OFFERS):
        return Decision((), State(after=_OFFERS[choices[0] - 1]))
    return None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("anger"),)


FLOW = Flow(NAME, STEPS, ("anger",), start, answer, repeat)
