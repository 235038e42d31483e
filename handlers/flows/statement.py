"""The statement and the itemised bill, both behind a link of the patient's own."""

from __future__ import annotations

from billing.commands import MakeLink, MakeStatement
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import phone

NAME = "statement"
STEPS: tuple[str, ...] = ()


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent)
    if intent == "itemised_bill":
        return Decision((Reply("itemised_link", {"url": Result("link")}),)).also(
            MakeLink("itemised", account.account_id))
    if account.stale:
        return Decision((Reply("stale", {"phone": phone(turn)}),))
    made = MakeStatement(account.account_id, turn.talk.language, account.balance_version)
    # Where a chat carries files and the patient, warned, wants amounts there, the paper itself comes along.
    as_file = turn.talk.channel == "telegram" and account.detail_allowed
    words = "telegram_statement" if as_file else "statement_link"
    return Decision((Reply(words, {"url": Result(made.ref)}),)).also(made)


FLOW = Flow(NAME, STEPS, ("statement", "itemised_bill"), start, never_answers, never_asks)
