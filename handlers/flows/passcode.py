"""A passcode in place of the date of birth: set or taken away on our page, never by text."""

from __future__ import annotations

from billing.commands import MakeLink
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow, never_answers, never_asks

NAME = "passcode"
STEPS: tuple[str, ...] = ()


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent)
    link = MakeLink("passcode", account.account_id)
    return Decision((Reply("passcode_link", {"url": Result(link.ref)}),)).also(link)


FLOW = Flow(NAME, STEPS, ("passcode",), start, never_answers, never_asks)
