"""Small talk, and the short list of what can be done. Nothing here needs or shows an account."""

from __future__ import annotations

from handlers.core import Decision, Reply, State, Turn
from handlers.flows.flow import Flow
from handlers.turns import ask, phone, practice

NAME = "menu"
STEPS = ("choose",)
CHOICES = ("balance", "explain", "pay", "human")


def start(turn: Turn, intent: str) -> Decision:
    if intent in ("thanks", "no"):
        return Decision((Reply("thanks"),))
    if intent == "goodbye":
        return Decision((Reply("goodbye"),))
    if intent == "are_you_a_robot":
        return Decision((Reply("are_you_a_robot"),))
    if intent == "out_of_scope":
        return Decision((Reply("out_of_scope", {"practice": practice(turn), "phone": phone(turn)}),))
    if intent == "medical":
        return Decision((Reply("medical", {"phone": phone(turn)}),))
    if intent == "greeting":
        return offer(turn, Reply("greeting", {"practice": practice(turn)}))
    return offer(turn, Reply("capabilities"))


def offer(turn: Turn, question: Reply) -> Decision:
    return ask(turn, NAME, "choose", {"expects": "choice"}, question)


def answer(turn: Turn) -> Decision | None:
    choices = turn.reading.slots.choices
    if len(choices) != 1 or not 1 <= choices[0] <= len(CHOICES):
        return None
    return Decision((), State(after=CHOICES[choices[0] - 1]))


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("menu", {"practice": practice(turn)}),)


FLOW = Flow(NAME, STEPS, ("greeting", "capabilities", "thanks", "goodbye", "are_you_a_robot",
                          "out_of_scope", "medical", "back", "yes", "no", "repeat"), start, answer, repeat)
