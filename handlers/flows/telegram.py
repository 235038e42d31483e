"""What Telegram asks for beside the common conversations: a chat that is joined to nobody yet, joining, parting.

A chat is joined by a one-time link that goes by text to the verified phone; who writes in it is asked all the same.
"""

from __future__ import annotations

from billing.commands import PartChat, RestoreConsent
from handlers.core import Decision, Happened, Reply, Turn
from handlers.flows import menu, verify
from handlers.flows.table import FLOWS
from handlers.turns import practice, stay
from handlers.understanding.folding import fold

CHANNEL = "telegram"
_PARTING = frozenset({
    "unlink", "unlink this chat", "unlink chat", "unlink telegram", "disconnect", "desvincular", "desconectar",
    "desvincular este chat", "desvincular telegram"})


def before_all(turn: Turn) -> Decision | None:
    """What is decided before any flow; None leaves the text to the common conversations. STOP, HELP, a person and an
    emergency never come here.
    """
    if turn.talk.channel != CHANNEL:
        return None
    if turn.reading.fixed == "opt_in" and not turn.talk.opted_out:
        return _greet(turn)
    if turn.reading.fixed or turn.reading.intent == "emergency":
        return None
    if not turn.candidates:
        return unjoined(turn)
    if fold(turn.reading.text) in _PARTING:
        return Decision((Reply("telegram_parted", {"practice": practice(turn)}),)).also(PartChat(turn.reading.text))
    return None


def _greet(turn: Turn) -> Decision:
    """/start in a chat that is not opted out restores nothing; it is how Telegram opens every chat."""
    if not turn.candidates:
        return unjoined(turn)
    return menu.offer(turn, Reply("greeting", {"practice": practice(turn)}))


def unjoined(turn: Turn) -> Decision:
    """The same for a first word, a used link, an expired one and somebody else's: nothing can be learned from it."""
    policy = turn.practice.policy
    number = policy.sms_number or policy.phone
    return Decision((Reply("telegram_unlinked", {"practice": practice(turn), "phone": number}),))


def joined(turn: Turn, event: Happened) -> Decision:
    """The link was good. Opening it is the patient's own act, so it lifts an earlier STOP of this chat (T-12)."""
    asked = verify.first(turn, "capabilities", {})
    decision = Decision((Reply("telegram_linked", {"practice": practice(turn)}), *asked.replies), asked.state,
                        asked.commands)
    return decision.also(RestoreConsent(str(event.data["wording"]))) if turn.talk.opted_out else decision


def old_button(turn: Turn) -> Decision:
    """Say so, and put the question that is open now."""
    flow = FLOWS.get(turn.talk.state.flow)
    again = flow.ask(turn) if flow is not None else ()
    return stay(turn, Reply("telegram_button_old"), *again)
