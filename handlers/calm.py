"""After an emergency the thread brings up no money by itself until a person has cleared it; who asks is answered."""

from __future__ import annotations

from dataclasses import replace

from handlers.core import IDLE, Decision, Reply, Turn
from handlers.turns import practice

#: What we say unasked and what names bills, amounts or paying in it.
_UNASKED = frozenset({"greeting", "menu", "capabilities", "unclear", "timeout", "handover", "welcome", "anger",
                      "explain_next", "thanks", "goodbye", "back_done", "handover_unclear"})


def soften(turn: Turn, decision: Decision) -> Decision:
    """Put one calm text in place of what would bring up money; a list of things to pay goes with it."""
    if not turn.talk.emergency:
        return decision
    kept = [reply for reply in decision.replies if reply.template not in _UNASKED]
    if len(kept) == len(decision.replies):
        return decision
    state = decision.state
    if state.flow == "menu":
        state = replace(IDLE, data={key: value for key, value in state.data.items() if key != "expects"},
                        misses=state.misses)
    calm = () if kept else (Reply("calm", {"practice": practice(turn)}),)
    return replace(decision, replies=(*kept, *calm), state=state)
