"""What was said last, so that "repeat" works when no question is open. After identity lapsed it is asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from billing.commands import MarkVerified
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import menu, verify
from handlers.flows.table import FLOWS, INTENTS

KEY = "last"
#: Answers that only show something: said again from how things stand now, never from memory.
_SHOWN = frozenset({"balance", "due_date", "minimum_payment", "explain", "insurance_status", "statement",
                    "itemised_bill", "receipt", "refund_status", "is_this_real", "passcode"})


def keep(turn: Turn, decision: Decision) -> Decision:
    """Note in the state what this turn said. An open question is repeated by its own flow instead."""
    data = {key: value for key, value in decision.state.data.items() if key != KEY}
    before = turn.talk.state.data.get(KEY)
    if turn.reading.intent == "repeat" and before and not decision.state.flow:
        data[KEY] = before
    elif decision.replies and not decision.state.flow:
        data[KEY] = {"intent": _intent(turn), "account": _account(turn, decision),
                     "said": _plain(decision.replies)}
    elif before and not decision.state.flow:
        data[KEY] = before
    return replace(decision, state=replace(decision.state, data=data))


def again(turn: Turn) -> Decision:
    """Say the last thing again. What was said to a verified person is said to nobody else."""
    last: Mapping[str, Any] = turn.talk.state.data.get(KEY, {})
    account_id, intent = last.get("account"), str(last.get("intent", ""))
    if not last:
        return menu.start(turn, "capabilities")
    if account_id and turn.account is None:
        return verify.first(turn, intent if intent in INTENTS else "balance", {})
    mine = not account_id or (turn.account is not None and turn.account.account_id == account_id)
    if mine and last["said"] and intent not in _SHOWN:
        return Decision(tuple(Reply(template, arguments, purpose) for template, arguments, purpose in last["said"]))
    flow = INTENTS.get(intent, menu.FLOW)
    return flow.start(replace(turn, reading=replace(turn.reading, intent=intent)), intent)


def _intent(turn: Turn) -> str:
    """The subject of this turn: what was asked, else what the open question was about."""
    flow = FLOWS.get(turn.talk.state.flow)
    if flow is verify.FLOW:
        return turn.talk.state.after or "balance"
    if turn.reading.intent in INTENTS and turn.reading.intent not in ("yes", "no", "back"):
        return turn.reading.intent
    return flow.intents[0] if flow is not None and flow.intents else "capabilities"


def _account(turn: Turn, decision: Decision) -> str | None:
    proved = [command.account_id for command in decision.commands if isinstance(command, MarkVerified)]
    return proved[-1] if proved else turn.talk.account_id


def _plain(replies: tuple[Reply, ...]) -> list[list[Any]]:
    """The replies as data; none where one holds what a command made (a link is sent once, then made anew)."""
    if any(isinstance(value, Result) for reply in replies for value in reply.arguments.values()):
        return []
    return [[reply.template, dict(reply.arguments), reply.purpose] for reply in replies]
