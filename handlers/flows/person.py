"""Hand-over to a person: a case, a hold until it is closed, and by when somebody answers (issue 2, section 5).

Needs no identity: nothing is disclosed, and "HUMAN" always works.
"""

from __future__ import annotations

from dataclasses import dataclass

from handlers.core import Decision, Reply, Text, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import answer_by, office_hours, open_case, phone

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
    "already_paid": Kind("paid_already", "paid_already", "paid_already", "Patient says it is paid"),
    "dispute": Kind("dispute", "dispute", "handover_dispute", "Patient disputes a bill"),
    "insurance_update": Kind("insurance_update", "insurance_update", "handover_insurance_update",
                             "Patient reports other insurance"),
    "cannot_pay": Kind("assistance", "assistance_pending", "handover_cannot_pay", "Patient cannot pay"),
    "plan": Kind("plan", "handover", "handover_plan", "Patient asks for a payment plan"),
    "deceased": Kind("deceased", "deceased", "handover_deceased", "A death was reported"),
    "bankrupt": Kind("bankruptcy", "bankruptcy", "handover_law", "A bankruptcy was reported"),
    "attorney": Kind("attorney", "attorney", "handover_law", "An attorney was named"),
    "refund_status": Kind("refund", "", "handover_ask", "Patient asks about a refund"),
    "saved_card": Kind("saved_card", "", "handover_ask", "Patient asks about a card on file"),
    "preferences": Kind("preferences", "", "handover_ask", "Patient asks for another way of contact"),
}


def start(turn: Turn, intent: str) -> Decision:
    if intent == "preferences" and _wants_amounts(turn):
        return verify.start(turn, intent)
    kind = KINDS[intent]
    case = open_case(turn, kind.case, kind.title, kind.hold, detail=_detail(turn))
    return Decision((_reply(turn, kind.template),)).also(case)


def give_up(turn: Turn) -> Decision:
    """Not understood again: a person takes over, and we say so."""
    decision = start(turn, "human")
    return Decision((Reply("handover_unclear"), *decision.replies)).also(*decision.commands)


def picture(turn: Turn) -> Decision:
    """A picture that came without words we understand."""
    case = open_case(turn, "media", "Patient sent a picture", "handover", detail=_detail(turn))
    return Decision((Reply("media", {"by_at": answer_by(turn)}),)).also(case)


def _reply(turn: Turn, template: str) -> Reply:
    words: dict[str, object] = {"by_at": answer_by(turn)}
    if template in ("handover_deceased", "handover_law"):
        words = {"phone": phone(turn)}
    elif template == "handover":
        words |= {"hours": office_hours(turn), "open_now": turn.practice.open_now}
    elif template == "handover_cannot_pay":
        policy = turn.practice.policy
        words["note"] = policy.assistance_note_es if turn.talk.language == "es" else policy.assistance_note_en
    return Reply(template, words)


def _detail(turn: Turn) -> str:
    media = turn.message.media if isinstance(turn.message, Text) else 0
    verified = "identity verified" if turn.account else "identity not verified"
    return f"{turn.reading.text} [{verified}{f', {media} picture(s)' if media else ''}]"


def _wants_amounts(turn: Turn) -> bool:
    account = turn.account
    words = turn.reading.text.casefold()
    return account is not None and not account.detail_allowed and ("amount" in words or "cantidad" in words)


FLOW = Flow(NAME, STEPS, tuple(KINDS), start, never_answers, never_asks)
