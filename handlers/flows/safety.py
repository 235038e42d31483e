"""An emergency, and a number that is not the patient's. Fixed, reviewed words; not a word about money."""

from __future__ import annotations

from billing.commands import ForgetVerification, MarkWrongNumber
from handlers.core import Decision, Reply, Turn
from handlers.turns import open_case, practice


def emergency(turn: Turn) -> Decision:
    """988 and 911 at any hour; nobody of this household is asked for money until a person has cleared it."""
    case = open_case(turn, "emergency", "Emergency words in a text: look now", "emergency", urgent=True)
    return Decision((Reply("emergency", {"practice": practice(turn)}, "emergency"),)).also(case)


def beside(turn: Turn, decision: Decision) -> Decision:
    """An emergency heard in a text that was also STOP, HELP or a call for a person: both are done, it goes first."""
    heard = emergency(turn)
    return Decision(heard.replies + decision.replies, heard.state, heard.commands + decision.commands,
                    decision.language)


def wrong_number(turn: Turn) -> Decision:
    """Disclose nothing, not even that anybody owes anything; suppress, and void the consent (T-10, T-35)."""
    return Decision((Reply("wrong_number", {"practice": practice(turn)}, "stop_confirmation"),)).also(
        *wrong_number_commands(turn))


def wrong_number_commands(turn: Turn) -> tuple[MarkWrongNumber | ForgetVerification, ...]:
    return MarkWrongNumber(turn.reading.text), ForgetVerification("wrong number")
