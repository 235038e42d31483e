"""Hand-over to a person: a case, a hold until it is closed, and by when somebody answers (issue 2, section 5).

Needs no identity: nothing is disclosed, and "HUMAN" always works.
"""

from __future__ import annotations

from dataclasses import dataclass

from handlers.core import Decision, Reply, Text, Turn
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import answer_by, office_hours, open_case

NAME = "person"
STEPS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a person is asked to do: kind of case, hold (billing/hold_kinds.py), words for the patient, title."""

    case: str
    hold: str
    template: str
    title: str


KINDS = {
    "human": Kind("handover", "handover", "handover", "Patient asks for a person"),
    "plan": Kind("plan", "handover", "handover_plan", "Patient asks for a payment plan"),
    "plan_change": Kind("plan", "handover", "handover_ask", "Patient asks to change a payment plan"),
    "saved_card": Kind("saved_card", "", "handover_ask", "Patient asks about a card on file"),
}


def start(turn: Turn, intent: str) -> Decision:
    kind = KINDS[intent]
    case = open_case(turn, kind.case, kind.title, kind.hold, detail=_detail(turn))
    return Decision((_reply(turn, kind.template),)).also(case)


def give_up(turn: Turn) -> Decision:
    """Not understood again: a person takes over, and we say so."""
    decision = start(turn, "human")
    return Decision((Reply("handover_unclear"), *decision.replies)).also(*decision.commands)


def _reply(turn: Turn, template: str) -> Reply:
    words: dict[str, object] = {"by_at": answer_by(turn)}
    if template == "handover":
        words |= {"hours": office_hours(turn), "open_now": turn.practice.open_now}
    return Reply(template, words)


def _detail(turn: Turn) -> str:
    media = turn.message.media if isinstance(turn.message, Text) else 0
    verified = "identity verified" if turn.account else "identity not verified"
    return f"{turn.reading.text} [{verified}{f', {media} picture(s)' if media else ''}]"


FLOW = Flow(NAME, STEPS, ("human",), start, never_answers, never_asks)
