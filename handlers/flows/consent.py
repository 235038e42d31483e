"""STOP, START, HELP, and the one question allowed about a stop that is not clear (T-03 to T-05, T-09, T-12)."""

from __future__ import annotations

from billing.commands import RecordOptOut, RestoreConsent
from handlers.accounts import running_plan
from handlers.core import Decision, Reply, State, Text, Turn
from handlers.flows import person, plan_running, taking_back
from handlers.flows.flow import Flow
from handlers.turns import ask, open_case, phone, practice, stay
from handlers.understanding import fixed
from handlers.understanding.folding import fold

NAME = "consent"
STEPS = ("which",)


def opt_out(turn: Turn) -> Decision:
    """Recorded at once; confirmed once, unless the carrier already did or it was done before (T-05)."""
    replies: tuple[Reply, ...] = ()
    if not _carrier_answered(turn) and not turn.talk.opted_out:
        words = {"practice": practice(turn), "phone": phone(turn)}
        replies = (Reply("stop_confirmation", words, "stop_confirmation"),)
    return Decision(replies).also(RecordOptOut(turn.reading.text))


def opt_in(turn: Turn) -> Decision:
    replies: tuple[Reply, ...] = ()
    if not _carrier_answered(turn):
        replies = (Reply("start_confirmation", {"practice": practice(turn)}, "start_confirmation"),)
    return Decision(replies).also(RestoreConsent(turn.reading.text))


def give_help(turn: Turn) -> Decision:
    """Answers and waits where we were."""
    if _carrier_answered(turn):
        return stay(turn)
    return stay(turn, Reply("help", {"practice": practice(turn), "phone": phone(turn)}, "help"))


def unanswerable(turn: Turn) -> Decision:
    """An opted-out number wrote: no reply can be sent (Twilio 21610), so a person calls. "Yes" restores nothing."""
    urgent = turn.reading.intent == "emergency"
    case = open_case(turn, "emergency" if urgent else "call", "Call back: wrote after STOP",
                       "emergency" if urgent else "", urgent=urgent)
    return Decision().also(case)


def start(turn: Turn, intent: str) -> Decision:
    """Asked once, unless it is plain: "cancel my plan" of somebody verified whose plan runs is about that plan."""
    bare = fixed.is_unclear_stop(fold(turn.reading.text)) == "bare"
    if not bare and _has_plan(turn):
        return plan_running.hand_over(turn.reading.text)
    data = {"wording": turn.reading.text, "bare": bare, "expects": "choice"}
    return ask(turn, NAME, "which", data, _question(turn)).also(*taking_back.commands(turn))


def answer(turn: Turn) -> Decision | None:
    if turn.reading.slots.choices != (1,):
        return None
    if turn.practice.policy.plans is None:
        return person.start(turn, "plan")
    if turn.talk.state.data["bare"] and turn.account is not None and not _has_plan(turn):
        return Decision((), State(after="pay"))  # "cancelar" is also how many say "to pay"
    return plan_running.hand_over(str(turn.talk.state.data["wording"]))


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (_question(turn),)


def _question(turn: Turn) -> Reply:
    return Reply("stop_which" if turn.practice.policy.plans is None else "stop_or_plan")


def _has_plan(turn: Turn) -> bool:
    return turn.practice.policy.plans is not None and turn.account is not None and (
        running_plan(turn.account) is not None)


def _carrier_answered(turn: Turn) -> bool:
    return isinstance(turn.message, Text) and turn.message.answered_by_carrier


FLOW = Flow(NAME, STEPS, ("stop_which",), start, answer, repeat)
