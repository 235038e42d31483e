"""A picture in the thread, or the wish to send one: by our page, never by text (MMS carries no PHI, T-37)."""

from __future__ import annotations

from billing.commands import MakeLink
from handlers import filing
from handlers.core import Decision, Reply, Result, Turn
from handlers.filing import Matter
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import answer_by

NAME = "papers"
STEPS: tuple[str, ...] = ()
MATTER = Matter("media", "handover", "Patient sent a picture")


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return filing.before_identity(turn, MATTER, NAME, Reply("media", {"by_at": answer_by(turn)}))
    kind, _, owner = str(turn.talk.state.data.get("key", "")).partition(":")
    if owner == account.account_id:  # a matter is being told: the papers are its own
        return _link(account.account_id, kind)
    return _link(account.account_id, MATTER.kind).also(filing.open_case(turn, MATTER))


def _link(account_id: str, kind: str) -> Decision:
    link = MakeLink("papers", account_id, kind)
    return Decision((Reply("papers_link", {"url": Result(link.ref)}),)).also(link)


def picture(turn: Turn) -> Decision:
    """A picture that came without words we understand. It is not kept; the page that keeps one is named."""
    decision = start(turn, NAME)
    return decision if turn.account is None else beside(decision)


def beside(decision: Decision) -> Decision:
    """The same in front of an answer to the words that came with it."""
    return Decision((Reply("media_not_kept"), *decision.replies), decision.state, decision.commands, decision.language)


FLOW = Flow(NAME, STEPS, ("papers",), start, never_answers, never_asks)
